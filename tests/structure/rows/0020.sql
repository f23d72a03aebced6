-- One row of the table that 0020 makes.
INSERT INTO saved_filters (user_id, list_slug, name, query)
SELECT id, 'lesson', 'Published and stuck', 'flt0_state_is=published&flt1_stuck_is=yes' FROM users ORDER BY id LIMIT 1;
