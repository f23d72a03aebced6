-- What 0043 adds: the language of a course.
UPDATE courses SET language = 'de';
