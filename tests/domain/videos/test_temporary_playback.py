"""A temporary playback id, wherever it stands: nothing with it is shown, played or sold until Mux has told the true one."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import Select, select, text

from lessonadmin import mux
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import mux_budget, permissions, playback
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import Course, Lesson, Tracking
from lessonadmin.domain.videos import video_status
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim

TEMPORARY = "temp_playback_abc123"


@pytest.fixture(autouse=True)
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)


def command(app: Flask, *words: str) -> str:
    """One command, to its end, with a session of its own: what the test holds is let go before."""
    for row in list(db.session):
        db.session.refresh(row)
    db.session.expunge_all()
    result = FlaskCliRunner(app).invoke(args=list(words))
    db.session.rollback()
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def fix(app: Flask, *words: str) -> str:
    return command(app, "fix-lessons", "--delay", "0", *words)


def asset(mux_sim: MuxSim, **wish: Any) -> tuple[str, str]:
    asset_id = mux_sim.control.seed_assets(1, **wish)[0]
    return asset_id, mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]


def on_sale(lesson: Lesson) -> bool:
    return (
        db.session.scalar(select(Lesson.id).where(permissions.on_sale(), Lesson.id == lesson.id)) is not None
    )


def sold(asset_id: str, **columns: Any) -> Lesson:
    """Published by an older program, which said that it plays."""
    state = {"status": "published", "publish_on_ready": False, "video_processing_status": "ready"}
    return make_lesson(**{"mux_asset_id": asset_id, "mux_playback_id": TEMPORARY, **state, **columns})


def made_old() -> None:
    """As if the rows had been written a day ago."""
    for table in ("lessons", "courses", "mux_asset_tracking"):
        db.session.execute(text(f"UPDATE {table} SET updated_at = now() - interval '1 day'"))  # noqa: S608 - the table is named in this test
    db.session.commit()


def healed(mux_sim: MuxSim, lesson: Lesson, asset_id: str, playback_id: str) -> None:
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status) == ("published", "ready")
    assert (now.mux_asset_id, now.mux_playback_id) == (asset_id, playback_id)
    (row,) = [row for row in mux_sim.rows(lesson) if row.superseded_at is None]
    assert (row.status, row.mux_playback_id) == ("ready", playback_id)
    assert now.is_playable
    assert on_sale(now)


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
        lessons.purchase(make_user(role="student"), lesson.id)


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
    healed(mux_sim, lesson, asset_id, playback_id)
    asked = len(mux_sim.calls())
    assert "processed: 0" in fix(app)
    assert len(mux_sim.calls()) == asked


def test_fix_lessons_publishes_the_stuck_draft_and_keeps_the_kept_one(mux_sim: MuxSim, app: Flask) -> None:
    (first, true_id), (second, other_id) = asset(mux_sim), asset(mux_sim)
    wanted = sold(first, status="draft", publish_on_ready=True)
    kept = sold(second, status="draft")
    assert "updated: 2" in fix(app)
    healed(mux_sim, wanted, first, true_id)
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
    assert {row.mux_playback_id for row in mux_sim.rows(lesson)} == {first_id, second_id}
    assert "processed: 0" in fix(app)


def test_without_an_asset_id_it_is_found_by_what_stands_on_the_asset_or_forgotten(
    mux_sim: MuxSim, app: Flask
) -> None:
    found = sold("", mux_asset_id=None)
    asset_id, playback_id = asset(mux_sim, passthrough=f'{{"lesson_id":"{found.id}"}}')
    lost = sold("", mux_asset_id=None)
    result = FlaskCliRunner(app).invoke(args=["fix-lessons", "--delay", "0"])
    assert (result.exit_code, "failed: 1" in result.output) == (1, True)
    healed(mux_sim, found, asset_id, playback_id)
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
def test_the_sweep_heals_it_after_the_usual_silence(mux_sim: MuxSim, app: Flask, tracked: bool) -> None:
    asset_id, playback_id = asset(mux_sim)
    lesson = sold(asset_id)
    if tracked:
        make_tracking(lesson, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    command(app, "sweep")
    assert mux_sim.calls() == [], "whoever wrote it may be about to write the true one"
    made_old()
    command(app, "sweep")
    healed(mux_sim, lesson, asset_id, playback_id)
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


def test_a_person_who_publishes_such_a_draft_gets_it_published(mux_sim: MuxSim) -> None:
    asset_id, playback_id = asset(mux_sim)
    draft = sold(asset_id, status="draft")
    tracked = sold(asset_id, status="draft")
    make_tracking(tracked, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    for lesson in (draft, tracked):
        assert lessons.publish(lesson, actor=CLI)
        assert mux_sim.lesson(lesson).mux_playback_id == playback_id


def test_an_event_about_its_asset_heals_it_too(mux_sim: MuxSim) -> None:
    asset_id, playback_id = asset(mux_sim)
    lesson = sold(asset_id)
    make_tracking(lesson, status="ready", mux_asset_id=asset_id, mux_playback_id=TEMPORARY)
    mux_sim.control.send_event("video.asset.ready", asset_id=asset_id)
    mux_sim.deliver()
    healed(mux_sim, lesson, asset_id, playback_id)


# what an importer left without a video status


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
    healed(mux_sim, lesson, str(lesson.mux_asset_id), playback_id)
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
    from lessonadmin.domain.uploads import intake

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


def plan_of(query: Select[Any]) -> str:
    """How PostgreSQL answers it; with the values in the text, `%` stands there twice."""
    written = str(query.compile(db.engine, compile_kwargs={"literal_binds": True})).replace("%%", "%")
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        plan = "\n".join(connection.exec_driver_sql("EXPLAIN " + written.replace("%", "%%")).scalars())
        connection.invalidate()
    return plan


def test_the_sweep_finds_them_by_an_index(mux_sim: MuxSim, app: Flask) -> None:
    from lessonadmin.domain.uploads import intake

    for _ in range(3):
        imported(mux_sim)
    plans = [plan_of(query) for kind in ("lesson", "course") for query in intake.wanted(kind)]
    names = ("lessons_untaken", "lessons_temporary_playback", "courses_untaken", "courses_temporary_playback")
    assert [name for name, plan in zip(names, plans, strict=True) if name not in plan] == []


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
    assert (now.status, now.video_processing_status, mux_sim.rows(draft)) == ("draft", status, [])
    assert mux_sim.calls() == []
    # a person may publish it, of course
    lessons.publish(draft, actor=CLI)
    db.session.execute(
        text("UPDATE mux_asset_tracking SET next_check_at = now() WHERE status = 'processing'")
    )
    db.session.commit()
    command(app, "sweep")
    assert mux_sim.lesson(draft).status == "published"


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
