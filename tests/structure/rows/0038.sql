-- What 0038 adds: when an upload was last gone on with.
UPDATE mux_asset_tracking SET resumed_at = '2026-11-30 12:00:00+00' WHERE status = 'uploading';
