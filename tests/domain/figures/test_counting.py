"""What Mux counted arrives once for each lesson and day: over pages, after a kill, late, missed, and with a token that may not."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from lessonadmin import mux
from lessonadmin.db import JOB, alone, db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.figures import counting
from lessonadmin.domain.health import alarms
from lessonadmin.domain.models import AssetDeletion, CountedDay, Heartbeat, Lesson, LessonView
from lessonadmin.mux import viewing
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def plenty(mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A budget that no test empties, and players that report."""
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
    with overridden(mux_env_key="key"):
        yield


def newest() -> date:
    return mux.newest_day(datetime.now(UTC))


def at(day: date, hours: int = 9) -> float:
    return datetime(day.year, day.month, day.day, hours, tzinfo=UTC).timestamp()


def school_since(days: int, lesson: Lesson | None = None) -> None:
    """The first upload was on the first of so many days that are over at Mux; which those are depends on the hour."""
    begun = datetime.fromtimestamp(at(newest() - (days - 1) * DAY), UTC)
    make_tracking(lesson or make_lesson(), created_at=begun, status="cancelled", superseded_at=begun)


def watched(mux_sim: MuxSim, lesson: Lesson, day: date, *, seconds: float = 0, plays: int = 0) -> None:
    asset_id = lesson.mux_asset_id
    assert asset_id is not None
    if seconds:
        mux_sim.control.played(asset_id, seconds, at=at(day))
    if plays:
        mux_sim.control.viewed(asset_id, plays, at=at(day))


def playing(mux_sim: MuxSim, count: int = 1, **columns: Any) -> list[Lesson]:
    """Lessons with an asset that the simulator has, too."""
    assets = mux_sim.control.seed_assets(count)
    return [make_playing_lesson(mux_asset_id=asset_id, **columns) for asset_id in assets]


def found(lesson: Lesson | None = None) -> dict[date, tuple[float, int]]:
    db.session.rollback()
    query = select(LessonView.day, func.sum(LessonView.seconds), func.sum(LessonView.plays)).group_by(
        LessonView.day
    )
    if lesson is not None:
        query = query.where(LessonView.lesson_id == lesson.id)
    return {day: (seconds, plays) for day, seconds, plays in db.session.execute(query)}


def days_of(what: str) -> dict[date, CountedDay]:
    db.session.rollback()
    return {row.day: row for row in db.session.scalars(select(CountedDay).where(CountedDay.what == what))}


def nights_pass(hours: int = 21) -> None:
    """What was noted is so much older, and nothing else is."""
    for column in (CountedDay.counted_at, CountedDay.failed_at):
        db.session.execute(update(CountedDay).values({column: column - timedelta(hours=hours)}))
    db.session.commit()


def test_minutes_and_plays_arrive_by_lesson_and_day(mux_sim: MuxSim) -> None:
    school_since(5)
    one, other, silent = playing(mux_sim, 3)
    last, before = newest(), newest() - DAY
    watched(mux_sim, one, last, seconds=90, plays=2)
    watched(mux_sim, one, before, seconds=30)
    watched(mux_sim, other, last, seconds=600, plays=7)
    watched(mux_sim, one, last + DAY, seconds=5000, plays=50)  # not over at Mux
    assert counting.is_due()
    assert counting.count_some() is False
    assert found(one) == {last: (90, 2), before: (30, 0)}
    assert found(other) == {last: (600, 7)}
    assert found(silent) == {}
    assert not counting.is_due(), "a night later again"
    owners = set(db.session.scalars(select(LessonView.owner_id)))
    assert owners == {one.creator_id, other.creator_id}


def test_a_lesson_has_all_assets_that_it_ever_had_and_nothing_of_others(mux_sim: MuxSim) -> None:
    school_since(2)
    last = newest()
    [lesson, sharing] = playing(mux_sim, 2)
    replaced, imported, foreign, preview, removed = mux_sim.control.seed_assets(5)
    gone = datetime.now(UTC)
    make_tracking(lesson, mux_asset_id=replaced, status="deleted", superseded_at=gone)
    make_tracking(make_course(), mux_asset_id=preview, status="ready")
    old = make_lesson(mux_asset_id=imported)  # without an upload's row
    make_lesson(mux_asset_id=sharing.mux_asset_id)  # uses it too, and it was not uploaded for it
    db.session.add(AssetDeletion(mux_asset_id=removed, target_type="lesson", target_id=lesson.id))
    db.session.commit()
    for asset_id in (
        lesson.mux_asset_id,
        sharing.mux_asset_id,
        replaced,
        imported,
        foreign,
        preview,
        removed,
    ):
        mux_sim.control.played(str(asset_id), 60, at=at(last))
    counting.count_some()
    assert found(lesson) == {last: (180, 0)}
    assert found(old) == {last: (60, 0)}
    assert found(sharing) == {last: (60, 0)}
    assert found() == {last: (300, 0)}


def test_a_night_costs_a_call_for_a_hundred_assets_and_goes_on_after_a_kill(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    school_since(1)
    monkeypatch.setattr(viewing, "PAGE", 2)
    lessons = playing(mux_sim, 5)
    last = newest()
    for number, lesson in enumerate(lessons):
        watched(mux_sim, lesson, last, seconds=10 + number)
    page = counting.next_page()
    assert page == counting.Page("minutes", last, 1)
    db.session.rollback()
    assert page is not None
    counting._count(page)  # and here the worker is killed
    assert len(found(lessons[4])) == 1
    assert days_of("minutes")[last].counted_at is None
    assert counting.next_page() == counting.Page("minutes", last, 2)
    counting.count_some()
    assert found() == {last: (60.0, 0)}
    calls = [one for one in mux_sim.calls("list_delivery_usage") if str(int(at(last, 0))) in str(one)]
    assert len(calls) == 3


def test_counted_again_it_is_the_same_and_what_came_late_is_there(mux_sim: MuxSim) -> None:
    school_since(8)
    [lesson] = playing(mux_sim)
    last = newest()
    old = last - 4 * DAY
    for day in (last, old):
        watched(mux_sim, lesson, day, seconds=60, plays=1)
    counting.count_some()
    assert found(lesson) == {last: (60, 1), old: (60, 1)}
    asked = len(mux_sim.calls("list_delivery_usage"))
    nights_pass()
    for day in (last, old):
        watched(mux_sim, lesson, day, seconds=30, plays=1)
    counting.count_some()
    assert found(lesson) == {last: (90, 2), old: (60, 1)}, "three days are counted again, older ones are not"
    assert len(mux_sim.calls("list_delivery_usage")) - asked == counting.COUNTED_AGAIN_DAYS


def test_missed_nights_are_caught_up_as_far_as_mux_goes_back(mux_sim: MuxSim) -> None:
    school_since(200)
    [lesson] = playing(mux_sim)
    last = newest()
    oldest = last - 88 * DAY
    watched(mux_sim, lesson, oldest, seconds=60)
    watched(mux_sim, lesson, oldest - 2 * DAY, seconds=60)
    counting.count_some()
    assert found(lesson) == {oldest: (60, 0)}
    assert sorted(days_of("minutes")) == [oldest + number * DAY for number in range(89)]


def test_without_an_upload_and_without_reporting_players_nothing_is_asked(mux_sim: MuxSim) -> None:
    assert not counting.is_due()
    school_since(3)
    with overridden(mux_env_key=None):
        counting.count_some()
        assert not counting.is_due()
    assert mux_sim.calls("list_breakdown_values") == []
    assert counting.is_due(), "with a key there are plays to ask for"


def test_a_token_without_the_permission_is_asked_again_next_night_and_rings_no_alarm(mux_sim: MuxSim) -> None:
    school_since(4)
    [lesson] = playing(mux_sim)
    watched(mux_sim, lesson, newest(), seconds=60, plays=3)
    mux_sim.control.set_permissions("worker-token", ["video:read", "video:write"])
    counting.count_some()
    assert not counting.is_due()
    counting.count_some()
    assert len(mux_sim.calls("list_breakdown_values")) == 1, "known once, not for each day"
    assert days_of("plays")[newest()].failure == counting.NOT_ALLOWED
    assert found(lesson) == {newest(): (60, 0)}
    kinds = set(db.session.scalars(select(Heartbeat.name)))
    assert mux_budget.REFUSED not in kinds
    alarms.look(actor=JOB)
    assert [alarm.kind for alarm in alarms.standing() if "mux" in alarm.kind] == []
    mux_sim.control.set_permissions("worker-token", ["video:read", "video:write", "data:read"])
    nights_pass()
    counting.count_some()
    assert found(lesson) == {newest(): (60, 3)}
    assert days_of("plays")[newest()].failure is None


def test_a_wrong_token_is_told_as_always_and_is_not_taken_for_a_permission(mux_sim: MuxSim) -> None:
    school_since(3)
    mux_sim.control.set_permissions("worker-token", ["data:read"])
    counting.count_some()
    assert mux_budget.REFUSED in set(db.session.scalars(select(Heartbeat.name)))
    assert days_of("plays") == {}


@pytest.mark.parametrize(
    ("fault", "params"),
    [("status", {"status": 503}), ("html", {}), ("rate_limited", {}), ("truncated_json", {}), ("reset", {})],
)
def test_a_fault_costs_one_call_and_the_day_is_counted_later(
    mux_sim: MuxSim, fault: str, params: dict[str, Any]
) -> None:
    school_since(1)
    [lesson] = playing(mux_sim)
    watched(mux_sim, lesson, newest(), seconds=60)
    mux_sim.control.fault("api", fault, match={"operation": "list_delivery_usage"}, times=1, **params)
    assert counting.count_some() is False
    assert len(mux_sim.calls("list_delivery_usage")) == 1
    assert found() == {}
    assert days_of("minutes")[newest()].counted_at is None
    nights_pass(1)
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.commit()
    counting.count_some()
    assert found(lesson) == {newest(): (60, 0)}


def test_a_day_that_mux_cannot_tell_does_not_hold_up_the_others(mux_sim: MuxSim) -> None:
    school_since(4)
    [lesson] = playing(mux_sim)
    watched(mux_sim, lesson, newest() - DAY, seconds=60)
    mux_sim.control.fault("api", "truncated_json", match={"operation": "list_delivery_usage"}, times=1)
    counting.count_some()
    counting.count_some()
    assert found(lesson) == {newest() - DAY: (60, 0)}


def test_an_empty_budget_leaves_it_to_the_next_run(mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    school_since(2)
    monkeypatch.setattr(mux_budget, "CAPACITY", 1.0)
    monkeypatch.setattr(counting, "WAIT_SECONDS", 0.0)
    assert counting.count_some() is False
    assert mux_sim.calls("list_delivery_usage") == []
    assert counting.is_due()


def test_only_one_process_asks(mux_sim: MuxSim) -> None:
    school_since(2)
    with db.engine.connect() as connection, alone(counting.LOCK, on=connection):
        assert not counting.is_due()
        assert counting.count_some() is False
    assert mux_sim.calls("list_delivery_usage") == []


def test_what_was_watched_follows_its_lesson(mux_sim: MuxSim) -> None:
    """To another instructor, and away when it is deleted permanently."""
    school_since(1)
    [lesson] = playing(mux_sim)
    watched(mux_sim, lesson, newest(), seconds=60)
    counting.count_some()
    other = make_user()
    db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(creator_id=other.id))
    db.session.commit()
    assert db.session.scalars(select(LessonView.owner_id)).one() == other.id
    db.session.execute(text("DELETE FROM mux_asset_tracking WHERE lesson_id = :id"), {"id": lesson.id})
    db.session.execute(text("DELETE FROM lessons WHERE id = :id"), {"id": lesson.id})
    db.session.commit()
    assert found() == {}


def test_an_unknown_asset_is_of_no_lesson() -> None:
    page = counting.Page("minutes", newest(), 1)
    counting._store(page, viewing.AmountPage({uuid.uuid4().hex: 60.0}, 1))
    assert found() == {}
