-- What 0039 adds: what is said in a video.
INSERT INTO transcripts (track_id, lesson_id, mux_asset_id, is_own, language, lines, words)
  SELECT caption_tracks.id, lesson_id, 'asset', false, 'en', '[[0, "Good morning."]]', 'good morning'
    FROM caption_tracks JOIN mux_asset_tracking ON mux_asset_tracking.id = tracking_id WHERE lesson_id IS NOT NULL;
UPDATE caption_tracks SET transcribed_at = '2026-11-30 12:00:00+00';
