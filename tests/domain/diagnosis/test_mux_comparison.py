"""Mux's data beside the local row: what agrees, what differs, and nothing where Mux gave no answer."""

import uuid

import pytest
from sqlalchemy import text

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain.diagnosis import mux_comparison
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models.videos import MIGRATED
from tests.domain.diagnosis.support import by_mux, compared, fresh, side_by_side
from tests.factories import make_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.settings import overridden


def test_side_by_side_when_all_agrees(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    lines = compared(lesson)
    assert {field for field, line in lines.items() if line.agrees} >= {
        "Upload",
        "Asset id",
        "Video",
        "Policy",
    }
    assert [field for field, line in lines.items() if line.agrees is False] == []
    assert lines["Asset id"].ours == lines["Asset id"].theirs == mux_sim.lesson(lesson).mux_asset_id
    assert lines["Playback id"].agrees is True
    assert lines["Made for"].theirs == str(lesson.id)


def test_side_by_side_shows_what_differs_and_changes_nothing(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    before = db.session.execute(text("SELECT xmin, * FROM mux_asset_tracking")).all()
    lines = compared(lesson)
    assert (lines["Video"].ours, lines["Video"].theirs, lines["Video"].agrees) == (
        "uploading",
        "ready",
        False,
    )
    assert lines["Asset id"].agrees is False
    assert db.session.execute(text("SELECT xmin, * FROM mux_asset_tracking")).all() == before
    assert {call["token_id"] for call in mux_sim.calls()} == {"web-token"}


def test_side_by_side_without_an_answer(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    with overridden(mux_api_url="http://127.0.0.1:1"):
        look = mux_comparison.look("lesson", lesson.id)
    assert not look.answered
    assert side_by_side(fresh(lesson), look) == []
    assert mux_comparison.look("lesson", uuid.uuid4()).answered


def test_a_token_of_another_environment(mux_sim: MuxSim) -> None:
    lessons_ = [make_lesson() for _ in range(2)]
    for lesson in lessons_:
        mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.reset()  # as the same token id would see it elsewhere: nothing of the school's is there
    db.session.execute(text("UPDATE mux_events SET environment_id = 'where our videos are'"))
    db.session.commit()
    mux_sim.control.seed_assets(3, policy="public", status="ready")
    found = by_mux(lessons_[0])
    assert found.cause == "wrong_environment"
    assert mux_sim.lesson(lessons_[0]).status == "published"


def line_of(lesson_columns: dict[str, object], found: Look, field: str) -> mux_comparison.Compared:
    lesson = fresh(make_lesson(**lesson_columns))
    return next(line for line in side_by_side(lesson, found) if line.field == field)


READY = mux.Asset(
    id="a", status="ready", playback_ids=(mux.PlaybackId("s", "signed"), mux.PlaybackId("p", "public"))
)


@pytest.mark.parametrize(
    ("status", "asset_status", "agrees"),
    [
        ("processing", "preparing", True),
        ("ready", "ready", True),
        ("error", "errored", True),
        ("ready", "errored", False),
        ("uploading", "preparing", False),
        ("ready", "unknown", False),
    ],
)
def test_a_state_of_ours_and_one_of_muxs_agree(status: str, asset_status: str, agrees: bool) -> None:
    found = Look(asset=mux.Asset(id="a", status=asset_status))  # type: ignore[arg-type]
    assert line_of({"video_processing_status": status}, found, "Video").agrees is agrees


@pytest.mark.parametrize(
    ("status", "agrees"), [("ready", False), ("processing", False), ("none", True), ("error", True)]
)
def test_an_asset_that_is_gone_differs_only_from_one_that_should_be_there(status: str, agrees: bool) -> None:
    line = line_of({"video_processing_status": status}, Look(asset_gone=True), "Video")
    assert (line.theirs, line.agrees) == ("unknown at Mux", agrees)


@pytest.mark.parametrize(("ours", "theirs"), [("p", "p"), ("s", "s"), ("unknown", "p"), (None, "p")])
def test_beside_our_playback_id_stands_the_same_or_the_one_of_our_policy(
    ours: str | None, theirs: str
) -> None:
    line = line_of({"mux_playback_id": ours, "playback_policy": "public"}, Look(asset=READY), "Playback id")
    assert (line.theirs, line.agrees) == (theirs, ours == theirs)


@pytest.mark.parametrize(("policy", "agrees"), [("public", True), ("signed", True), (None, None)])
def test_a_policy_agrees_with_any_playback_id_that_has_it(policy: str | None, agrees: bool | None) -> None:
    line = line_of({"playback_policy": policy}, Look(asset=READY), "Policy")
    assert (line.theirs, line.agrees) == ("public, signed", agrees)


@pytest.mark.parametrize(
    ("status", "upload_status", "agrees"),
    [
        ("uploading", "waiting", True),
        ("processing", "waiting", False),
        ("ready", "asset_created", True),
        ("uploading", "asset_created", False),
        ("cancelled", "cancelled", True),
        ("error", "timed_out", True),
        ("uploading", "timed_out", False),
        ("error", "of tomorrow", False),
    ],
)
def test_the_state_of_an_upload_fits_that_of_its_row(status: str, upload_status: str, agrees: bool) -> None:
    lesson = make_lesson()
    make_tracking(lesson, status=status, mux_asset_id="a" if status == "ready" else None)
    found = Look(upload_id="u", upload=mux.Upload(id="u", status=upload_status))  # type: ignore[arg-type]
    line = next(one for one in side_by_side(fresh(lesson), found) if one.field == "Upload")
    assert line.agrees is agrees


def test_a_video_from_before_tracking_has_no_upload_to_ask_about(mux_sim: MuxSim) -> None:
    lesson = make_lesson(mux_asset_id="temp_1", video_processing_status="processing")
    make_tracking(lesson, upload_id=MIGRATED, mux_asset_id="temp_1", status="processing")
    found = mux_comparison.look("lesson", lesson.id)
    assert (found.upload_id, found.asset_id, found.answered) == (None, None, True)
    assert mux_sim.calls() == []
