"""A school at work while things break that no other flow breaks: a short soak, with the controls of its comparison.

`bench/endurance/` is the load, the faults and the comparison; `bin/bench soak` and `bin/bench faults` run the same for longer.
"""

import random
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from http.client import HTTPConnection, HTTPException

import pytest

from bench.endurance import growth, trial, verdict
from bench.endurance.faults import DISK_FULL, may_mount
from bench.endurance.journal import Journal, Step, Story
from bench.endurance.trial import MAX_ANSWER_SECONDS, Trial
from bench.endurance.verdict import Facts, judge
from devstack.servers.for_tests import Servers

pytestmark = pytest.mark.timeout(150)

SECONDS = 3.0
NO_MOUNT = (
    f"left out, since this user may not mount: {DISK_FULL}; only tests/metrics/test_reserved_file.py shows it"
)
FAULTS = (
    ("PostgreSQL read-only", "Mux answers a byte a second"),
    ("PostgreSQL out of connections", "worker paused"),
    ("Redis paused", "clock paused"),
    ("PostgreSQL crashed", "Redis restarted empty", "Mux answers 500", "one process of web paused"),
)


@pytest.fixture(scope="module")
def school(real_servers: Servers) -> Iterator[Trial]:
    with trial.running(seed=1, seconds=90, lessons_a_second=2, disk=may_mount()) as found:
        yield found


@pytest.mark.filterwarnings("default:left out")
def test_nothing_is_lost_doubled_or_wrong_while_things_break(school: Trial) -> None:
    school.school.saving.set()
    time.sleep(3)
    first = growth.measure(school.stack, 1)
    if not may_mount():
        warnings.warn(NO_MOUNT, stacklevel=1)
    for names in (*FAULTS, (DISK_FULL,)) if may_mount() else FAULTS:
        school.strike(*names, seconds=SECONDS)
        time.sleep(1)
    found, facts = school.verdict(seconds=60)
    assert found.is_clean, str(found)
    journal = school.school.journal
    assert verdict.unfinished(journal) == 0
    assert len(journal.stories) > 20
    assert {one.fate for one in journal.stories} == {"publish", "unpublish", "remove", "delete"}
    assert len(facts.delivered) > 80
    assert sum(journal.unanswered.values()) > 5, "nothing was ever in the way: this proves nothing"
    assert max(school.answers("webhook")) < MAX_ANSWER_SECONDS
    assert max(school.answers("healthz")) < MAX_ANSWER_SECONDS
    last = growth.measure(school.stack, 1)
    assert growth.grown(first, last) == []


def test_a_deployment_under_load_fails_no_request_that_was_accepted(school: Trial) -> None:
    """Web, worker and clock are asked to end, and started anew. Until then connections are refused, and that is all."""
    school.school.saving.set()
    stack, broken, answered = school.stack, [], set()
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            connection = HTTPConnection("127.0.0.1", stack.port, timeout=15)
            try:
                connection.request("GET", "/login")
                answered.add(connection.getresponse().status)
            except ConnectionRefusedError:
                continue
            except (OSError, HTTPException) as error:
                broken.append(repr(error))
            finally:
                connection.close()
                time.sleep(0.01)

    asking = [threading.Thread(target=ask) for _ in range(6)]
    for one in asking:
        one.start()
    time.sleep(1)
    school.strike("deployment by SIGTERM")
    ended.set()
    for one in asking:
        one.join(20)
    assert (broken, answered) == ([], {200})
    found, _ = school.verdict(seconds=60)
    assert found.is_clean, str(found)


def test_the_control_without_the_clocks_repair_lost_webhooks_are_lost_lessons(school: Trial) -> None:
    stack = school.stack
    usual = stack.environment["SWEEP_EVERY_SECONDS"]
    lost = stack.mux.fault("webhook", "drop")
    try:
        stack.stop("clock")
        stack.environment["SWEEP_EVERY_SECONDS"] = "3600"
        stack.start("clock")
        time.sleep(2)  # the sweep of its start
        school.school.saving.set()
        time.sleep(3)
        found, _ = school.verdict(seconds=3)
        assert len(found.lost) > 2, str(found)
        kinds = {one.partition(" ")[0] for one in found.lost}
        assert "publication" in kinds
        assert kinds <= {"publication", "deletion"}, "the trash is emptied by the clock, too"
    finally:
        stack.mux.remove_fault(lost)
        stack.stop("clock")
        stack.environment["SWEEP_EVERY_SECONDS"] = usual
        stack.start("clock")
    found, _ = school.verdict(seconds=60)
    assert found.is_clean, str(found)


# What the comparison sees, without processes


def a_whole_school() -> tuple[Journal, Facts]:
    """Lessons of each kind, and everything as it must be."""
    journal, facts = Journal(), Facts()
    for number, fate in enumerate(("publish", "unpublish", "remove", "delete")):
        lesson, asset = f"lesson{number}", f"asset{number}"
        journal.stories.append(
            Story(lesson, fate, Step.DONE, asset_id=asset, file_at=1.0, was_tried=True, asked_at=2.0)
        )  # type: ignore[arg-type]
        facts.actions["lesson.published", lesson] = 1
        facts.notices[lesson] = 1
        facts.stored[f"event{number}"] = 1
        facts.delivered.add(f"event{number}")
    journal.acknowledged = {"event0"}
    facts.lessons = {
        "lesson0": ("published", "ready"),
        "lesson1": ("draft", "ready"),
        "lesson2": ("draft", "none"),
    }
    facts.assets = {"asset0", "asset1"}
    facts.deletions.update(["asset2", "asset3"])
    return journal, facts


def test_what_is_as_it_must_be_is_clean() -> None:
    assert judge(*a_whole_school()).is_clean


@pytest.mark.parametrize(
    ("kind", "plant"),
    [
        ("lost", lambda facts: facts.stored.pop("event1")),
        ("lost", lambda facts: facts.stored.pop("event0")),
        ("lost", lambda facts: facts.lessons.pop("lesson0")),
        ("lost", lambda facts: (facts.actions.clear(), facts.lessons.update(lesson0=("draft", "uploading")))),
        ("lost", lambda facts: facts.assets.add("asset2")),
        ("lost", lambda facts: facts.assets.add("asset3")),
        ("lost", lambda facts: facts.lessons.update(lesson3=("published", "ready"))),
        ("doubled", lambda facts: facts.stored.update(["event0"])),
        ("doubled", lambda facts: facts.actions.update([("lesson.published", "lesson0")])),
        ("doubled", lambda facts: facts.actions.update([("lesson.unpublished", "lesson1")] * 2)),
        ("doubled", lambda facts: facts.notices.update(["lesson0"])),
        ("doubled", lambda facts: facts.deletions.update(["asset2"])),
        ("wrong", lambda facts: facts.lessons.update(lesson1=("published", "ready"))),
        ("wrong", lambda facts: facts.lessons.update(lesson0=("draft", "ready"))),
        ("wrong", lambda facts: facts.lessons.update(lesson0=("published", "error"))),
        ("wrong", lambda facts: facts.lessons.update(lesson2=("draft", "ready"))),
        ("wrong", lambda facts: facts.assets.discard("asset0")),
        ("wrong", lambda facts: facts.not_applied.add("event0")),
    ],
)  # fmt: skip
def test_what_is_planted_is_found(kind: str, plant: Callable[[Facts], object]) -> None:
    journal, facts = a_whole_school()
    plant(facts)
    found = judge(journal, facts)
    assert [name for name in ("lost", "doubled", "wrong") if getattr(found, name)] == [kind]


def test_an_answer_that_no_fault_excuses_is_wrong() -> None:
    journal, facts = a_whole_school()
    journal.refusals.append("GET a lesson: 500")
    assert judge(journal, facts).wrong == ["GET a lesson: 500"]


def test_what_grows_is_found() -> None:
    first = {"keys in Redis": growth.Size("keys", 10), "web: memory": growth.Size("MB", 100)}
    assert growth.grown(first, deepcopy(first)) == []
    assert (
        len(growth.grown(first, {name: growth.Size(one.unit, 10 * one.value) for name, one in first.items()}))
        == 2
    )


def test_every_kind_of_plan_is_drawn() -> None:
    journal, luck = Journal(), random.Random(1)
    for number in range(100):
        journal.save(str(number), luck)
    assert {one.fate for one in journal.stories} == {"publish", "unpublish", "remove", "delete"}
