-- What 0027 adds to lessons and notices: one that waits for its time, one that is taken back, and a notice about a time.
UPDATE lessons SET publish_not_before = clock_timestamp() + interval '1 day', unpublish_at = clock_timestamp() + interval '2 days',
  publication_warned_at = clock_timestamp() WHERE status = 'draft';
UPDATE lessons SET unpublish_at = clock_timestamp() + interval '3 days' WHERE status = 'published';
INSERT INTO notifications (user_id, kind, lesson_id, message, cause)
SELECT creator_id, 'publication_time', id, 'It may be late.', 'publication_at_risk' FROM lessons LIMIT 1;
