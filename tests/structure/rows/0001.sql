-- A row or more in every table of revision 0001, as an installation may have them. Ids are made from words, so that rows
-- can name each other. A migration that makes a table brings a file of its own beside this one, with rows for it.

INSERT INTO users (id, email, name, role, password_hash) VALUES
  (md5('instructor')::uuid, 'instructor@school.example', 'Ines', 'instructor', 'x'),
  (md5('student')::uuid, 'student@school.example', 'Sam', 'student', 'x'),
  (md5('support')::uuid, 'support@school.example', 'Sue', 'support', NULL);
INSERT INTO user_sessions (user_id, secret_hash, address) VALUES (md5('support')::uuid, 'session', '127.0.0.1');
INSERT INTO api_tokens (user_id, name, secret_hash) VALUES (md5('instructor')::uuid, 'script', 'token');
INSERT INTO sign_in_failures (email, address) VALUES ('nobody@school.example', '127.0.0.1');

INSERT INTO courses (id, title, instructor_id) VALUES (md5('course')::uuid, 'Spanish', md5('instructor')::uuid);
INSERT INTO lessons (id, course_id, creator_id, title, status, published_at, video_processing_status, mux_asset_id, mux_playback_id)
VALUES
  (md5('out')::uuid, md5('course')::uuid, md5('instructor')::uuid, 'Ser', 'published', now(), 'ready', 'asset-1', 'playback-1'),
  (md5('coming')::uuid, NULL, md5('instructor')::uuid, 'Estar', 'draft', NULL, 'processing', NULL, NULL);
INSERT INTO purchases (lesson_id, user_id, price_cents) VALUES (md5('out')::uuid, md5('student')::uuid, 900);
INSERT INTO staff_notes (lesson_id, author_id, text) VALUES (md5('out')::uuid, md5('support')::uuid, 'Asked for a refund.');

INSERT INTO mux_asset_tracking (id, lesson_id, course_id, owner_id, upload_id, mux_asset_id, mux_playback_id, status, next_check_at)
VALUES
  (md5('plays')::uuid, md5('out')::uuid, NULL, md5('instructor')::uuid, 'upload-1', 'asset-1', 'playback-1', 'ready', NULL),
  (md5('due')::uuid, md5('coming')::uuid, NULL, md5('instructor')::uuid, 'upload-2', NULL, NULL, 'processing', now()),
  (md5('preview')::uuid, NULL, md5('course')::uuid, md5('instructor')::uuid, 'upload-3', NULL, NULL, 'uploading', now() + interval '1 hour');
INSERT INTO asset_deletions (mux_asset_id, tracking_id, target_type, target_id) VALUES ('asset-0', md5('plays')::uuid, 'lesson', md5('out')::uuid);
INSERT INTO upload_cancellations (upload_id, target_type, target_id) VALUES ('upload-0', 'lesson', md5('out')::uuid);

INSERT INTO mux_events (mux_event_id, type, object_id, outcome, processed_at, payload)
VALUES ('event-1', 'video.asset.ready', 'asset-1', 'applied', now(), '{"type": "video.asset.ready"}');
INSERT INTO mux_calls (operation, outcome, target_type, target_id) VALUES ('get_asset', 'ok', 'lesson', md5('out')::uuid);
INSERT INTO audit_log (actor_type, action, target_type, target_id) VALUES ('webhook', 'lesson.published', 'lesson', md5('out')::uuid);
INSERT INTO notifications (user_id, kind, lesson_id, tracking_id, message)
VALUES (md5('instructor')::uuid, 'lesson_published', md5('out')::uuid, md5('plays')::uuid, 'It is published.');

-- one bulk action that was stopped overnight after two rows, one that is over, one that is over with a failed row
INSERT INTO batches (id, action, status, total, done, failed, created_by, created_at, finished_at) VALUES
  (md5('stopped')::uuid, 'publish', 'stopped', 4, 2, 0, md5('support')::uuid, '2026-01-01 12:00:00+00', NULL),
  (md5('over')::uuid, 'publish', 'done', 1, 1, 0, md5('support')::uuid, '2026-01-01 12:00:00+00', '2026-01-01 12:00:05+00'),
  (md5('failed')::uuid, 'publish', 'done', 1, 0, 1, md5('support')::uuid, '2026-01-01 12:00:00+00', '2026-01-01 12:00:07+00');
INSERT INTO batch_items (batch_id, target_id, status, finished_at) VALUES
  (md5('stopped')::uuid, md5('1')::uuid, 'done', '2026-01-01 12:00:10+00'),
  (md5('stopped')::uuid, md5('2')::uuid, 'done', '2026-01-02 12:00:00+00'),
  (md5('stopped')::uuid, md5('3')::uuid, 'open', NULL),
  (md5('stopped')::uuid, md5('4')::uuid, 'open', NULL),
  (md5('over')::uuid, md5('1')::uuid, 'done', '2026-01-01 12:00:05+00'),
  (md5('failed')::uuid, md5('1')::uuid, 'failed', '2026-01-01 12:00:07+00');

INSERT INTO heartbeats (name) VALUES ('clock');
INSERT INTO mux_budget (name, tokens) VALUES ('background', 18);
INSERT INTO throttles (key) VALUES ('uploads:x');
INSERT INTO alarms (kind, message) VALUES ('no_worker', 'No worker was seen.');
INSERT INTO hourly_figures (hour, figure, value) VALUES (date_trunc('hour', now()), 'published', 3);
INSERT INTO reconcile_runs (id, started_by) VALUES (md5('run')::uuid, 'nightly');
INSERT INTO reconcile_findings (run_id, kind, mux_id) VALUES (md5('run')::uuid, 'orphan', 'asset-9');
