"""The rows of a school of any size, as statements: what `seed_panel` writes, and nothing else knows.

Shares that a list is narrowed by (failed today, needs attention, a rare word) have about as many rows in a small school
as in a large one, so that a page of the one shows as many rows as a page of the other and their times can be compared.
"""

WORDS = (
    "circles", "lines", "squares", "water", "bread", "salt", "light", "shadow", "voice", "rhythm",
    "number", "letter", "garden", "winter", "summer", "river", "stone", "glass", "paper", "colour",
)  # fmt: skip
RARE_WORD = "zanzibar"
YEARS = 2

PEOPLE = """
INSERT INTO users (id, email, name, role)
  SELECT uuidv7(make_interval(days => -800)), 'teacher' || n || '@school.example', 'Teacher ' || n, 'instructor'
  FROM generate_series(1, {teachers}) n;
INSERT INTO users (email, name, role, password_hash) VALUES ('bench-admin@school.example', 'Bench', 'admin', 'x');
INSERT INTO users (email, name, role)
  SELECT 'student' || n || '@school.example', 'Student ' || n, 'student' FROM generate_series(1, {teachers}) n;
CREATE TEMP TABLE teacher AS
  SELECT row_number() OVER (ORDER BY email) - 1 AS place, id FROM users WHERE role = 'instructor';
CREATE UNIQUE INDEX ON teacher (place);
CREATE TEMP TABLE student AS
  SELECT row_number() OVER (ORDER BY email) - 1 AS place, id FROM users WHERE role = 'student';
CREATE UNIQUE INDEX ON student (place);
ANALYZE teacher;
ANALYZE student;
"""

COURSES = """
INSERT INTO courses (id, title, instructor_id, created_at)
  SELECT uuidv7(at - now()), initcap(({words})[1 + n % 20]) || ' for all ' || n, t.id, at
  FROM (SELECT n, now() - make_interval(mins => n) AS at FROM generate_series(1, {courses}) n) c
  JOIN teacher t ON t.place = c.n % {teachers};
CREATE TEMP TABLE course AS SELECT row_number() OVER (ORDER BY id) - 1 AS place, id FROM courses;
CREATE UNIQUE INDEX ON course (place);
ANALYZE course;
"""

# Titles and prices are drawn by a hash, so that they have nothing to do with how a lesson fares.
# `fails_today`, `waits` and `temporary` are as many in any school; the others are shares of it.
LESSONS = """
INSERT INTO lessons (id, creator_id, course_id, title, description, price_cents, status, publish_on_ready, published_at,
    video_processing_status, video_error_type, video_error_message, mux_asset_id, mux_playback_id, playback_policy,
    video_duration, needs_attention_at, created_at, updated_at)
  SELECT uuidv7(at - now()), t.id, c.id,
    initcap(({words})[1 + abs(hashint4(n)) % 20]) || ' ' || 100 + abs(hashint4(-n)) % 900 || ': '
      || ({words})[1 + abs(hashint4(n + 1)) % 20] || ' and ' || ({words})[1 + abs(hashint4(n + 2)) % 20]
      || CASE WHEN n % {rare} = 13 THEN ' {rare_word}' ELSE '' END,
    CASE WHEN n % 5 = 0 THEN 'Drawing with patience' ELSE 'With patience' END,
    abs(hashint4(n + 3)) % 40 * 100,
    CASE WHEN state = 'ready' AND n % 4 > 0 THEN 'published' ELSE 'draft' END,
    n % 3 > 0,
    CASE WHEN state = 'ready' AND n % 4 > 0 THEN at END,
    state,
    CASE WHEN state = 'error' THEN (ARRAY['asset_errored', 'upload_timed_out', 'deleted_at_mux'])[1 + (n / 100) % 3] END,
    CASE WHEN state = 'error' THEN 'The file is damaged' END,
    CASE WHEN n % {temporary} = 1 THEN 'temp_upload' || n WHEN state IN ('ready', 'processing') THEN 'asset' || n END,
    CASE WHEN state = 'ready' THEN 'playback' || n END,
    CASE WHEN state = 'ready' THEN CASE WHEN n % 150 = 3 THEN 'signed' ELSE 'public' END END,
    CASE WHEN state = 'ready' THEN 60 + n % 2400 END,
    CASE WHEN n % {waits} = 7 THEN at END,
    at,
    CASE WHEN fails_today THEN now() ELSE at + make_interval(secs => 40 + n % 400) END
  FROM (SELECT n, n % {waits} = 11 AS fails_today,
          now() - make_interval(secs => 3600 + ({lessons} - n) * {years} * 31536000.0 / {lessons}) AS at,
          CASE WHEN n % {waits} = 11 THEN 'error' WHEN n % {temporary} = 1 THEN 'error'
               WHEN n % 100 < 93 THEN 'ready' WHEN n % 100 < 96 THEN 'none' WHEN n % 100 < 98 THEN 'error'
               WHEN n % 1000 > 399 THEN 'none' WHEN n % 100 = 98 THEN 'uploading' ELSE 'processing' END AS state
        FROM generate_series(1, {lessons}) n) x
  JOIN teacher t ON t.place = x.n % {teachers} JOIN course c ON c.place = x.n % {full_courses};
"""

UPLOADS = """
INSERT INTO mux_asset_tracking (id, lesson_id, owner_id, upload_id, mux_asset_id, mux_playback_id, playback_policy,
    wanted_policy, status, error_type, error_message, filename, temp_asset_id, duration, bytes_in_at, asset_seen_at,
    ready_at, ready_found_by, attempts, attention_at, created_at, updated_at)
  SELECT uuidv7(created_at - now()), id, creator_id, 'upload' || id,
    CASE WHEN mux_asset_id LIKE 'asset%' THEN mux_asset_id END, mux_playback_id, playback_policy, playback_policy,
    video_processing_status, video_error_type, video_error_message, 'talk.mp4',
    CASE WHEN mux_asset_id LIKE 'temp%' THEN mux_asset_id END, video_duration,
    CASE WHEN video_processing_status = 'ready' THEN created_at + interval '10 seconds' END,
    CASE WHEN video_processing_status = 'ready' THEN created_at + interval '12 seconds' END,
    CASE WHEN video_processing_status = 'ready' THEN updated_at END,
    CASE WHEN video_processing_status = 'ready' THEN CASE WHEN price_cents = 900 THEN 'sweep' ELSE 'webhook' END END,
    1,
    CASE WHEN video_processing_status IN ('uploading', 'processing') THEN updated_at END,
    created_at, updated_at
  FROM lessons WHERE video_processing_status <> 'none';
"""

EVENTS = """
INSERT INTO mux_events (id, mux_event_id, type, object_id, asset_id, target_type, target_id, outcome, attempts,
    occurred_at, received_at, processed_at, error, payload)
  SELECT uuidv7(at - now()), gen_random_uuid()::text,
    (ARRAY['video.upload.asset_created', 'video.asset.created', 'video.asset.updated', 'video.asset.ready',
           'video.asset.warning'])[k],
    mux_asset_id, mux_asset_id, 'lesson', id,
    CASE WHEN odd = 1 THEN 'failed' WHEN odd = 2 THEN 'unmatched' WHEN k = 5 THEN 'ignored' ELSE 'applied' END,
    1, at - interval '1 second', at, at, CASE WHEN odd = 1 THEN 'KeyError: data' END,
    jsonb_build_object('type', 'video.asset.ready', 'data', jsonb_build_object('id', mux_asset_id))
  FROM (SELECT l.id, l.mux_asset_id, k, l.created_at + make_interval(secs => k * 20) AS at,
          abs(hashtext(l.id::text || k)) % {odd} AS odd
        FROM lessons l CROSS JOIN generate_series(1, 5) k) e ORDER BY at;
"""

AUDIT = """
INSERT INTO audit_log (id, at, actor_type, actor_id, action, target_type, target_id, detail)
  SELECT uuidv7(created_at - now()), created_at, 'user', creator_id, 'lesson.created', 'lesson', id, '{{"title": "x"}}'
  FROM lessons;
INSERT INTO audit_log (id, at, actor_type, action, target_type, target_id, detail)
  SELECT uuidv7(updated_at - now()), updated_at, 'webhook', 'lesson.published', 'lesson', id, '{{"by_itself": true}}'
  FROM lessons WHERE status = 'published';
INSERT INTO audit_log (id, at, actor_type, action, target_type, target_id, detail)
  SELECT uuidv7(updated_at - now()), updated_at, 'webhook',
    CASE WHEN video_processing_status = 'ready' THEN 'video.ready' ELSE 'video.failed' END, 'lesson', id,
    CASE WHEN video_error_type IS NULL THEN '{{}}' ELSE jsonb_build_object('error_type', video_error_type) END
  FROM lessons WHERE video_processing_status IN ('ready', 'error') AND updated_at > now() - interval '31 days';
"""

OTHERS = """
INSERT INTO purchases (lesson_id, user_id, owner_id, price_cents, created_at)
  SELECT l.id, s.id, l.creator_id, l.price_cents, l.created_at
  FROM (SELECT id, creator_id, price_cents, created_at, row_number() OVER (ORDER BY id) AS n FROM lessons WHERE status = 'published') l
  JOIN student s ON s.place = (l.n / 5) % {teachers} WHERE l.n % 5 = 0;
INSERT INTO asset_deletions (mux_asset_id, reason, target_type, target_id, requested_at, due_at, attempts, done_at, last_error)
  SELECT 'gone' || n, 'replaced by a new video', 'lesson', id, created_at, created_at, 1,
    CASE WHEN open THEN NULL ELSE updated_at END, CASE WHEN open THEN 'Mux did not answer' END
  FROM (SELECT *, n % {unkept} = 0 AS open
        FROM (SELECT id, created_at, updated_at, row_number() OVER () AS n FROM lessons WHERE price_cents = 700) l) d;
INSERT INTO batches (action, target_type, status, total, done, reason, created_at)
  SELECT 'publish', 'lesson', 'done', 10, 10, 'asked', now() - make_interval(mins => n) FROM generate_series(1, {courses}) n;
"""


def statements(lessons: int) -> list[str]:
    """Everything, in the order in which it can be written."""
    script = PEOPLE + COURSES + LESSONS + UPLOADS + EVENTS + AUDIT + OTHERS
    filled = script.format(
        lessons=lessons,
        teachers=max(20, lessons // 500),
        full_courses=max(10, lessons // 50),
        courses=max(1100, lessons // 50),
        rare=max(2, lessons // 60),
        temporary=max(100, lessons // 60),
        waits=max(100, lessons // 70),
        unkept=max(1, lessons // 2400),
        odd=min(700, max(5, lessons // 100)),
        words="ARRAY[" + ", ".join(f"'{word}'" for word in WORDS) + "]",
        rare_word=RARE_WORD,
        years=YEARS,
    )
    return [one for one in filled.split(";\n") if one.strip()]
