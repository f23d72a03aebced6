"""The figures of the demo school show something at once, and the job that counts at Mux leaves them as they are."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.demo import figures, school, seeding
from lessonadmin.domain.accounts import users
from lessonadmin.domain.figures import counting
from lessonadmin.domain.figures.figures import Figures, of
from lessonadmin.domain.figures.scope import Scope
from lessonadmin.domain.models import LessonView, Tracking
from tests.mux_sim import MuxSim
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


def seen() -> Figures:
    db.session.rollback()
    instructor = users.find_by_email(school.INSTRUCTOR)
    assert instructor is not None
    return of(Scope(owner_id=instructor.id), "90")


def test_there_are_minutes_plays_and_sales_of_many_days_and_a_second_time_no_more(mux_sim: MuxSim) -> None:
    seeding.seed()
    total = seen().total
    assert total.minutes
    assert total.plays
    paid = [one for one in school.LESSONS if one.plays_a_day and one.price_cents]
    assert total.sales == len(paid) * len(school.BUYERS)
    assert total.cents == sum(one.price_cents for one in paid) * len(school.BUYERS)
    steps = seen().steps.values()
    assert sum(bool(step.plays) for step in steps) == figures.DAYS
    assert sum(bool(step.sales) for step in steps) >= len(school.BUYERS)
    assert all(one.video == "plays" and not one.stays_draft for one in school.LESSONS if one.plays_a_day)
    seeding.seed()
    assert seen().total == total


def test_what_is_planted_is_not_asked_for_at_mux(mux_sim: MuxSim) -> None:
    seeding.seed()
    mux_sim.deliver()
    before = seen().total
    with overridden(mux_env_key="key"):
        assert counting.next_page() is None, "all its days are before the first upload"
        counting.count_some()
    assert seen().total == before
    newest = db.session.scalars(select(func.max(LessonView.day))).one()
    assert newest <= mux.newest_day(datetime.now(UTC)), "no figure is of a day that is not over at Mux"
    begun = db.session.scalars(select(func.min(Tracking.created_at)).where(Tracking.status == "ready")).one()
    assert newest < begun.date(), "a day of the first upload would be counted and written over"
