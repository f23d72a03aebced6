"""By day: what was watched and sold, what is not counted yet, what is no money, and by which index it is answered."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, text, update
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.figures import counting, figures, kept_sums, lesson_list, scope
from lessonadmin.domain.figures.figures import Figures
from lessonadmin.domain.figures.scope import Scope
from lessonadmin.domain.models import CountedDay, Lesson, Purchase
from tests import owner, queries
from tests.factories import make_lesson, make_playing_lesson, make_purchase, make_user, make_view
from tests.settings import overridden

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).date()
COUNTED_TO = TODAY - 2 * DAY


@pytest.fixture(autouse=True)
def _with_session(session: Session) -> Iterator[None]:
    with overridden(mux_env_key="key"):
        yield


def counted(what: str = "minutes", *, days: int = 10, until: date = COUNTED_TO) -> None:
    for number in range(days):
        db.session.add(CountedDay(what=what, day=until - number * DAY, counted_at=func.clock_timestamp()))
    db.session.commit()


def sold(lesson: Lesson, cents: int, *, days_ago: int = 0, **columns: object) -> Purchase:
    purchase = make_purchase(lesson, make_user(role="student"))
    values = {"price_cents": cents, "created_at": datetime.now(UTC) - days_ago * DAY, **columns}
    db.session.execute(update(Purchase).where(Purchase.id == purchase.id).values(**values))
    db.session.commit()
    return purchase


def of(lesson: Lesson, span: scope.Span = "7") -> Figures:
    return figures.of(Scope(lesson_id=lesson.id), span)


def test_a_day_that_is_counted_and_one_that_is_not() -> None:
    lesson = make_playing_lesson()
    counted(days=3)
    make_view(lesson, COUNTED_TO, seconds=90)
    make_view(lesson, COUNTED_TO, seconds=30)  # of another asset
    found = of(lesson)
    assert [one.minutes for one in found.steps.values()] == [None, None, 0.0, 0.0, 2.0, None, None]
    assert list(found.steps) == [TODAY - number * DAY for number in range(6, -1, -1)]
    assert (found.total.minutes, found.counted_until, found.total.plays) == (2.0, COUNTED_TO, None)
    assert found.chart("minutes").series[0].numbers == (0, 0, 0, 0, 2, 0, 0)


def test_before_the_first_count_nothing_is_said_to_be_none() -> None:
    found = of(make_playing_lesson())
    assert (found.total.minutes, found.total.plays, found.counted_until) == (None, None, None)
    assert found.chart("minutes").series == ()


def test_plays_are_there_for_days_that_are_counted() -> None:
    lesson = make_playing_lesson()
    counted(days=3)
    counted("plays", days=2)
    make_view(lesson, COUNTED_TO, plays=4)
    found = of(lesson)
    assert [one.plays for one in found.steps.values()] == [None, None, None, 0, 4, None, None]
    assert found.shows_plays
    assert found.plays_state == "counted"


def test_sales_are_what_students_paid_at_the_price_then() -> None:
    lesson = make_playing_lesson(price_cents=900)
    by = make_user(role="admin")
    sold(lesson, 900)
    sold(lesson, 500, days_ago=3)
    sold(lesson, 700, days_ago=20)
    sold(lesson, 0)  # when it was free
    sold(lesson, 0, given_by=by.id, give_reason="Won")
    sold(lesson, 900, revoked_at=datetime.now(UTC), revoke_reason="Twice", lesson_title="Gone")
    found = of(lesson)
    assert (found.total.sales, found.total.cents, found.given, found.revoked) == (2, 1400, 1, 1)
    assert found.steps[TODAY].cents == 900
    assert of(lesson, "30").total.cents == 2100
    free = make_playing_lesson(price_cents=0)
    assert not of(free).has_sales


def test_all_time_is_by_month() -> None:
    lesson = make_playing_lesson()
    counted(days=80)
    make_view(lesson, COUNTED_TO - 70 * DAY, seconds=600)
    sold(lesson, 900, days_ago=400)
    found = of(lesson, "all")
    assert 13 <= len(found.steps) <= 15
    assert all(step.day == 1 for step in found.steps)
    assert (found.total.minutes, found.total.cents) == (10.0, 900)


def test_whose_figures_they_are() -> None:
    counted()
    mine, other = make_playing_lesson(price_cents=900), make_playing_lesson(price_cents=900)
    for lesson, seconds in ((mine, 60), (other, 600)):
        make_view(lesson, COUNTED_TO, seconds=seconds)
        sold(lesson, 900)
    assert figures.of(Scope(owner_id=mine.creator_id), "7").total == figures.Amounts(1.0, None, 1, 900)
    assert figures.of(Scope(), "7").total == figures.Amounts(11.0, None, 2, 1800)
    assert figures.of(Scope(lesson_id=uuid.uuid4()), "7").total == figures.Amounts(0.0, None, 0, 0)


def test_why_there_are_no_plays() -> None:
    with overridden(mux_env_key=None):
        assert figures.plays_state() == "not_reported"
    assert figures.plays_state() == "not_yet"
    refused = CountedDay(what="plays", day=COUNTED_TO, failed_at=func.clock_timestamp(), failure=counting.NOT_ALLOWED)  # fmt: skip
    db.session.add(refused)
    db.session.commit()
    assert figures.plays_state() == "not_allowed"
    counted("plays", days=1, until=COUNTED_TO - DAY)
    assert figures.plays_state() == "counted"


def test_an_index_answers_for_an_instructor_and_for_the_school() -> None:
    lesson = make_lesson()
    fill()
    expected = {
        Scope(lesson_id=lesson.id): ("pk_lesson_views", "ix_purchases_lesson_id"),
        Scope(owner_id=lesson.creator_id): ("ix_lesson_views_owner_id", "ix_purchases_sales_of_owner"),
        Scope(): ("ix_lesson_views_day", "ix_purchases_sales"),
    }
    for which, indexes in expected.items():
        with queries.asked() as sent:
            figures.of(which, "7")
        assert len(sent) <= 8
        plans = queries.plans_of([one for one in sent if "GROUP BY" in one[0]])
        for plan, index in zip(plans, indexes, strict=True):
            assert f"{index} " in plan, plan
            assert "Seq Scan" not in plan
    kept_sums.renew()
    owner.execute("VACUUM ANALYZE lesson_sums")
    for sort in ("minutes", "plays"):
        with queries.asked() as sent:
            lesson_list.best(Scope(), "30", lesson_list.read_sort(sort), 1)
        assert not any("GROUP BY lesson_views" in one and "LIMIT" in one for one, _ in sent), (
            "nothing is added up"
        )
        [plan] = queries.plans_of([one for one in sent if "lesson_sums" in one[0]])
        assert f"ix_lesson_sums_by_{sort} " in plan, plan
        assert "Sort" not in plan


def fill() -> None:
    """Three thousand lessons of another instructor, watched and sold on each of thirty days or once."""
    other = make_user()
    student = make_user(role="student")
    rows = """
INSERT INTO lessons (creator_id, title) SELECT :other, 'Filler' FROM generate_series(1, 1500);
INSERT INTO lesson_views (lesson_id, day, mux_asset_id, owner_id, seconds)
  SELECT id, CURRENT_DATE - n, 'a', :other, 60 FROM lessons, generate_series(1, 20) n WHERE title = 'Filler';
INSERT INTO purchases (lesson_id, user_id, owner_id, price_cents, created_at)
  SELECT id, :student, :other, 900, now() - (row_number() OVER ()) * interval '4 hours' FROM lessons WHERE title = 'Filler';
ANALYZE lessons, lesson_views, purchases
"""
    for statement in rows.split(";"):
        db.session.execute(text(statement), {"other": other.id, "student": student.id})
    db.session.commit()
