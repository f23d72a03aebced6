-- One row of each table that 0022 makes.
INSERT INTO passkeys (user_id, credential_id, public_key, user_handle, sign_count, name, last_used_at)
SELECT id, '\x0102', '\xa50102', '\x0304', 7, 'My phone', clock_timestamp() FROM users ORDER BY id LIMIT 1;
INSERT INTO passkey_challenges (secret_hash, challenge, purpose, user_id, address)
SELECT repeat('12', 32), '\x0506', 'add', id, '192.0.2.1' FROM users ORDER BY id LIMIT 1;
