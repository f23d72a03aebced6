-- One row of the table that 0025 makes.
INSERT INTO provider_identities (user_id, issuer, subject, last_used_at)
SELECT id, 'https://login.school.example', 'b7c1', clock_timestamp() FROM users ORDER BY id LIMIT 1;
