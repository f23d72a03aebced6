"""An instructor, over HTTP: calls with a bearer token, buttons of pages in a browser, and what she sees."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from tests.contract.callers import Browser
from tests.flows.processes import Stack, request, wait_for

PASSWORD = "a good long password"


@dataclass
class Instructor:
    role: ClassVar[str] = "instructor"

    stack: Stack
    email: str
    token: str
    _browser: Browser | None = field(default=None, repr=False)

    @classmethod
    def hired(cls, stack: Stack) -> Self:
        email = f"{cls.role}@school.example"
        stack.flask("users", "create", email, "--role", cls.role, "--password", PASSWORD)
        return cls(stack, email, stack.flask("users", "token", email).splitlines()[-1])

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = request(method, self.stack.url + path, body, headers=headers)
        return answer.status, answer.body

    def press(self, path: str) -> int:
        """A button of a page, without the page; how it was answered."""
        return self.browser().post(path, []).status

    def browser(self) -> Browser:
        """Signed in when first asked for: no page takes a token."""
        if self._browser is None:
            self._browser = Browser(self.stack.url)
            assert self._browser.sign_in(self.email, PASSWORD).status == 302
        return self._browser

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
        return int(self.stack.database.one(query, lesson_id))
