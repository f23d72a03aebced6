-- What 0042 adds: a course whose picture is that of a lesson.
UPDATE courses SET cover_lesson_id = (SELECT lessons.id FROM lessons WHERE lessons.course_id = courses.id LIMIT 1);
