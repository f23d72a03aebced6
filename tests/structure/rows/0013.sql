UPDATE mux_asset_tracking SET last_answer = 'upload_waiting', last_answer_at = '2026-01-02 03:04:05+00' WHERE id = (SELECT id FROM mux_asset_tracking LIMIT 1);
