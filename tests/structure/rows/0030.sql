-- What 0030 adds: captions of two uploads, one of them with a track that was deleted.
UPDATE mux_asset_tracking SET captions = 'none' WHERE status <> 'ready';
UPDATE mux_asset_tracking SET captions = 'ready', captions_language = 'de' WHERE status = 'ready';
INSERT INTO caption_tracks (id, tracking_id, mux_track_id, source, state, language, label, error)
SELECT md5('track of ' || id::text)::uuid, id, 'track of ' || id, 'generated', 'ready', 'de', 'German', NULL
FROM mux_asset_tracking WHERE status = 'ready';
INSERT INTO caption_tracks (id, tracking_id, mux_track_id, source, state, language, label, error)
SELECT md5('deleted track of ' || id::text)::uuid, id, 'gone', 'own', 'deleted', NULL, NULL, 'Deleted at Mux.'
FROM mux_asset_tracking LIMIT 1;
