-- What 0026 adds to purchases: one that was given, one that was revoked and bought again, and one whose lesson is deleted.
INSERT INTO purchases (lesson_id, user_id, price_cents, given_by, give_reason)
SELECT md5('out')::uuid, id, 0, md5('support')::uuid, 'Won in a raffle' FROM users WHERE id <> md5('student')::uuid ORDER BY id LIMIT 1;
UPDATE purchases SET revoked_at = clock_timestamp(), revoked_by = md5('support')::uuid, revoke_reason = 'Paid twice', lesson_title = 'Out'
 WHERE user_id = md5('student')::uuid;
INSERT INTO purchases (lesson_id, user_id, price_cents) VALUES (md5('out')::uuid, md5('student')::uuid, 900);
INSERT INTO purchases (lesson_id, user_id, owner_id, price_cents, revoked_at, revoked_by, revoke_reason, lesson_title)
SELECT NULL, md5('student')::uuid, owner_id, 700, clock_timestamp(), md5('support')::uuid, 'The lesson is deleted', 'Gone'
  FROM purchases LIMIT 1;
