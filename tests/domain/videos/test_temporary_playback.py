"""A temporary playback id, wherever it stands: nothing with it is shown, played or sold until Mux has told the true one."""

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import text

from lessonadmin import mux
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import playback
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.lessons import lessons, purchases
from lessonadmin.domain.videos import video_status
from tests.domain.foreign_videos import TEMPORARY, asset, command, fix, is_healed, on_sale, sold
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim

pytestmark = pytest.mark.usefixtures("enough_calls")


@pytest.mark.parametrize("tracked", [False, True])
def test_it_is_not_on_sale_not_playable_and_says_so(mux_sim: MuxSim, tracked: bool) -> None:
    asset_id, _ = asset(mux_sim)
    lesson = sold(asset_id)
    if tracked:
        make_tracking(lesson, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    assert not lesson.is_playable
    assert not on_sale(lesson)
    with pytest.raises(Conflict) as refused:
        playback.source(lesson)
    assert refused.value.type == "not_ready"
    assert "temporary id" in refused.value.message
    seen = video_status.of(lesson)
    assert (seen.status, seen.playback_id) == ("processing", None)
    assert "temporary id" in video_status.sentence(seen)
    with transaction(CLI), pytest.raises(Conflict, match="cannot be bought"):
        purchases.buy(make_user(role="student"), lesson.id)


@pytest.mark.parametrize("status", ["ready", "none", "processing", "error"])
@pytest.mark.parametrize("tracked", [None, "ready", "processing"])
def test_fix_lessons_heals_a_published_lesson(
    mux_sim: MuxSim, app: Flask, status: str, tracked: str | None
) -> None:
    asset_id, playback_id = asset(mux_sim)
    lesson = sold(asset_id, video_processing_status=status)
    if tracked:
        make_tracking(lesson, status=tracked, mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    said = fix(app, "--dry-run")
    assert f"{lesson.id} would be updated" in said
    assert mux_sim.lesson(lesson).mux_playback_id == TEMPORARY
    assert "updated: 1" in fix(app)
    is_healed(mux_sim, lesson, asset_id, playback_id)
    asked = len(mux_sim.calls())
    assert "processed: 0" in fix(app)
    assert len(mux_sim.calls()) == asked


def test_fix_lessons_publishes_the_stuck_draft_and_keeps_the_kept_one(mux_sim: MuxSim, app: Flask) -> None:
    (first, true_id), (second, other_id) = asset(mux_sim), asset(mux_sim)
    wanted = sold(first, status="draft", publish_on_ready=True)
    kept = sold(second, status="draft")
    assert "updated: 2" in fix(app)
    is_healed(mux_sim, wanted, first, true_id)
    now = mux_sim.lesson(kept)
    assert (now.status, now.mux_playback_id, now.publish_on_ready) == ("draft", other_id, False)


def test_fix_lessons_takes_an_id_that_fits_the_wanted_policy(mux_sim: MuxSim, app: Flask) -> None:
    asset_id, _ = asset(mux_sim)
    signed = mux.create_playback_id(asset_id, policy="signed", priority="high")
    lesson = sold(asset_id)
    make_tracking(
        lesson, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY, wanted_policy="signed"
    )
    fix(app)
    now = mux_sim.lesson(lesson)
    assert (now.mux_playback_id, now.playback_policy) == (signed.id, "signed")


def test_fix_lessons_heals_previews_and_replaced_videos(mux_sim: MuxSim, app: Flask) -> None:
    (preview, preview_id), (first, first_id), (second, second_id) = (
        asset(mux_sim),
        asset(mux_sim),
        asset(mux_sim),
    )
    course = make_course(mux_asset_id=preview, mux_playback_id=TEMPORARY, video_processing_status="ready")
    lesson = sold(second, mux_playback_id=second_id)
    now = make_tracking(lesson, status="ready", mux_asset_id=second, mux_playback_id=second_id)
    make_tracking(
        lesson,
        status="ready",
        mux_asset_id=first,
        mux_playback_id=TEMPORARY,
        superseded_at=now.created_at,
        superseded_by=now.id,
        ready_at=now.created_at,
    )
    assert f"course {course.id} updated" in fix(app)
    assert mux_sim.course(course).mux_playback_id == preview_id
    assert {row.mux_playback_id for row in mux_sim.uploads(lesson)} == {first_id, second_id}
    assert "processed: 0" in fix(app)


def test_without_an_asset_id_it_is_found_by_what_stands_on_the_asset_or_forgotten(
    mux_sim: MuxSim, app: Flask
) -> None:
    found = sold("", mux_asset_id=None)
    asset_id, playback_id = asset(mux_sim, passthrough=f'{{"lesson_id":"{found.id}"}}')
    lost = sold("", mux_asset_id=None)
    result = FlaskCliRunner(app).invoke(args=["fix-lessons", "--delay", "0"])
    assert (result.exit_code, "failed: 1" in result.output) == (1, True)
    is_healed(mux_sim, found, asset_id, playback_id)
    now = mux_sim.lesson(lost)
    assert (now.status, now.mux_playback_id, now.video_processing_status) == ("draft", None, "none")


def test_a_video_that_mux_still_prepares_is_published_by_itself_when_it_is_ready(
    mux_sim: MuxSim, app: Flask
) -> None:
    mux_sim.control.hold_processing()
    other = make_lesson()
    mux_sim.uploaded(other)
    asset_id = mux_sim.control.assets()[0]["id"]
    mux_sim.forget()
    lesson = sold(asset_id)
    fix(app)
    now = mux_sim.lesson(lesson)
    assert (now.status, now.publish_on_ready, now.video_processing_status) == ("draft", True, "processing")
    mux_sim.control.hold_processing(False)
    mux_sim.control.flush_events()
    db.session.execute(text("UPDATE mux_asset_tracking SET next_check_at = now()"))
    db.session.commit()
    command(app, "sweep")
    assert mux_sim.lesson(lesson).status == "published"


@pytest.mark.parametrize("tracked", [False, True])
def test_a_person_who_publishes_such_a_draft_gets_it_published(mux_sim: MuxSim, tracked: bool) -> None:
    asset_id, playback_id = asset(mux_sim)
    draft = sold(asset_id, status="draft")
    if tracked:
        make_tracking(draft, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    assert lessons.publish(draft, actor=CLI)
    assert mux_sim.lesson(draft).mux_playback_id == playback_id


def test_an_event_about_its_asset_heals_it_too(mux_sim: MuxSim) -> None:
    asset_id, playback_id = asset(mux_sim)
    lesson = sold(asset_id)
    make_tracking(lesson, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    mux_sim.control.send_event("video.asset.ready", asset_id=asset_id)
    mux_sim.deliver()
    is_healed(mux_sim, lesson, asset_id, playback_id)


# finished drafts


@pytest.mark.parametrize("status", ["ready", "none"])
def test_a_finished_draft_is_left_alone(mux_sim: MuxSim, app: Flask, status: str) -> None:
    asset_id, playback_id = asset(mux_sim)
    draft = make_lesson(mux_asset_id=asset_id, mux_playback_id=playback_id, video_processing_status=status)
    assert draft.publish_on_ready, (
        "which is the default of the table and no sign that anyone wants it published"
    )
    said = fix(app)
    assert "skipped because finished and not published: 1" in said
    command(app, "sweep")
    now = mux_sim.lesson(draft)
    assert (now.status, now.video_processing_status, mux_sim.uploads(draft)) == ("draft", status, [])
    assert mux_sim.calls() == []
    # a person may publish it, of course
    lessons.publish(draft, actor=CLI)
    db.session.execute(
        text("UPDATE mux_asset_tracking SET next_check_at = now() WHERE status = 'processing'")
    )
    db.session.commit()
    command(app, "sweep")
    assert mux_sim.lesson(draft).status == "published"
