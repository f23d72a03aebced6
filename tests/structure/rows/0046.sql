-- What 0046 adds: sums of a span and over all time, and a lesson and a day that have some.
INSERT INTO kept_sums (span, first_day) VALUES ('30', '2026-11-01'), ('all', NULL);
INSERT INTO lesson_sums (lesson_id, span, seconds, plays, views) SELECT lesson_id, 'all', sum(seconds::numeric), sum(plays), count(*) FROM lesson_views GROUP BY lesson_id;
INSERT INTO day_sums (day, seconds, plays, views) SELECT day, sum(seconds::numeric), sum(plays), count(*) FROM lesson_views GROUP BY day;
