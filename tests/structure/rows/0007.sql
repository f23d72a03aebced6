-- One row of each table that 0007 makes.
INSERT INTO security_counts (minute, kind, who, count) VALUES (date_trunc('minute', now()), 'refused', 'x', 3);
