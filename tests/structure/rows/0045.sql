-- What 0045 adds: a student who wants no word of new lessons, a gathered notice, and an announcement that is half told.
UPDATE users SET muted_notices = '{course_new_lesson}' WHERE role = 'student';
INSERT INTO notifications (user_id, kind, message, lesson_id, gathered_as)
SELECT md5('student')::uuid, 'lesson_new_video', '“Out” has a new video.', md5('out')::uuid, md5('out')::uuid || ' 2026-12-01';
INSERT INTO announcements (kind, lesson_id, gathered_as, told_up_to)
SELECT 'lesson_withdrawn', md5('out')::uuid, md5('out')::uuid || ' 2026-12-01', md5('student')::uuid;
UPDATE lessons SET first_published_at = published_at;
