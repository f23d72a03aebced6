-- What 0036 adds: a file in PostgreSQL, one in the file store, one that is removed, and one that has not arrived whole.
INSERT INTO lesson_files (lesson_id, name, size, finished_at) SELECT id, 'recipe.pdf', 3, now() FROM lessons;
INSERT INTO lesson_file_parts (file_id, number, data) SELECT id, 0, 'abc'::bytea FROM lesson_files;
INSERT INTO lesson_files (lesson_id, name, size, finished_at, in_store) SELECT id, 'far.pdf', 3, now(), true FROM lessons;
INSERT INTO lesson_files (lesson_id, name, size, finished_at, removed_at) SELECT id, 'old.pdf', 3, now(), now() FROM lessons;
INSERT INTO lesson_files (lesson_id, name, size) SELECT id, 'half.pdf', 3 FROM lessons;
