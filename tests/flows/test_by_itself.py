"""What goes on by itself, in real processes and with no button touched: bulk actions after every fault, notices to students, and looks at
uploads by the workers, or by the clock when there is no worker to hand them to."""

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil
import pytest
import redis

from tests.flows.instructor import Instructor
from tests.flows.processes import Stack, wait_for
from tests.flows.student import Student, make_course, make_lesson
from tests.flows.support import Support, lost, ready_drafts

# the worker gets more time for a look than one beat of the clock
SETTINGS = {"SWEEP_EVERY_SECONDS": "1", "RECHECK_AFTER_SECONDS": "4", "UPLOADS_PER_HOUR": "1000000"}
MANY = 25  # more than are done while a person waits
PROMISED = 120.0  # seconds after the fault

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def support(running: Stack, instructor: Instructor) -> Support:
    return Support.hired(running)


@pytest.fixture(autouse=True)
def budget(stack: Stack) -> None:
    full_budget(stack)


def full_budget(stack: Stack) -> None:
    stack.database.rows("DELETE FROM mux_budget")


def no_pages(stack: Stack) -> None:
    """Each row must be asked about by itself."""
    stack.mux.fault("api", "status", match={"operation": "list_assets"}, status=500)


# Bulk actions


@dataclass
class Accident:
    """A worker was killed in the middle of `ask_now`, Redis was emptied while `waiting` was in line, and two rows of
    `put_back` were to be asked about later. Each has its lessons, and whether it was done in time."""

    support: Support
    asking: tuple[str, list[str]]
    waiting: tuple[str, list[str]]
    put_back: tuple[str, list[str]]

    def check(self, which: tuple[str, list[str]]) -> None:
        self.support.check_each_once(*which)


@pytest.fixture(scope="module")
def accident(running: Stack, support: Support) -> Accident:
    """All at once, since each takes its time to be found out; what is not done in time is left as it is."""
    stack = running
    stack.begin()
    full_budget(stack)
    no_pages(stack)
    slow = stack.mux.fault("api", "slow", match={"operation": "get_asset"}, seconds=0.3)
    lessons = lost(stack, MANY)
    asking = (support.begin("recheck", lessons), lessons)
    wait_for(lambda: support.figures(asking[0])["done"] >= 5, seconds=40, what="the first rows")
    stack.kill("worker")
    assert 5 <= support.figures(asking[0])["done"] < MANY, "killed in the middle"
    stack.mux.remove_fault(slow)
    killed_at = time.monotonic()

    lessons = ready_drafts(stack, MANY)
    waiting = (support.begin("publish", lessons), lessons)
    with redis.Redis.from_url(stack.redis.url()) as connection:
        assert connection.llen("rq:queue:bulk") == 1
        connection.flushall()

    stack.start("worker")
    full_budget(stack)
    stack.mux.fault("api", "status", match={"operation": "get_asset"}, times=2, status=503)
    lessons = lost(stack, MANY)
    put_back = (support.begin("recheck", lessons), lessons)

    for batch_id, _ in (asking, waiting, put_back):
        with suppress(AssertionError):
            left = killed_at + PROMISED - time.monotonic()
            support.waits_for_the_end(batch_id, seconds=max(0.0, left))
    stack.mux.clear_faults()
    return Accident(support, asking, waiting, put_back)


def test_a_bulk_action_goes_on_after_its_worker_was_killed(accident: Accident) -> None:
    accident.check(accident.asking)


def test_a_bulk_action_goes_on_after_redis_was_emptied(accident: Accident) -> None:
    accident.check(accident.waiting)


def test_rows_that_mux_did_not_answer_for_are_asked_about_later(accident: Accident) -> None:
    accident.check(accident.put_back)
    query = "SELECT count(*) FROM batch_items WHERE batch_id = %s AND attempts > 1"
    assert accident.support.stack.database.one(query, accident.put_back[0]) == 2


def test_a_bulk_action_goes_on_when_its_slice_ends_while_it_waits_for_the_budget(
    stack: Stack, support: Support
) -> None:
    lessons = lost(stack, MANY)
    stack.database.rows("INSERT INTO mux_budget (name, tokens) VALUES ('background', 0)")
    no_pages(stack)
    began = time.monotonic()
    batch_id = support.begin("recheck", lessons)
    support.waits_for_the_end(batch_id, seconds=PROMISED)
    assert time.monotonic() - began > 20, "longer than one slice"
    support.check_each_once(batch_id, lessons)


def test_a_bulk_action_goes_on_when_a_pause_that_mux_asked_for_is_over(
    stack: Stack, support: Support
) -> None:
    lessons = lost(stack, MANY)
    no_pages(stack)
    stack.mux.fault("api", "rate_limited", match={"operation": "get_asset"}, skip=5, times=1, retry_after=8)
    batch_id = support.begin("recheck", lessons)
    paused = "SELECT 1 FROM mux_budget WHERE paused_until > now()"
    wait_for(lambda: stack.database.rows(paused), seconds=30, what="the pause")
    lease = "SELECT 1 FROM heartbeats WHERE name = %s"
    wait_for(
        lambda: not stack.database.rows(lease, f"batch:{batch_id}"), seconds=8, what="the end of the lease"
    )
    assert 0 < support.figures(batch_id)["done"] < MANY
    support.waits_for_the_end(batch_id, seconds=PROMISED)
    support.check_each_once(batch_id, lessons)


def test_a_bulk_action_begun_without_redis_goes_on_when_redis_is_back(stack: Stack, support: Support) -> None:
    stack.stop("clock")
    stack.kill_redis()
    lessons = ready_drafts(stack, MANY)
    batch_id = support.begin("publish", lessons)
    assert support.figures(batch_id)["status"] == "open"
    stack.start_redis()
    stack.start("clock")
    support.waits_for_the_end(batch_id, seconds=PROMISED)
    support.check_each_once(batch_id, lessons)


def test_without_redis_the_clock_carries_a_bulk_action_out_itself(stack: Stack, support: Support) -> None:
    stack.kill_redis()
    lessons = ready_drafts(stack, MANY)
    batch_id = support.begin("publish", lessons)
    support.waits_for_the_end(batch_id, seconds=PROMISED)
    support.check_each_once(batch_id, lessons)


# Looks at uploads whose webhooks are lost


def asking_mux(stack: Stack, name: str) -> list[int]:
    """The processes under this one of the Procfile's that are connected to Mux right now."""
    head = psutil.Process(stack.processes[name].pid)
    found = []
    for process in [head, *head.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            to = [one.raddr.port for one in process.net_connections("tcp") if one.raddr]
            if stack.mux_port in to:
                found.append(process.pid)
    return found


def published_without_a_webhook(stack: Stack, instructor: Instructor) -> str:
    """A lesson whose file is in, and no webhook tells it."""
    stack.mux.fault("webhook", "drop")
    lesson = instructor.lesson()
    stack.mux.complete_upload(instructor.upload(lesson))
    return lesson


def test_a_lost_webhook_is_found_by_a_worker(stack: Stack, instructor: Instructor) -> None:
    stack.stop("clock")
    stack.start("clock")  # a new one, with no connection to Mux from before
    slow = stack.mux.fault("api", "slow", match={"operation": "get_upload"}, seconds=2)
    calls = len(stack.mux.calls(target="api"))
    lesson = published_without_a_webhook(stack, instructor)

    def struck() -> bool:
        return any(one["id"] == slow and one["struck"] for one in stack.mux.state()["faults"])

    wait_for(struck, seconds=60, what="the look")
    assert (asking_mux(stack, "worker") != [], asking_mux(stack, "clock")) == (True, [])
    instructor.waits_for_publication(lesson, seconds=60)
    assert instructor.published_how_often(lesson) == 1
    gets = [one for one in stack.mux.calls(target="api")[calls:] if one["method"] == "GET"]
    assert [one["operation"] for one in gets] == ["get_upload", "get_asset"], "and by nobody else"


def test_without_a_worker_a_lost_webhook_is_found_by_the_clock(stack: Stack, instructor: Instructor) -> None:
    stack.kill("worker")
    lesson = published_without_a_webhook(stack, instructor)
    instructor.waits_for_publication(lesson, seconds=60)
    assert instructor.published_how_often(lesson) == 1


def test_without_redis_a_lost_webhook_is_found_by_the_clock(stack: Stack, instructor: Instructor) -> None:
    stack.kill_redis()
    lesson = published_without_a_webhook(stack, instructor)
    instructor.waits_for_publication(lesson, seconds=60)
    assert instructor.published_how_often(lesson) == 1


CROWD = 8000
TOLD = "SELECT count(*), count(DISTINCT user_id) FROM notifications WHERE kind = 'course_new_lesson' AND course_id = %s"
HALF = "SELECT told_up_to IS NOT NULL FROM announcements WHERE course_id = %s"


def test_a_publication_is_told_to_each_student_once_also_by_a_worker_that_is_killed(
    stack: Stack, instructor: Instructor
) -> None:
    student = Student.hired(stack)
    small, large = make_course(instructor, "Small"), make_course(instructor, "Large")
    student.buys(make_lesson(instructor, small, "Bought"))
    stack.mux.complete_upload(instructor.upload(make_lesson(instructor, small, "Edges")))
    wait_for(lambda: student.is_told("“Small” has a new lesson: “Edges”."), seconds=15, what="the notice")

    student.buys(make_lesson(instructor, large, "Bought"), crowd=CROWD)
    stack.mux.complete_upload(instructor.upload(make_lesson(instructor, large, "Skies")))
    wait_for(lambda: stack.database.rows(HALF, large) == [(True,)], seconds=20, what="the first batch")
    stack.kill("worker")
    told, students = stack.database.rows(TOLD, large)[0]
    assert 0 < told == students < CROWD, "killed in the middle, or this proves nothing"
    stack.start("worker")
    whole = [(CROWD + 1, CROWD + 1)]
    wait_for(lambda: stack.database.rows(TOLD, large) == whole, seconds=60, what="the rest")
    assert student.is_told("“Large” has a new lesson: “Skies”.")
    wait_for(lambda: stack.database.rows(HALF, large) == [], seconds=10, what="the end of the announcement")
