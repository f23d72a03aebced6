"""What Mux's own answer names as the cause, beside rows that say otherwise; the button takes it over."""

from typing import Any

import pytest
from sqlalchemy import update

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, Tracking
from tests.domain.diagnosis.support import assert_says, by_mux, by_record, fresh, press
from tests.factories import make_course, make_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden


def test_ready_at_mux_but_we_were_not_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    assert by_record(lesson).cause == "no_bytes"
    found = by_mux(lesson)
    assert_says(found, "ready_not_told", "trouble", "recheck")
    press(found)
    assert_says(by_record(lesson), "published", "fine", None)


def test_the_file_is_in_and_we_were_not_told(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    found = by_mux(lesson)
    assert_says(found, "processing_not_told", "waiting", "recheck")
    press(found)
    assert by_record(lesson).cause == "preparing"


def test_failed_here_but_ready_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(
        update(Tracking).values(status="error", error_type="asset_errored", mux_playback_id=None)
    )
    db.session.execute(
        update(Lesson).values(video_processing_status="error", mux_playback_id=None, status="draft")
    )
    db.session.commit()
    found = by_mux(lesson)
    assert_says(found, "ready_after_all", "trouble", "republish")
    press(found)
    assert by_record(lesson).cause == "published"


def test_another_playback_id_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(update(Lesson).values(mux_playback_id="wrong"))
    db.session.execute(update(Tracking).values(mux_playback_id="wrong"))
    db.session.commit()
    found = by_mux(lesson)
    assert_says(found, "wrong_playback_id", "trouble", "republish")
    press(found)
    assert_says(by_mux(lesson), "published", "fine", None)


def test_courses_are_diagnosed_the_same_way(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.forget()
    found = by_mux(course)
    assert_says(found, "ready_not_told", "trouble", "recheck")
    press(found)
    assert_says(by_record(course), "fine", "fine", None)


def test_wrong_token(mux_sim: MuxSim, uploading: Lesson) -> None:
    with overridden(mux_token_secret="wrong"):
        found = by_mux(uploading)
    assert_says(found, "wrong_token", "trouble", None)
    assert "MUX_TOKEN_ID" in found.sentence
    assert [one.page for one in found.buttons] == ["doctor"]


def test_a_token_that_may_not(mux_sim: MuxSim, uploading: Lesson) -> None:
    mux_sim.control.fault("api", "status", status=403)
    assert by_mux(uploading).cause == "wrong_token"


@pytest.mark.parametrize(
    ("fault", "more", "cause"),
    [
        ("status", {"status": 500}, "mux_unreachable"),
        ("reset", {}, "mux_unreachable"),
        ("html", {}, "mux_unreachable"),
        ("rate_limited", {}, "mux_busy"),
    ],
)
def test_mux_does_not_answer(
    mux_sim: MuxSim, uploading: Lesson, fault: str, more: dict[str, Any], cause: str
) -> None:
    mux_sim.control.fault("api", fault, **more)
    assert by_mux(uploading).cause == cause
    assert fresh(uploading).video_processing_status == "uploading"
