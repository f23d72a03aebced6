"""Section 6: bulk actions as Flask-Admin's own form posts them, and what staff may edit."""

import re
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.contract.callers import Answer, Browser, Caller
from tests.contract.house import House
from tests.contract.test_lessons import ready_lesson

Act = Callable[..., Answer]


@pytest.fixture(scope="module")
def desk(house: House) -> Browser:
    return house.browser("support")


@pytest.fixture
def act(desk: Browser) -> Act:
    """One post of a list's action form."""

    def post(room: str, action: str, *rows: str, **more: str) -> Answer:
        form = [("action", action), *(("rowid", row) for row in rows), *more.items()]
        answer = desk.post(f"/admin/{room}/action/", form)
        assert answer.status in (200, 302, 303), f"{answer.status}: {answer.text[:400]}"
        return answer

    return post


def test_publish_and_unpublish(house: House, teacher: Caller, act: Act) -> None:
    ready, _ = ready_lesson(house, teacher, status="draft")
    second, _ = ready_lesson(house, teacher, status="draft")
    act("lesson", "publish", ready, second)
    assert [teacher.seen(one)["status"] for one in (ready, second)] == ["published"] * 2
    act("lesson", "unpublish", ready)
    lesson = teacher.seen(ready)
    assert (lesson["status"], lesson["publish_on_ready"]) == ("draft", False)
    rows = house.sql(
        "SELECT actor_id FROM audit_log WHERE target_id = %s AND action = 'lesson.unpublished'", ready
    )
    assert [str(row["actor_id"]) for row in rows] == [house.who("support").id]


def test_republish_takes_over_the_truth(house: House, teacher: Caller, act: Act) -> None:
    asset = house.mux.asset("ready")
    lesson_id = house.lesson_row(
        mux_asset_id=asset["id"], mux_playback_id="P-wrong", video_processing_status="processing"
    )
    act("lesson", "republish", lesson_id)
    lesson = teacher.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["playback_id"]) == ("published", asset["playback_ids"][0]["id"])


def test_recheck(house: House, teacher: Caller, act: Act) -> None:
    lesson_id, course_id, third = teacher.lesson()["id"], teacher.course()["id"], teacher.lesson()["id"]
    for owner in ({"lesson_id": lesson_id}, {"course_id": course_id}, {"lesson_id": third}):
        house.mux.asset_of(teacher.upload(**owner)["upload_id"], "ready")
    act("lesson", "recheck", lesson_id)
    assert teacher.seen(lesson_id)["status"] == "published"
    act("course", "recheck", course_id)
    assert teacher.get(f"/api/courses/{course_id}").json["video"]["status"] == "ready"
    act("tracking", "recheck", str(house.tracking(third)[0]["id"]))
    assert teacher.seen(third)["status"] == "published"


def test_clear_asset(house: House, teacher: Caller, act: Act) -> None:
    lesson_id, asset = ready_lesson(house, teacher)
    other, second = ready_lesson(house, teacher)
    course_id = teacher.course()["id"]
    preview = house.mux.asset_of(teacher.upload(course_id=course_id)["upload_id"], "ready")
    house.hook.asset("ready", preview).expect(204)
    act("lesson", "clear_asset", lesson_id)
    act("course", "clear_asset", course_id)
    act("tracking", "clear_asset", str(house.tracking(other)[0]["id"]))
    for one in (lesson_id, other):
        lesson = teacher.seen(one)
        assert (lesson["status"], lesson["video"]["asset_id"]) == ("draft", None)
    for gone in (asset, second, preview):
        house.until(
            lambda found=gone["id"]: house.sql("SELECT 1 FROM asset_deletions WHERE mux_asset_id = %s", found)
        )
    house.until(lambda: asset["id"] not in house.mux.assets)


def test_replay(house: House, teacher: Caller, act: Act) -> None:
    lesson_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
    asset = house.mux.asset("ready", passthrough=f'{{"lesson_id": "{lesson_id}"}}')
    house.hook.asset("ready", asset, id=event_id).expect(204)
    house.lesson_row(id=lesson_id)
    row = house.one("SELECT id FROM mux_events WHERE mux_event_id = %s", event_id)
    act("event", "replay", str(row["id"]))
    assert teacher.seen(lesson_id)["status"] == "published"
    assert (
        house.one("SELECT outcome FROM mux_events WHERE mux_event_id = %s", event_id)["outcome"] == "applied"
    )


def test_more_than_twenty_run_as_a_batch(house: House, act: Act, desk: Browser) -> None:
    lessons = [
        house.lesson_row(
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
    batch = house.until(
        lambda: next(
            iter(house.sql("SELECT * FROM batches WHERE id = %s AND status = 'done'", batch_id[0])), None
        ),
        seconds=30,
    )
    assert (batch["action"], batch["total"], batch["done"], batch["failed"]) == ("publish", 23, 23, 0)
    assert str(batch["created_by"]) == house.who("support").id
    items = house.sql("SELECT target_id, status FROM batch_items WHERE batch_id = %s", batch_id[0])
    assert {str(item["target_id"]) for item in items} == set(lessons)
    assert {item["status"] for item in items} == {"done"}
    desk.get(f"{path.path}?{path.query}").expect(200)


def test_all_rows_that_match_the_filter(house: House, act: Act) -> None:
    word = f"flt{uuid.uuid4().hex[:8]}"
    ready = {"mux_playback_id": "P1", "video_processing_status": "ready", "publish_on_ready": False}
    lessons = [
        house.lesson_row(title=f"{word} {n}", mux_asset_id=f"A{uuid.uuid4().hex}", **ready) for n in range(25)
    ]
    other = house.lesson_row(title="not that one", mux_asset_id=f"A{uuid.uuid4().hex}", **ready)
    answer = act("lesson", "publish", scope="filter", query=f"search={word}")
    assert urlsplit(answer.headers["Location"]).path.startswith("/admin/batch/")

    def published() -> int:
        found = house.sql("SELECT 1 FROM lessons WHERE title LIKE %s AND status = 'published'", f"{word}%")
        return len(found)

    house.until(lambda: published() == len(lessons), seconds=30)
    assert house.lesson(other)["status"] == "draft"


def test_who_may_act(house: House, teacher: Caller) -> None:
    lesson_id, _ = ready_lesson(house, teacher, status="draft")
    form = [("action", "publish"), ("rowid", lesson_id)]
    house.browser("instructor").post("/admin/lesson/action/", form).expect(404)
    staff = house.browser("support")
    staff.post("/admin/lesson/action/", form, csrf="wrong").expect(400)
    assert teacher.seen(lesson_id)["status"] == "draft"


def test_odd_actions_are_no_fault_of_ours(act: Act, desk: Browser, house: House) -> None:
    act("lesson", "publish", str(uuid.uuid4()))
    for form in (
        [("action", "nonsense"), ("rowid", str(uuid.uuid4()))],
        [("action", "publish"), ("rowid", "not-an-id")],
        [("action", "publish")],
        [],
    ):
        assert desk.post("/admin/lesson/action/", form).status < 500


def test_staff_edit_words_and_prices_only(house: House, desk: Browser, teacher: Caller) -> None:
    lesson_id = teacher.lesson()["id"]
    page = desk.get(f"/admin/lesson/edit/?id={lesson_id}").expect(200).text
    names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))
    assert {"title", "description"} <= names
    assert not names & {"status", "mux_asset_id", "mux_playback_id", "creator_id", "publish_on_ready"}


@pytest.mark.parametrize("lead", ["", "?"])
def test_few_that_match_the_filter_run_at_once(house: House, act: Act, lead: str) -> None:
    word = f"few{uuid.uuid4().hex[:8]}"
    ready = {"mux_playback_id": "P1", "video_processing_status": "ready", "publish_on_ready": False}
    lessons = [
        house.lesson_row(title=f"{word} {n}", mux_asset_id=f"A{uuid.uuid4().hex}", **ready) for n in range(3)
    ]
    act("lesson", "publish", scope="filter", query=f"{lead}search={word}&page=0&sort=1")
    assert {house.lesson(one)["status"] for one in lessons} == {"published"}
