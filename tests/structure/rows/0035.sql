-- What 0035 adds: captions that a person has read.
UPDATE caption_tracks SET checked_at = '2026-11-30 12:00:00+00', checked_by = md5('support')::uuid WHERE state = 'ready';
