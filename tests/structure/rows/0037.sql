-- What 0037 adds: captions of one's own that take the place of those that Mux made.
UPDATE caption_tracks SET webvtt = 'WEBVTT', warning = 'Look at line 1.', replaces_id = id;
