"""The load: instructors who save lessons, send files and do something with them later, readers, and a watch over two answers.

Everything goes over HTTP to the running product. An instructor does what a person or a script does: what was not answered, or answered
with 429 or 503, is asked again. Nothing in here decides whether the product did well.
"""

import random
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from bench.endurance.journal import Journal, Step, Story
from muxsim.client import ControlError
from tests.contract.callers import Hook
from tests.flows.instructor import Instructor
from tests.flows.processes import SECRET, Answer, Stack, request

ANSWER_SECONDS = 6.0  # for one answer
LOOK_EVERY_SECONDS = 0.4
WATCH_EVERY_SECONDS = 0.25
MAX_OPEN = 60  # an instructor begins nothing new while so many lessons wait
AGAIN = frozenset({0, 429, 502, 503, 504})


@dataclass(frozen=True)
class Sample:
    """One answer of the watch; status 0 for none."""

    kind: str
    at: float
    seconds: float
    status: int


class School:
    """All who work at the same time. `begin`, then `end_of_lessons`, then `end`."""

    def __init__(
        self, stack: Stack, instructors: list[Instructor], *, seed: int, lessons_a_second: float
    ) -> None:
        self.stack = stack
        self.journal = Journal()
        self.samples: list[Sample] = []
        self.saving = threading.Event()
        self.ended = threading.Event()
        pace = len(instructors) / lessons_a_second
        self._instructors = [
            Teaching(self, one, random.Random(f"{seed} {number}"), pace)
            for number, one in enumerate(instructors)
        ]
        watches = [threading.Thread(target=self._watch, args=one) for one in (("webhook",), ("healthz",))]
        readers = [threading.Thread(target=self._read, args=(instructors[0],))]
        self._threads: list[threading.Thread] = [*self._instructors, *watches, *readers]

    def begin(self) -> None:
        self.saving.set()
        for one in self._threads:
            one.start()

    def end_of_lessons(self, *, seconds: float) -> bool:
        """No new lesson; whether all plans were carried out in this time."""
        self.saving.clear()
        until = time.monotonic() + seconds
        while any(one.open for one in self._instructors) and time.monotonic() < until:
            time.sleep(0.1)
        return not any(one.open for one in self._instructors)

    def end(self) -> None:
        self.ended.set()
        for one in self._threads:
            if one.ident is not None:
                one.join(4 * ANSWER_SECONDS)

    def ask(self, who: Instructor, method: str, path: str, body: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {who.token}"}
        url = self.stack.url + path
        answer = request(method, url, body, headers=headers, timeout=ANSWER_SECONDS)
        if answer.status in AGAIN:
            self.journal.unanswered[f"{method} {answer.status}"] += 1
        return answer

    def refused(self, method: str, what: str, answer: Answer) -> None:
        """No fault excuses this answer."""
        if answer.status not in AGAIN:
            self.journal.refusals.append(f"{method} {what}: {answer.status} {answer.body!r}"[:300])

    def _read(self, who: Instructor) -> None:
        """A list and a page, again and again."""
        while not self.ended.wait(0.5):
            for path, wanted in (("/api/lessons", 200), ("/login", 200)):
                answer = self.ask(who, "GET", path)
                if answer.status != wanted:
                    self.refused("GET", path, answer)

    def _watch(self, kind: str) -> None:
        while not self.ended.wait(WATCH_EVERY_SECONDS):
            at, began = time.time(), time.monotonic()
            status = self._webhook() if kind == "webhook" else self._healthz()
            self.samples.append(Sample(kind, at, time.monotonic() - began, status))

    def _healthz(self) -> int:
        return request("GET", f"{self.stack.url}/healthz", timeout=ANSWER_SECONDS).status

    def _webhook(self) -> int:
        event_id = str(uuid.uuid4())
        try:
            answer = Hook(self.stack.url, SECRET).event("video.asset.unknown", {"id": event_id}, id=event_id)
        except OSError:
            return 0
        if answer.status == 204:
            self.journal.acknowledged.add(event_id)
        elif answer.status not in AGAIN:
            self.refused("POST", "a webhook", Answer(answer.status, answer.body))
        return answer.status


class Teaching(threading.Thread):
    """One instructor with all her lessons."""

    def __init__(self, school: School, who: Instructor, luck: random.Random, pace: float) -> None:
        super().__init__(name=f"lessons of {who.email}")
        self.open: list[Story] = []
        self._school, self._who, self._luck, self._pace = school, who, luck, pace

    def run(self) -> None:
        due = time.monotonic() + self._luck.random() * self._pace
        while not self._school.ended.is_set():
            if self._school.saving.is_set() and time.monotonic() >= due and len(self.open) < MAX_OPEN:
                due = max(time.monotonic(), due + self._pace)
                self._save()
            for story in [one for one in self.open if one.next_try <= time.monotonic()]:
                story.next_try = time.monotonic() + LOOK_EVERY_SECONDS
                self._go_on(story)
            self.open = [one for one in self.open if one.step is not Step.DONE]
            time.sleep(0.02)

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        return self._school.ask(self._who, method, path, body)

    def _save(self) -> None:
        title = f"Lesson {uuid.uuid4()}"  # a second try is a lesson of its own
        answer = self._ask("POST", "/api/lessons", {"title": title})
        if answer.status == 201:
            self.open.append(self._school.journal.save(str(answer.body["id"]), self._luck))
        else:
            self._school.refused("POST", "a lesson", answer)

    def _go_on(self, story: Story) -> None:
        {Step.URL: self._url, Step.FILE: self._file, Step.PUBLISHED: self._look, Step.ACT: self._act}[
            story.step
        ](story)
        if story.step in (Step.FILE, Step.ACT):
            story.next_try = 0.0

    def _url(self, story: Story) -> None:
        wanted = {"lesson_id": story.lesson_id, "filename": "talk.mp4", "size": 1000}
        answer = self._ask("POST", "/api/mux/upload-url", wanted)
        if answer.status == 201:
            story.upload_id, story.step = str(answer.body["upload_id"]), Step.FILE
        else:
            self._school.refused("POST", "an upload URL", answer)

    def _file(self, story: Story) -> None:
        """The bytes themselves have flows of their own; here it counts that Mux has them."""
        try:
            self._school.stack.mux.complete_upload(story.upload_id)
        except ControlError as error:
            if error.status != 409:  # it has them already: the answer before was lost
                raise
        except OSError:
            return  # Mux is away
        story.file_at, story.step = time.time(), Step.PUBLISHED

    def _look(self, story: Story) -> None:
        answer = self._ask("GET", f"/api/lessons/{story.lesson_id}")
        if answer.status != 200:
            self._school.refused("GET", "a lesson", answer)
        elif answer.body["status"] == "published":
            story.asset_id = str(answer.body["video"]["asset_id"])
            story.step = Step.DONE if story.fate == "publish" else Step.ACT

    def _act(self, story: Story) -> None:
        """A second try may find that the first was carried out."""
        method, path, body, good = {
            "unpublish": ("PATCH", f"/api/lessons/{story.lesson_id}", {"status": "draft"}, 200),
            "remove": ("DELETE", f"/api/mux/assets/{story.asset_id}", None, 202),
            "delete": ("DELETE", f"/api/lessons/{story.lesson_id}", None, 204),
        }[story.fate]
        was_tried, story.was_tried = story.was_tried, True
        answer = self._ask(method, path, body)
        if answer.status == good or (answer.status == 404 and was_tried and method == "DELETE"):
            story.asked_at, story.step = time.time(), Step.DONE
        else:
            self._school.refused(method, story.fate, answer)
