-- What 0033 adds to lessons: the key of the client that made one.
UPDATE lessons SET client_key = id;
