"""A school on servers of its own: what the soak, the battery of faults and the flows begin and end with.

PostgreSQL is as careful as in production. Impatient settings take the place of the default ones: a sweep every two seconds, and Mux is asked
after five seconds of silence instead of sixty. Some webhooks are doubled, shuffled and lost all the time.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.endurance import faults, verdict
from bench.endurance.faults import Struck
from bench.endurance.school import School
from bench.endurance.verdict import Facts, Verdict
from tests.flows.instructor import PASSWORD, Instructor
from tests.flows.processes import Stack

SETTINGS = {
    "SWEEP_EVERY_SECONDS": "2",
    "RECHECK_AFTER_SECONDS": "5",
    "UPLOADS_PER_HOUR": "1000000",
    "TRASH_DAYS": "0",  # what is deleted must be gone within a run, at Mux too
}
LESSONS_AN_HOUR = 250  # of one instructor; the product refuses more than 300
PROMISED_SECONDS = 120.0
MAX_ANSWER_SECONDS = 2.0


@dataclass
class Trial:
    """One run: its stack, its load, and the faults that have struck."""

    stack: Stack
    school: School
    faults: list[Struck] = field(default_factory=list)

    def strike(self, *names: str, seconds: float | None = None) -> Struck:
        self.faults.append(faults.strike(self.stack, *names, seconds=seconds))
        return self.faults[-1]

    def verdict(self, *, seconds: float = PROMISED_SECONDS) -> tuple[Verdict, Facts]:
        """After the end of all faults: no new lesson, and what is promised has this time."""
        self.school.end_of_lessons(seconds=seconds)
        return verdict.wait_until_right(self.stack, self.school.journal, seconds=seconds)

    def answers(self, kind: str) -> list[float]:
        """How long each answer of the watch took, while no fault held web itself."""
        held = [(one.began, one.ended + 5) for one in self.faults if one.holds_web]
        return [
            one.seconds
            for one in self.school.samples
            if one.kind == kind and not any(began - one.seconds <= one.at <= ended for began, ended in held)
        ]


def hire(stack: Stack, count: int) -> list[Instructor]:
    def one(number: int) -> Instructor:
        email = f"instructor{number}@school.example"
        stack.flask("users", "create", email, "--role", "instructor", "--password", PASSWORD)
        return Instructor(stack, email, stack.flask("users", "token", email).splitlines()[-1])

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, range(count)))


def troubled_webhooks(stack: Stack) -> None:
    """Some come twice, some out of order, some never."""
    stack.mux.fault("webhook", "drop", share=0.05)
    stack.mux.fault("webhook", "duplicate", share=0.1, copies=2)
    stack.mux.fault("webhook", "shuffle", share=0.2, window=4, max_wait=1.0)


@contextmanager
def running(*, seed: int, seconds: float, lessons_a_second: float, disk: bool = False) -> Iterator[Trial]:
    """The school at work; `seconds` says for how long about. `disk`: the counters get a disk of their own, that can be full."""
    stack = Stack(**SETTINGS)
    unmount = faults.small_disk_for_metrics(stack) if disk else None
    try:
        stack.begin()
        instructors = hire(stack, 1 + int(seconds * lessons_a_second / LESSONS_AN_HOUR))
        troubled_webhooks(stack)
        school = School(stack, instructors, seed=seed, lessons_a_second=lessons_a_second)
        try:
            school.begin()
            yield Trial(stack, school)
        finally:
            school.end()
    finally:
        if unmount is not None:
            unmount()
        stack.end()
