"""Videos that another program wrote into the tables are taken in by themselves, a few a pass, once Mux has confirmed them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Course, Lesson, Tracking
from lessonadmin.domain.uploads import intake
from lessonadmin.domain.videos.recheck_schedule import MAX_SILENCE_SECONDS
from tests.domain.foreign_videos import TEMPORARY, asset, command, fix, is_healed, made_old, on_sale, sold
from tests.factories import make_course, make_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.queries import plan_of

pytestmark = pytest.mark.usefixtures("enough_calls")


@pytest.mark.parametrize("tracked", [False, True])
def test_the_sweep_heals_it_after_the_usual_silence(mux_sim: MuxSim, app: Flask, tracked: bool) -> None:
    asset_id, playback_id = asset(mux_sim)
    lesson = sold(asset_id)
    if tracked:
        make_tracking(lesson, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    command(app, "sweep")
    assert mux_sim.calls() == [], "the program that wrote it may be about to write the true one"
    made_old()
    command(app, "sweep")
    is_healed(mux_sim, lesson, asset_id, playback_id)
    assert mux_sim.notices(lesson.creator_id) == []


def test_the_sweep_leaves_what_it_cannot_heal_and_asks_no_more(mux_sim: MuxSim, app: Flask) -> None:
    asset_id, _ = asset(mux_sim)
    lesson = sold(asset_id)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    temporary = sold("temp_asset")
    made_old()
    command(app, "sweep")
    now = mux_sim.lesson(lesson)
    assert (now.status, now.mux_playback_id, now.video_error_type) == ("draft", None, "deleted_at_mux")
    assert mux_sim.lesson(temporary).mux_asset_id == "temp_asset", "that takes a search: fix-lessons"
    asked = len(mux_sim.calls())
    made_old()
    command(app, "sweep")
    assert len(mux_sim.calls()) == asked


def imported(mux_sim: MuxSim, **columns: Any) -> tuple[Lesson, str]:
    asset_id, playback_id = asset(mux_sim)
    columns = {"status": "published", "publish_on_ready": False, "mux_playback_id": playback_id, **columns}
    return make_lesson(mux_asset_id=asset_id, **columns), playback_id


@pytest.mark.parametrize("way", ["sweep", "fix-lessons"])
def test_an_imported_lesson_becomes_visible_by_itself(mux_sim: MuxSim, app: Flask, way: str) -> None:
    lesson, playback_id = imported(mux_sim)
    published_at = lesson.published_at
    assert not on_sale(lesson)
    fix(app) if way == "fix-lessons" else command(app, "sweep")
    is_healed(mux_sim, lesson, str(lesson.mux_asset_id), playback_id)
    assert mux_sim.lesson(lesson).published_at == published_at
    if way == "sweep":
        assert mux_sim.notices(lesson.creator_id) == []


def test_the_playback_id_that_was_imported_is_kept_if_mux_has_it(mux_sim: MuxSim, app: Flask) -> None:
    asset_id, _ = asset(mux_sim)
    second = mux.create_playback_id(asset_id, policy="signed", priority="high")
    lesson = make_lesson(mux_asset_id=asset_id, mux_playback_id=second.id, status="published")
    command(app, "sweep")
    now = mux_sim.lesson(lesson)
    assert (now.mux_playback_id, now.playback_policy) == (second.id, "signed")


def test_an_imported_preview_is_taken_in(mux_sim: MuxSim, app: Flask) -> None:
    asset_id, playback_id = asset(mux_sim)
    course = make_course(mux_asset_id=asset_id, mux_playback_id=playback_id)
    command(app, "sweep")
    now = db.session.get_one(Course, course.id, populate_existing=True)
    assert (now.video_processing_status, now.mux_playback_id) == ("ready", playback_id)


def test_a_sweep_takes_in_a_few_and_stops_where_mux_does_not_answer(mux_sim: MuxSim, app: Flask) -> None:
    lessons_ = [imported(mux_sim)[0] for _ in range(intake.MAX_PER_PASS + 2)]
    mux_sim.control.fault("api", "status", status=500)
    command(app, "sweep")
    assert len(mux_sim.calls("get_asset")) <= 2
    assert not any(on_sale(mux_sim.lesson(one)) for one in lessons_)
    mux_sim.control.clear_faults()
    command(app, "sweep")
    first = sum(on_sale(mux_sim.lesson(one)) for one in lessons_)
    assert 0 < first <= intake.MAX_PER_PASS + 1
    db.session.execute(
        text("UPDATE mux_asset_tracking SET next_check_at = now() WHERE status = 'processing'")
    )
    db.session.commit()
    command(app, "sweep")
    assert all(on_sale(mux_sim.lesson(one)) for one in lessons_)


def test_the_sweep_finds_them_by_an_index(mux_sim: MuxSim, app: Flask) -> None:
    for _ in range(3):
        imported(mux_sim)
    plans = [plan_of(query) for kind in ("lesson", "course") for query in intake.wanted(kind)]
    names = ("lessons_untaken", "lessons_temporary_playback", "courses_untaken", "courses_temporary_playback")
    assert [name for name, plan in zip(names, plans, strict=True) if name not in plan] == []


def test_a_draft_that_waits_with_a_true_playback_id_is_taken_in_and_stays_a_draft(
    mux_sim: MuxSim, app: Flask
) -> None:
    asset_id, playback_id = asset(mux_sim)
    draft = make_lesson(
        mux_asset_id=asset_id, mux_playback_id=playback_id, video_processing_status="processing"
    )
    assert "kept as a draft" in fix(app)
    now = mux_sim.lesson(draft)
    assert (now.status, now.video_processing_status, now.publish_on_ready) == ("draft", "ready", False)
    assert db.session.scalar(select(Tracking.status).where(Tracking.lesson_id == draft.id)) == "ready"


def test_no_more_than_a_few_are_found_in_a_pass_lessons_and_courses_together(mux_sim: MuxSim) -> None:
    for _ in range(intake.MAX_PER_PASS - 2):
        imported(mux_sim)
    for _ in range(4):
        asset_id, playback_id = asset(mux_sim)
        make_course(mux_asset_id=asset_id, mux_playback_id=playback_id)
    kinds = [kind for kind, _ in intake.due()]
    assert (kinds.count("lesson"), kinds.count("course")) == (intake.MAX_PER_PASS - 2, 2)


@pytest.mark.parametrize("asset_id", [None, "", "  ", "temp_asset"])
def test_what_has_no_true_asset_is_not_found(mux_sim: MuxSim, asset_id: str | None) -> None:
    make_lesson(mux_asset_id=asset_id, mux_playback_id="p", status="published")
    sold(asset_id or "")
    made_old()
    assert intake.due() == []


def test_the_calls_that_are_kept_for_others_are_not_used(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson, _ = imported(mux_sim)
    monkeypatch.setattr(mux_budget, "CAPACITY", intake.RESERVED_CALLS)
    assert intake.take_in(("lesson", lesson.id)) is False
    assert (mux_sim.calls(), mux_sim.uploads(lesson)) == ([], [])


def test_a_lesson_that_was_deleted_meanwhile_costs_no_call(mux_sim: MuxSim) -> None:
    assert intake.take_in(("lesson", uuid.uuid4())) is True
    assert mux_sim.calls() == []


def test_what_is_taken_in_is_not_found_again(mux_sim: MuxSim) -> None:
    lesson, _ = imported(mux_sim)
    assert intake.due() == [("lesson", lesson.id)]
    assert intake.take_in(("lesson", lesson.id)) is True
    assert intake.due() == []


@pytest.mark.parametrize(
    ("looked_ago", "asked"),
    [(None, True), (MAX_SILENCE_SECONDS + 60, True), (MAX_SILENCE_SECONDS - 60, False)],
)
def test_an_upload_with_a_temporary_playback_id_is_asked_about_every_half_hour_at_most(
    mux_sim: MuxSim, looked_ago: float | None, asked: bool
) -> None:
    asset_id, _ = asset(mux_sim)
    lesson = sold(asset_id)
    looked_at = None if looked_ago is None else datetime.now(UTC) - timedelta(seconds=looked_ago)
    playing = {"mux_asset_id": asset_id, "mux_playback_id": TEMPORARY}
    make_tracking(lesson, status="ready", last_look_at=looked_at, **playing)
    made_old()
    assert intake.due() == []
    (upload,) = mux_sim.uploads(lesson)
    assert (upload.next_check_at is not None) is asked
