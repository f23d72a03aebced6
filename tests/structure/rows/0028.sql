-- What 0028 adds: a course in the trash, a lesson that was in it, and a lesson in the trash with what it was.
INSERT INTO courses (id, title, instructor_id, deleted_at, deleted_by)
VALUES (md5('thrown course')::uuid, 'Thrown', md5('instructor')::uuid, now(), md5('support')::uuid);
INSERT INTO lessons (id, creator_id, title, publish_on_ready, trashed_course_id)
VALUES (md5('was in it')::uuid, md5('instructor')::uuid, 'Was in it', false, md5('thrown course')::uuid);
INSERT INTO lessons (id, creator_id, title, publish_on_ready, deleted_at, deleted_by, before_trash)
VALUES (md5('thrown')::uuid, md5('instructor')::uuid, 'Thrown', false, now(), md5('instructor')::uuid,
  '{"status": "published", "published_at": "2026-01-01T12:00:00+00:00", "publish_on_ready": false}');
