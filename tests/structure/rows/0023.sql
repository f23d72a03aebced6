-- One row of each table that 0023 makes.
INSERT INTO known_browsers (user_id, secret_hash, user_agent, network)
SELECT id, 'hash of a browser', 'Mozilla/5.0', '198.51.100.7' FROM users ORDER BY id LIMIT 1;
INSERT INTO account_links (user_id, kind, email, secret_hash, made_by, address, expires_at, mail_wanted)
SELECT id, 'invitation', email, 'hash of a link', id, '198.51.100.7', clock_timestamp() + interval '7 days', true
  FROM users ORDER BY id LIMIT 1;
