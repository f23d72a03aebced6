"""Students, over HTTP: what they bought, and what they are told."""

from tests.flows.instructor import Instructor

BUYERS = """WITH made AS (
  INSERT INTO users (email, name, role, password_hash)
  SELECT 'crowd' || n || '@school.example', 'Crowd', 'student', 'none' FROM generate_series(1, %s) n RETURNING id)
INSERT INTO purchases (lesson_id, user_id, owner_id, price_cents)
SELECT l.id, b.id, l.creator_id, 900 FROM lessons l, (SELECT id FROM made UNION ALL SELECT id FROM users WHERE email = %s) b
 WHERE l.id = %s"""


class Student(Instructor):
    role = "student"

    def is_told(self, words: str) -> bool:
        return words in self.browser().get("/notifications").text

    def buys(self, lesson: str, *, crowd: int = 0) -> None:
        """`crowd`: as many others do so, too."""
        self.stack.database.rows(BUYERS, crowd, self.email, lesson)


def make_course(instructor: Instructor, title: str) -> str:
    status, made = instructor.ask("POST", "/api/courses", {"title": title})
    assert status == 201, made
    return str(made["id"])


def make_lesson(instructor: Instructor, course: str, title: str) -> str:
    status, made = instructor.ask("POST", "/api/lessons", {"title": title, "course_id": course})
    assert status == 201, made
    return str(made["id"])
