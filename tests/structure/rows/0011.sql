-- A webhook that waits to be applied.
INSERT INTO waiting_events (mux_event_id, secret_hint, body)
  VALUES ('waits', 'abcd', '{"id": "waits", "type": "video.asset.ready"}');
