"""A picture is a moment of the video that plays: kept, shown everywhere, and of another video not used."""

from typing import Any

import pytest
from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain import thumbnails
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.lessons import pictures
from lessonadmin.domain.models import AuditLog, Course, Lesson
from tests.factories import make_course, make_lesson, make_playing_lesson

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
