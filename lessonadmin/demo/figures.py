"""What was watched and sold in the demo school in the days before it was made, so that its figures show something at once.

The days are before the first upload, of which the job that counts at Mux asks nothing: what is planted here stays. No money moves.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.demo.school import BUYERS, DemoLesson
from lessonadmin.domain.accounts import users
from lessonadmin.domain.models import CountedDay, Lesson, LessonView, Purchase
from lessonadmin.domain.models.health import COUNTED

DAYS = 30
SECONDS_A_PLAY = 210.0
WEEKEND = 5  # and Sunday


def plant(made: Sequence[tuple[DemoLesson, Lesson]]) -> None:
    """For those of these lessons that have viewers, in the open transaction."""
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    newest = mux.newest_day(now)
    days = [newest - timedelta(days=back) for back in reversed(range(DAYS))]
    for day in days:
        for what in COUNTED:
            row = insert(CountedDay).values(what=what, day=day, counted_at=func.clock_timestamp())
            db.session.execute(row.on_conflict_do_nothing())
    watched = [(one, lesson) for one, lesson in made if one.plays_a_day]
    for one, lesson in watched:
        db.session.add_all(_view(lesson, day, _plays(one, day)) for day in days)
    _sell([lesson for one, lesson in watched if one.price_cents], days)


def _plays(one: DemoLesson, day: date) -> int:
    """More at the weekend, and each day another number."""
    return one.plays_a_day + day.toordinal() * 7 % 5 + (4 if day.weekday() >= WEEKEND else 0)


def _view(lesson: Lesson, day: date, plays: int) -> LessonView:
    return LessonView(
        lesson_id=lesson.id,
        owner_id=lesson.creator_id,
        day=day,
        mux_asset_id=f"demo-{lesson.id}",
        seconds=plays * SECONDS_A_PLAY,
        plays=plays,
    )


def _sell(lessons: Sequence[Lesson], days: Sequence[date]) -> None:
    """Each buyer has them all, bought on days of their own; not by `purchases`, which sells today, and what plays already."""
    for number, email in enumerate(BUYERS):
        buyer = users.find_by_email(email) or users.create_user(email=email, role="student")
        for place, lesson in enumerate(lessons):
            day = days[(number * 7 + place * 3) % len(days)]
            db.session.add(
                Purchase(
                    lesson_id=lesson.id,
                    user_id=buyer.id,
                    owner_id=lesson.creator_id,
                    price_cents=lesson.price_cents,
                    created_at=datetime.combine(day, time(18, number), UTC),
                )
            )
