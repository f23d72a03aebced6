-- What 0031 adds: what was watched of a lesson, a day that is counted, one that is asked for, and one that failed.
INSERT INTO lesson_views (lesson_id, day, mux_asset_id, seconds, plays) SELECT id, '2026-11-20', 'watched', 61.5, 3 FROM lessons;
INSERT INTO counted_days (what, day, next_page, counted_at, failed_at, failure) VALUES
  ('minutes', '2026-11-20', NULL, clock_timestamp(), NULL, NULL), ('minutes', '2026-11-19', 7, NULL, NULL, NULL),
  ('plays', '2026-11-20', 1, NULL, clock_timestamp(), 'auth_error');
