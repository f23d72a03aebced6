"""Section 6: bulk actions as Flask-Admin's own form posts them, and what staff may edit."""

import re
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.contract.callers import Answer, Browser, Caller
from tests.contract.stack import Stack
from tests.contract.test_lessons import ready_lesson

Act = Callable[..., Answer]


@pytest.fixture(scope="module")
def panel(stack: Stack) -> Browser:
    return stack.browser("support")


@pytest.fixture
def act(panel: Browser) -> Act:
    """One post of a list's action form."""

    def post(page: str, action: str, *rows: str, **more: str) -> Answer:
        form = [("action", action), *(("rowid", row) for row in rows), *more.items()]
        answer = panel.post(f"/admin/{page}/action/", form)
        assert answer.status in (200, 302, 303), f"{answer.status}: {answer.text[:400]}"
        return answer

    return post


def test_publish_and_unpublish(stack: Stack, instructor: Caller, act: Act) -> None:
    ready, _ = ready_lesson(stack, instructor, status="draft")
    second, _ = ready_lesson(stack, instructor, status="draft")
    act("lesson", "publish", ready, second)
    assert [instructor.seen(one)["status"] for one in (ready, second)] == ["published"] * 2
    act("lesson", "unpublish", ready)
    lesson = instructor.seen(ready)
    assert (lesson["status"], lesson["publish_on_ready"]) == ("draft", False)
    rows = stack.sql(
        "SELECT actor_id FROM audit_log WHERE target_id = %s AND action = 'lesson.unpublished'", ready
    )
    assert [str(row["actor_id"]) for row in rows] == [stack.who("support").id]


def test_republish_takes_over_the_truth(stack: Stack, instructor: Caller, act: Act) -> None:
    asset = stack.mux.asset("ready")
    lesson_id = stack.lesson_row(
        mux_asset_id=asset["id"], mux_playback_id="P-wrong", video_processing_status="processing"
    )
    act("lesson", "republish", lesson_id)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["playback_id"]) == ("published", asset["playback_ids"][0]["id"])


def test_recheck(stack: Stack, instructor: Caller, act: Act) -> None:
    lesson_id, course_id, third = (
        instructor.lesson()["id"],
        instructor.course()["id"],
        instructor.lesson()["id"],
    )
    for owner in ({"lesson_id": lesson_id}, {"course_id": course_id}, {"lesson_id": third}):
        stack.mux.asset_of(instructor.upload(**owner)["upload_id"], "ready")
    act("lesson", "recheck", lesson_id)
    assert instructor.seen(lesson_id)["status"] == "published"
    act("course", "recheck", course_id)
    assert instructor.get(f"/api/courses/{course_id}").json["video"]["status"] == "ready"
    act("tracking", "recheck", str(stack.tracking(third)[0]["id"]))
    assert instructor.seen(third)["status"] == "published"


def test_clear_asset(stack: Stack, instructor: Caller, act: Act) -> None:
    lesson_id, asset = ready_lesson(stack, instructor)
    other, second = ready_lesson(stack, instructor)
    course_id = instructor.course()["id"]
    preview = stack.mux.asset_of(instructor.upload(course_id=course_id)["upload_id"], "ready")
    stack.hook.asset("ready", preview).expect(204)
    act("lesson", "clear_asset", lesson_id)
    act("course", "clear_asset", course_id)
    act("tracking", "clear_asset", str(stack.tracking(other)[0]["id"]))
    for one in (lesson_id, other):
        lesson = instructor.seen(one)
        assert (lesson["status"], lesson["video"]["asset_id"]) == ("draft", None)
    for gone in (asset, second, preview):
        stack.until(
            lambda found=gone["id"]: stack.sql("SELECT 1 FROM asset_deletions WHERE mux_asset_id = %s", found)
        )
    stack.until(lambda: asset["id"] not in stack.mux.assets)


def test_replay(stack: Stack, instructor: Caller, act: Act) -> None:
    lesson_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
    asset = stack.mux.asset("ready", passthrough=f'{{"lesson_id": "{lesson_id}"}}')
    stack.hook.asset("ready", asset, id=event_id).expect(204)
    stack.lesson_row(id=lesson_id)
    row = stack.one("SELECT id FROM mux_events WHERE mux_event_id = %s", event_id)
    act("event", "replay", str(row["id"]))
    assert instructor.seen(lesson_id)["status"] == "published"
    assert (
        stack.one("SELECT outcome FROM mux_events WHERE mux_event_id = %s", event_id)["outcome"] == "applied"
    )


def test_more_than_twenty_run_as_a_batch(stack: Stack, act: Act, panel: Browser) -> None:
    lessons = [
        stack.lesson_row(
            mux_asset_id=f"A{uuid.uuid4().hex}",
            mux_playback_id="P1",
            video_processing_status="ready",
            publish_on_ready=False,
        )
        for _ in range(23)
    ]
    answer = act("lesson", "publish", *lessons)
    path = urlsplit(answer.headers["Location"])
    assert path.path.startswith("/admin/batch/")
    batch_id = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["Location"])
    assert batch_id
    batch = stack.until(
        lambda: next(
            iter(stack.sql("SELECT * FROM batches WHERE id = %s AND status = 'done'", batch_id[0])), None
        ),
        seconds=30,
    )
    assert (batch["action"], batch["total"], batch["done"], batch["failed"]) == ("publish", 23, 23, 0)
    assert str(batch["created_by"]) == stack.who("support").id
    items = stack.sql("SELECT target_id, status FROM batch_items WHERE batch_id = %s", batch_id[0])
    assert {str(item["target_id"]) for item in items} == set(lessons)
    assert {item["status"] for item in items} == {"done"}
    panel.get(f"{path.path}?{path.query}").expect(200)


def test_all_rows_that_match_the_filter(stack: Stack, act: Act) -> None:
    word = f"flt{uuid.uuid4().hex[:8]}"
    ready = {"mux_playback_id": "P1", "video_processing_status": "ready", "publish_on_ready": False}
    lessons = [
        stack.lesson_row(title=f"{word} {n}", mux_asset_id=f"A{uuid.uuid4().hex}", **ready) for n in range(25)
    ]
    other = stack.lesson_row(title="not that one", mux_asset_id=f"A{uuid.uuid4().hex}", **ready)
    answer = act("lesson", "publish", scope="filter", query=f"search={word}")
    assert urlsplit(answer.headers["Location"]).path.startswith("/admin/batch/")

    def published() -> int:
        found = stack.sql("SELECT 1 FROM lessons WHERE title LIKE %s AND status = 'published'", f"{word}%")
        return len(found)

    stack.until(lambda: published() == len(lessons), seconds=30)
    assert stack.lesson(other)["status"] == "draft"


def test_who_may_act(stack: Stack, instructor: Caller) -> None:
    lesson_id, _ = ready_lesson(stack, instructor, status="draft")
    form = [("action", "publish"), ("rowid", lesson_id)]
    stack.browser("instructor").post("/admin/lesson/action/", form).expect(404)
    staff = stack.browser("support")
    staff.post("/admin/lesson/action/", form, csrf="wrong").expect(400)
    assert instructor.seen(lesson_id)["status"] == "draft"


def test_an_action_for_a_lesson_that_is_not_there(act: Act) -> None:
    act("lesson", "publish", str(uuid.uuid4()))


@pytest.mark.parametrize(
    "form",
    [
        [("action", "nonsense"), ("rowid", "8a4b1f7e-0000-4000-8000-000000000001")],
        [("action", "publish"), ("rowid", "not-an-id")],
        [("action", "publish")],
        [],
    ],
    ids=["unknown action", "no id", "no row", "nothing"],
)
def test_odd_actions_are_no_fault_of_the_server(panel: Browser, form: list[tuple[str, str]]) -> None:
    assert panel.post("/admin/lesson/action/", form).status < 500


def test_staff_edit_words_and_prices_only(stack: Stack, panel: Browser, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    page = panel.get(f"/admin/lesson/edit/?id={lesson_id}").expect(200).text
    names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))
    assert {"title", "description"} <= names
    assert not names & {"status", "mux_asset_id", "mux_playback_id", "creator_id", "publish_on_ready"}


@pytest.mark.parametrize("lead", ["", "?"])
def test_few_that_match_the_filter_run_at_once(stack: Stack, act: Act, lead: str) -> None:
    word = f"few{uuid.uuid4().hex[:8]}"
    ready = {"mux_playback_id": "P1", "video_processing_status": "ready", "publish_on_ready": False}
    lessons = [
        stack.lesson_row(title=f"{word} {n}", mux_asset_id=f"A{uuid.uuid4().hex}", **ready) for n in range(3)
    ]
    act("lesson", "publish", scope="filter", query=f"{lead}search={word}&page=0&sort=1")
    assert {stack.lesson(one)["status"] for one in lessons} == {"published"}
