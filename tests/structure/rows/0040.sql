-- What 0040 adds: two sections of each course, the lessons of the course in the second.
INSERT INTO course_sections (course_id, title, position) SELECT id, 'Basics', 1 FROM courses;
INSERT INTO course_sections (course_id, title, position) SELECT id, 'Practice', 2 FROM courses;
UPDATE lessons SET section_id = s.id FROM course_sections s WHERE s.course_id = lessons.course_id AND s.title = 'Practice';
