"""A picture is a moment of the video that plays: kept, shown everywhere, and of another video not used."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain import thumbnails
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.lessons import courses, pictures
from lessonadmin.domain.models import AuditLog, Course, Lesson, User
from tests.factories import make_course, make_lesson, make_playing_lesson
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("session")


def choose(owner: Lesson | Course, seconds: float | None) -> bool:
    with transaction(JOB):
        return pictures.choose(db.session.get_one(type(owner), owner.id), seconds)


def address(owner: Lesson | Course) -> str:
    found = thumbnails.thumbnail(db.session.get_one(type(owner), owner.id), width=192, height=108)
    assert found is not None
    return found


@pytest.mark.parametrize(("chosen", "kept"), [(0.0, 0.0), (12.34, 12.3), (61.0, 61.0), (99_999.0, 61.0)])
def test_a_moment_is_kept_and_part_of_every_address(chosen: float, kept: float) -> None:
    lesson = make_playing_lesson(video_duration=61.0)
    assert "time=" not in address(lesson)
    assert choose(lesson, chosen) is True
    assert address(lesson).endswith(f"&time={kept}")
    assert choose(lesson, chosen) is False, "again it is no change"
    (row,) = db.session.scalars(select(AuditLog).where(AuditLog.action == "video.picture_chosen"))
    assert (row.detail["before"], row.detail["after"]) == ({"seconds": None}, {"seconds": kept})
    assert choose(lesson, None) is True
    assert "time=" not in address(lesson)


def test_a_course_has_one_of_its_preview() -> None:
    course = make_course(
        video_processing_status="ready", mux_asset_id="a", mux_playback_id="p", playback_policy="public"
    )
    assert choose(course, 3.0) is True
    assert address(course).endswith("&time=3.0")


def test_of_another_video_it_is_not_used_and_with_the_old_one_it_is_back() -> None:
    lesson = make_playing_lesson()
    choose(lesson, 5.0)
    old = lesson.mux_asset_id
    for asset, is_used in (("another", False), (old, True)):
        db.session.get_one(Lesson, lesson.id).mux_asset_id = asset
        db.session.commit()
        assert ("time=5.0" in address(lesson)) is is_used


def test_signed_it_travels_inside_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def token(_playback_id: str, *, options: dict[str, Any], **_: Any) -> str:
        given.update(options)
        return "token"

    monkeypatch.setattr(mux, "playback_token", token)
    lesson = make_playing_lesson(playback_policy="signed")
    choose(lesson, 5.0)
    assert address(lesson).endswith("/thumbnail.jpg?token=token")
    assert given["time"] == 5.0


def test_without_a_video_that_plays_there_is_no_moment() -> None:
    with pytest.raises(Conflict):
        choose(make_lesson(), 1.0)


@pytest.mark.parametrize("text", ["-1", "1e5", "nan", "inf", "١", "1.", "12:30", "9" * 9, "1.5 or so"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        pictures.read_moment(text)


def test_what_a_player_tells_is_read() -> None:
    assert pictures.read_moment("12.345678") == 12.345678
    assert pictures.read_moment("0") == 0.0


def on_sale(course: Course, **columns: Any) -> Lesson:
    known = {"price_cents": 0, "playback_policy": "public", "mux_playback_id": f"play{columns['position']}"}
    return make_playing_lesson(creator=course_owner(course), course_id=course.id, **(known | columns))


def course_owner(course: Course) -> User:
    return db.session.get_one(User, course.instructor_id)


def cover(course: Course) -> str | None:
    db.session.expire_all()
    found = db.session.get_one(Course, course.id)
    return pictures.covers([found], width=192, height=108)[found.id]


def test_a_course_without_a_preview_has_the_picture_of_its_first_lesson_that_students_see() -> None:
    course, other = make_course(), make_course()
    assert cover(course) is None
    on_sale(course, position=1, status="draft")
    paid = on_sale(course, position=2, price_cents=900)
    assert cover(course) is None, "the address of its picture would give the video away"
    free = on_sale(course, position=3)
    on_sale(course, position=4)
    assert "/play3/" in str(cover(course))
    assert cover(other) is None
    with transaction(JOB):
        db.session.get_one(Lesson, paid.id).price_cents = 0
    assert "/play2/" in str(cover(course)), "the same lesson, once nothing is given away"
    with transaction(JOB):
        for lesson in (free, paid):
            gone = db.session.get_one(Lesson, lesson.id)
            gone.status, gone.publish_on_ready, gone.deleted_at = "draft", False, datetime.now(UTC)
    assert "/play4/" in str(cover(course)), "what is in the trash is shown to no student"


def test_a_chosen_lesson_is_the_cover_as_long_as_students_see_it() -> None:
    course = make_course()
    owner = course_owner(course)
    on_sale(course, position=1)
    second = on_sale(course, position=2)
    hidden = on_sale(course, position=3, status="draft")

    def choose_cover(lesson_id: uuid.UUID | None) -> bool:
        with transaction(Actor.user(owner.id)):
            return courses.choose_cover(owner, course.id, lesson_id)

    assert choose_cover(second.id) is True
    assert choose_cover(second.id) is False
    assert "/play2/" in str(cover(course))
    for refused in (hidden.id, uuid.uuid4(), on_sale(make_course(), position=9).id):
        with pytest.raises(Invalid):
            choose_cover(refused)
    with transaction(JOB):
        db.session.get_one(Lesson, second.id).status = "draft"
    assert "/play1/" in str(cover(course))
    with transaction(JOB):
        db.session.get_one(Lesson, second.id).status = "published"
    assert "/play2/" in str(cover(course))
    assert choose_cover(None) is True
    assert "/play1/" in str(cover(course))
    rows = db.session.scalars(select(AuditLog).where(AuditLog.action == "course.cover_chosen")).all()
    assert [row.detail["after"] for row in rows] == [{"lesson_id": str(second.id)}, {"lesson_id": None}]
    with transaction(JOB):
        preview = db.session.get_one(Course, course.id)
        preview.mux_asset_id, preview.mux_playback_id = "a", "own"
        preview.playback_policy, preview.video_processing_status = "public", "ready"
    assert "/own/" in str(cover(course)), "its own preview comes first"


def test_covers_of_a_page_cost_one_query() -> None:
    made = [make_course() for _ in range(4)]
    for course in made:
        on_sale(course, position=1)
    rows = list(db.session.scalars(select(Course)))
    with counted() as statements:
        found = pictures.covers(rows, width=192, height=108)
    assert len([one for one in found.values() if one]) == 4
    assert len(statements) == 1
