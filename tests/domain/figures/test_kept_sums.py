"""The sums that are kept are those that the rows add up to, after every kind of change; and pages read them only while they are current."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.errors import DivisionByZero
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import db
from lessonadmin.domain.figures import counting, figures, kept_sums, lesson_list
from lessonadmin.domain.figures.scope import SPANS, Scope, Span
from lessonadmin.domain.maintenance import retention
from lessonadmin.domain.models import DaySum, Lesson, LessonSum, LessonView
from lessonadmin.mux.viewing import AmountPage
from tests import owner
from tests.factories import make_playing_lesson, make_user, make_view

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).date()
# What the rows add up to, beside what is kept: anything that is only in one of the two.
DIFFERENT = """
WITH lessons_now AS (
  SELECT span, lesson_id, sum(seconds::numeric) AS seconds, sum(plays) AS plays, count(*) AS views
    FROM lesson_views JOIN kept_sums ON first_day IS NULL OR day >= first_day GROUP BY span, lesson_id
), days_now AS (
  SELECT day, sum(seconds::numeric) AS seconds, sum(plays) AS plays, count(*) AS views
    FROM lesson_views WHERE EXISTS (SELECT FROM kept_sums WHERE span = 'all') GROUP BY day
)
SELECT count(*) FROM (
  SELECT n.span, n.lesson_id::text FROM lessons_now n FULL JOIN lesson_sums k USING (span, lesson_id)
   WHERE (n.seconds, n.plays, n.views) IS DISTINCT FROM (k.seconds, k.plays, k.views)
  UNION ALL SELECT 'day', n.day::text FROM days_now n FULL JOIN day_sums k USING (day)
   WHERE (n.seconds, n.plays, n.views) IS DISTINCT FROM (k.seconds, k.plays, k.views)
) different
"""


@pytest.fixture(autouse=True)
def lessons(session: Session) -> Iterator[list[Lesson]]:
    """Two that are watched in and before each span, with seconds that have no end as binary numbers."""
    found = [make_playing_lesson(mux_asset_id=f"asset-{number}") for number in range(2)]
    for lesson in found:
        for back in (1, 6, 7, 29, 30, 60, 90, 400):
            make_view(lesson, TODAY - back * DAY, seconds=back + 0.1, plays=back)
    kept_sums.renew()
    yield found
    row_access.use(EVERYTHING)


def different() -> int:
    """How many sums are not what the rows add up to."""
    db.session.rollback()
    return int(db.session.execute(text(DIFFERENT)).scalar_one())


def kept(lesson: Lesson) -> dict[str, tuple[Decimal, int]]:
    db.session.rollback()
    query = select(LessonSum.span, LessonSum.seconds, LessonSum.plays).where(LessonSum.lesson_id == lesson.id)
    return {span: (seconds, plays) for span, seconds, plays in db.session.execute(query)}


def test_they_are_made_for_each_span_and_day(lessons: list[Lesson]) -> None:
    assert kept(lessons[0]) == {
        "7": (Decimal("7.2"), 7),
        "30": (Decimal("43.4"), 43),
        "90": (Decimal("133.6"), 133),
        "all": (Decimal("623.8"), 623),
    }
    assert db.session.get(DaySum, TODAY - DAY).seconds == Decimal("2.2")  # type: ignore[union-attr]
    assert different() == 0
    assert kept_sums.renew() == [], "they are current"


def test_whatever_changes_a_row_changes_its_sums(lessons: list[Lesson]) -> None:
    one, other = lessons
    counted_first = counting.Page("minutes", TODAY - 2 * DAY, 1)
    for amounts in ({"asset-0": 12.3, "asset-1": 0.7, "foreign": 9.0}, {"asset-0": 99.9}, {"asset-0": 0.0}):
        counting._store(counted_first, AmountPage(amounts, 1))  # counted, and counted again
        assert different() == 0
    counting._store(counting.Page("plays", TODAY - 40 * DAY, 1), AmountPage({"asset-1": 5}, 1))
    assert kept(other)["90"] == (Decimal("134.3"), 138)
    another = make_user()
    db.session.execute(update(Lesson).where(Lesson.id == one.id).values(creator_id=another.id))
    db.session.execute(
        update(LessonView).where(LessonView.day == TODAY - 6 * DAY).values(day=TODAY - 8 * DAY)
    )
    db.session.commit()
    assert different() == 0
    db.session.execute(delete(LessonView).where(LessonView.day >= TODAY - 29 * DAY))
    db.session.commit()
    assert set(kept(one)) == {"90", "all"}, "of what is not watched there is no sum"
    assert different() == 0


def test_an_instructor_who_deletes_a_lesson_takes_its_part_along(lessons: list[Lesson]) -> None:
    """Also though an instructor may not see a sum."""
    [lesson, other] = lessons
    row_access.use(RowAccess(lesson.creator_id))
    assert db.session.scalars(select(LessonView.lesson_id)).first() == lesson.id
    assert (
        db.session.scalars(select(LessonSum.span)).all() == db.session.scalars(select(DaySum.day)).all() == []
    )
    db.session.execute(delete(Lesson).where(Lesson.id == lesson.id))
    db.session.commit()
    row_access.use(EVERYTHING)
    assert different() == 0
    assert kept(lesson) == {}
    assert db.session.get(DaySum, TODAY - DAY).seconds == Decimal("1.1")  # type: ignore[union-attr]
    assert kept(other)["7"] == (Decimal("7.2"), 7)


def test_what_is_kept_no_longer_leaves_the_sums(lessons: list[Lesson]) -> None:
    make_view(lessons[0], TODAY - 6 * 365 * DAY, seconds=5)
    assert kept(lessons[0])["all"][0] == Decimal("628.8")
    assert retention.prune()["lesson_views"] == 1
    assert kept(lessons[0])["all"][0] == Decimal("623.8")
    assert different() == 0


@pytest.mark.parametrize("days", [1, 25, 200, -3])
def test_a_new_day_takes_away_what_has_left_its_span(days: int) -> None:
    """Or several, after the clock was still; set back, all is made anew."""
    assert kept_sums.renew(TODAY + days * DAY) == ["7", "30", "90"]
    assert different() == 0
    first = db.session.execute(text("SELECT first_day FROM kept_sums WHERE span = '7'")).scalar_one()
    assert first == TODAY + (days - 6) * DAY


def test_a_killed_worker_leaves_both_or_neither(
    monkeypatch: pytest.MonkeyPatch, lessons: list[Lesson]
) -> None:
    before = kept(lessons[0])

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(counting, "_note", killed)
        with pytest.raises(SystemExit):
            counting._store(counting.Page("minutes", TODAY - DAY, 1), AmountPage({"asset-0": 500.0}, 1))
    assert (kept(lessons[0]), different()) == (before, 0)
    with monkeypatch.context() as patch:
        patch.setattr(kept_sums, "KEPT", "SELECT 1 / 0")
        with pytest.raises(DBAPIError) as error:
            kept_sums.renew(TODAY + 30 * DAY)
        assert isinstance(error.value.orig, DivisionByZero)
    assert (kept(lessons[0]), different()) == (before, 0)


@pytest.mark.parametrize("alone", [True, False])
def test_they_wait_for_a_change_that_is_not_committed(
    app: Flask, monkeypatch: pytest.MonkeyPatch, lessons: list[Lesson], alone: bool
) -> None:
    """A control makes them without their lock, and misses it."""
    if not alone:
        monkeypatch.setattr(kept_sums, "ALONE", "SELECT 1")
    db.session.execute(text("DELETE FROM kept_sums"))
    db.session.commit()

    def renew() -> None:
        with app.app_context():
            kept_sums.renew()
            db.session.remove()

    renewing = threading.Thread(target=renew)
    with psycopg.connect(owner.url()) as writer:
        writer.execute("UPDATE lesson_views SET seconds = seconds + 1 WHERE lesson_id = %s", [lessons[0].id])
        renewing.start()
        until = time.monotonic() + 10
        while renewing.is_alive() and not _is_waited_for():
            assert time.monotonic() < until
            time.sleep(0.01)
        assert renewing.is_alive() is alone
        writer.commit()
    renewing.join(10)
    assert (different() == 0) is alone


def _is_waited_for() -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'kept_sums'::regclass AND NOT granted"
    waiting = db.session.execute(text(query)).scalar_one()
    db.session.rollback()
    return bool(waiting)


def test_the_school_reads_them_while_they_are_current(
    monkeypatch: pytest.MonkeyPatch, lessons: list[Lesson]
) -> None:
    """A control writes other sums: they are shown, until they are not those of today. Others than the school never read them."""
    monkeypatch.setattr(lesson_list, "PER_PAGE", 1)
    one, other = lessons

    def first(which: Scope, sort: lesson_list.Sort, span: Span = "7") -> uuid.UUID:
        return lesson_list.best(which, span, sort, 1).rows[0].id

    def watched(which: Scope) -> int:
        return round(sum(amounts.minutes or 0 for amounts in figures._days(which, None, {}).values()) * 60)

    assert [first(Scope(), "minutes"), first(Scope(), "plays"), watched(Scope())] == [one.id, one.id, 1248]
    db.session.execute(
        update(LessonSum).where(LessonSum.lesson_id == other.id, LessonSum.span == "7").values(plays=8)
    )
    db.session.commit()
    assert [first(Scope(), "plays"), first(Scope(), "plays", "30")] == [other.id, one.id]
    db.session.execute(update(LessonSum).where(LessonSum.lesson_id == other.id).values(seconds=9000, plays=0))
    db.session.execute(update(DaySum).values(seconds=100))
    db.session.commit()
    assert [first(Scope(), "minutes"), first(Scope(), "plays"), watched(Scope())] == [other.id, one.id, 800]
    assert first(Scope(owner_id=one.creator_id), "minutes") == one.id
    assert watched(Scope(lesson_id=one.id)) == 624
    pages = [[row.id for row in lesson_list.best(Scope(), "7", "minutes", n).rows] for n in (1, 2, 3)]
    assert pages == [[other.id], [other.id], []], "the last page is added up"
    db.session.execute(text("UPDATE kept_sums SET first_day = first_day - 1 WHERE span = '7'"))
    db.session.commit()
    assert [first(Scope(), "minutes"), first(Scope(), "minutes", "30")] == [one.id, other.id]
    db.session.execute(text("DELETE FROM kept_sums WHERE span = 'all'"))
    db.session.commit()
    assert watched(Scope()) == 1248


def test_a_control_without_the_triggers_finds_them_different(lessons: list[Lesson]) -> None:
    owner.execute("ALTER TABLE lesson_views DISABLE TRIGGER USER")
    try:
        db.session.execute(update(LessonView).values(seconds=LessonView.seconds + 1))
        db.session.commit()
    finally:
        owner.execute("ALTER TABLE lesson_views ENABLE TRIGGER USER")
    assert different() > len(SPANS)
