-- One row of each table that 0021 makes.
INSERT INTO authenticator_apps (user_id, sealed_secret, last_step, confirmed_at, last_used_at)
SELECT id, 'a1b2c3d4e5f6:c2VhbGVk', 57000000, clock_timestamp(), clock_timestamp() FROM users ORDER BY id LIMIT 1;
INSERT INTO recovery_codes (user_id, code_hash, used_at)
SELECT id, repeat('ab', 32), clock_timestamp() FROM users ORDER BY id LIMIT 1;
INSERT INTO pending_sign_ins (user_id, secret_hash, way, account_state, answers)
SELECT id, repeat('cd', 32), 'password', repeat('ef', 32), 2 FROM users ORDER BY id LIMIT 1;
