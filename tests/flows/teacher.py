"""Somebody who teaches, over HTTP with a bearer token, and what she sees of her lessons."""

from dataclasses import dataclass
from typing import Any

from tests.contract.callers import send
from tests.flows.processes import House, request, wait_for

FORM = "application/x-www-form-urlencoded"


@dataclass
class Teacher:
    house: House
    token: str

    @classmethod
    def hired(cls, house: House) -> "Teacher":
        house.flask("users", "create", "teacher@school.example", "--role", "instructor")
        return cls(house, house.flask("users", "token", "teacher@school.example").splitlines()[-1])

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = request(method, self.house.url + path, body, headers=headers)
        return answer.status, answer.body

    def press(self, path: str) -> int:
        """A button of a page, without the page; how it was answered."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": FORM}
        return send(self.house.url, "POST", path, body=b"", headers=headers).status

    def lesson(self, title: str = "A lesson") -> str:
        status, made = self.ask("POST", "/api/lessons", {"title": title})
        assert status == 201, made
        return str(made["id"])

    def upload(self, lesson_id: str) -> str:
        """An upload URL; the upload's id."""
        wanted = {"lesson_id": lesson_id, "filename": "talk.mp4", "size": 1000}
        status, ticket = self.ask("POST", "/api/mux/upload-url", wanted)
        assert status == 201, ticket
        return str(ticket["upload_id"])

    def sees(self, lesson_id: str) -> dict[str, Any]:
        status, lesson = self.ask("GET", f"/api/lessons/{lesson_id}")
        return lesson if status == 200 else {"status": None, "video": {"status": None}}

    def is_published(self, lesson_id: str) -> bool:
        return bool(self.sees(lesson_id)["status"] == "published")

    def waits_for_publication(self, lesson_id: str, *, seconds: float) -> dict[str, Any]:
        wait_for(lambda: self.is_published(lesson_id), seconds=seconds, what="the publication")
        return self.sees(lesson_id)

    def published_how_often(self, lesson_id: str) -> int:
        query = "SELECT count(*) FROM audit_log WHERE target_id = %s AND action = 'lesson.published'"
        return int(self.house.database.one(query, lesson_id))
