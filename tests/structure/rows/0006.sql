UPDATE users SET password_temporary_until = '2026-01-02 03:04:05+00' WHERE id = (SELECT id FROM users LIMIT 1);
