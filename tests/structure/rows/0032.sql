-- What 0032 adds: addresses that show a lesson, one open and one ended.
INSERT INTO preview_links (lesson_id, made_by, secret_hash, expires_at)
  SELECT id, creator_id, 'open-' || id, now() + interval '1 day' FROM lessons;
INSERT INTO preview_links (lesson_id, made_by, secret_hash, expires_at, ended_at)
  SELECT id, creator_id, 'ended-' || id, now() + interval '1 day', now() FROM lessons;
