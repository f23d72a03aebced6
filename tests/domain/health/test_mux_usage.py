"""How near the school is to its plan's end: nothing is said without a limit, in time with one, and no longer than it is so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from lessonadmin.db import JOB, db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.health import alarms, mux_usage
from lessonadmin.domain.models import AssetDeletion, ReconcileRun, Rollup
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.fixture
def plan(mux_sim: MuxSim) -> Iterator[None]:
    """A plan of ten videos, a hundred stored minutes and a thousand delivered ones a month."""
    limits = (("videos", 10), ("stored_minutes", 100), ("delivered_minutes", 1000))
    with overridden(mux_plan_limits=limits):
        yield


def noted(figure: str, *, days_ago: float, count: int = 0, minutes: float = 0.0) -> None:
    hour = func.date_trunc("hour", func.clock_timestamp()) - timedelta(days=days_ago)
    db.session.add(Rollup(hour=hour, figure=figure, label="", count=count, value=minutes))
    db.session.commit()


def stands() -> bool:
    alarms.look(actor=JOB)
    found = {alarm.kind for alarm in alarms.standing()}
    db.session.rollback()
    return "quota_near" in found


def test_without_a_limit_nothing_is_said(mux_sim: MuxSim) -> None:
    noted(mux_usage.STORED, days_ago=0, count=1_000_000, minutes=1_000_000)
    assert mux_usage.near_limit() is None


def test_each_finished_day_is_asked_for_once(mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
    assert mux_usage.ask_delivered() == 0  # nothing of the school could be watched
    lesson = make_lesson()
    make_tracking(lesson, created_at=datetime.now(UTC) - timedelta(days=5))
    noted_days = mux_usage.ask_delivered()
    assert noted_days in (4, 5)  # Mux is twelve hours behind, so it depends on the time of day
    asked = db.session.scalar(select(func.count()).where(Rollup.figure == mux_usage.DELIVERED))
    assert asked == noted_days
    assert mux_usage.ask_delivered() == 0


@pytest.mark.usefixtures("plan")
def test_what_lessons_hold_is_counted_and_counts() -> None:
    for _ in range(8):
        make_playing_lesson(video_duration=60)
    mux_usage.count_stored()
    assert mux_usage.stored_minutes() == (8.0, 8)
    assert mux_usage.near_limit() is None
    make_playing_lesson(video_duration=60)
    mux_usage.count_stored()
    assert mux_usage.near_limit() == "9 of the plan's 10 videos are used."


def test_everything_that_mux_stores_counts_once(mux_sim: MuxSim) -> None:
    """Replaced videos in their grace time, previews, shared assets, failed ones, and what waits to be deleted."""
    lesson = make_playing_lesson(video_duration=60)
    replaced = {"superseded_at": datetime.now(UTC), "status": "ready", "duration": 120.0}
    make_tracking(lesson, mux_asset_id="replaced", **replaced)
    make_tracking(lesson, mux_asset_id="failed", status="error", superseded_at=datetime.now(UTC))
    make_tracking(
        lesson, mux_asset_id="gone", status="deleted", duration=600.0, superseded_at=datetime.now(UTC)
    )
    unwanted = {"status": "cancelled", "superseded_at": datetime.now(UTC), "duration": 600.0}
    make_tracking(lesson, mux_asset_id="was unwanted", **unwanted)
    make_lesson(mux_asset_id="replaced", video_duration=120.0, video_processing_status="ready")
    make_lesson(mux_asset_id="temp_1", video_duration=600.0)
    make_course(mux_asset_id="preview", video_duration=180.0, video_processing_status="ready")
    db.session.add(AssetDeletion(mux_asset_id="of a deleted lesson"))
    db.session.add(AssetDeletion(mux_asset_id="was unwanted", done_at=func.clock_timestamp()))
    db.session.commit()
    mux_usage.count_stored()
    minutes, videos = mux_usage.stored_minutes()
    assert (round(minutes, 1), videos) == (6.0, 5)


@pytest.mark.usefixtures("plan")
def test_videos_of_other_applications_fill_the_plan_too() -> None:
    db.session.add(ReconcileRun(started_by="clock", assets=10, finished_at=func.clock_timestamp()))
    db.session.commit()
    assert mux_usage.near_limit() == "10 of the plan's 10 videos are used."


@pytest.mark.usefixtures("plan")
def test_minutes_that_will_not_last_a_month_are_told_now() -> None:
    noted(mux_usage.STORED, days_ago=20, minutes=10)
    noted(mux_usage.STORED, days_ago=0, minutes=50)
    assert mux_usage.near_limit() is None
    noted(mux_usage.STORED, days_ago=-1 / 24, minutes=60)
    assert mux_usage.near_limit() == (
        "60 of the plan's 100 stored minutes are used; at this pace they are used up within 30 days."
    )


@pytest.mark.usefixtures("plan")
def test_a_month_of_watching_near_its_end_stands_until_it_is_over() -> None:
    noted(mux_usage.DELIVERED, days_ago=10, minutes=950)
    assert mux_usage.near_limit() == "950 of the plan's 1,000 delivered minutes are used."
    assert stands()
    with overridden(mux_plan_limits=(("delivered_minutes", 2000),)):
        assert not stands()
