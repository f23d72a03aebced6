-- A page with unsaved changes, and a lesson that was begun with a video and never saved.
INSERT INTO editing_holds (lesson_id, page_id, expires_at) VALUES (md5('coming')::uuid, md5('page')::uuid, '2026-01-02 03:04:05+00');
UPDATE lessons SET is_unsaved = true, is_untitled = true, held_until = '2026-01-02 03:04:05+00' WHERE id = md5('coming')::uuid;
