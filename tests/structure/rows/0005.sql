INSERT INTO sign_in_failures (email_hash, address) VALUES ('0c1d', '127.0.0.1');
