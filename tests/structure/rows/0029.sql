-- What 0029 adds to lessons and courses: a picture that was chosen, of the video that plays and of one that was replaced.
UPDATE lessons SET picture_seconds = 12.5, picture_asset_id = coalesce(mux_asset_id, 'gone');
UPDATE courses SET picture_seconds = 0, picture_asset_id = 'gone';
