-- One row of the table that 0019 makes.
INSERT INTO error_references (reference, route, kind) VALUES ('0123456789abcdef', 'GET /lessons', 'RuntimeError');
