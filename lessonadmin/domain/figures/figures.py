"""What came of lessons by day, or by month over all time: minutes watched, plays, sales and what they brought.

A day that Mux has not counted yet has no minutes, which is not the same as none. Days are of UTC, for sales too, so that all columns of a row
are of the same hours. Nothing here is written, and Mux is not asked.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from sqlalchemy import Date, and_, cast, func, select

from lessonadmin.db import db
from lessonadmin.domain.figures import counting, kept_sums, scope
from lessonadmin.domain.figures.scope import SALE, Scope, Span
from lessonadmin.domain.hourly_statistics import Chart, Series
from lessonadmin.domain.models import CountedDay, DaySum, LessonView, Purchase

# Plays are counted; players do not report; the token may not read them; nothing was asked for yet.
PlaysState = Literal["counted", "not_reported", "not_allowed", "not_yet"]
DAY = timedelta(days=1)
SALE_DAY = cast(func.timezone("UTC", Purchase.created_at), Date)


@dataclass
class Amounts:
    """Of a day, a month, or all of them; minutes or plays that are not counted are None."""

    minutes: float | None = None
    plays: int | None = None
    sales: int = 0
    cents: int = 0

    def add(self, other: "Amounts") -> None:
        if other.minutes is not None:
            self.minutes = (self.minutes or 0) + other.minutes
        if other.plays is not None:
            self.plays = (self.plays or 0) + other.plays
        self.sales += other.sales
        self.cents += other.cents


@dataclass(frozen=True)
class Figures:
    """Steps are days, or months over all time; the oldest first."""

    span: Span
    steps: Mapping[date, Amounts]
    counted_until: date | None
    plays_state: PlaysState
    given: int = 0
    revoked: int = 0
    total: Amounts = field(default_factory=Amounts)

    @property
    def by_month(self) -> bool:
        return self.span == "all"

    @property
    def shows_plays(self) -> bool:
        return self.total.plays is not None

    @property
    def has_sales(self) -> bool:
        return bool(self.total.sales or self.given or self.revoked)

    def chart(self, what: Literal["minutes", "sales"]) -> Chart:
        numbers = tuple(round(getattr(one, what) or 0) for one in self.steps.values())
        moments = tuple(datetime.combine(day, time(), UTC) for day in self.steps)
        return Chart(moments, (Series("", numbers),) if any(numbers) else ())


def of(which: Scope, span: Span) -> Figures:
    until = scope.today()
    first = scope.first_day(span, until)
    counted = {what: _counted(what, first) for what in ("minutes", "plays")}
    days = _days(which, first, counted)
    oldest = first or min([*days, *counted["minutes"]], default=until)
    steps: dict[date, Amounts] = {}
    total = Amounts()
    day = oldest
    while day <= until:
        amounts = days.get(day) or Amounts()
        amounts.minutes = (amounts.minutes or 0.0) if day in counted["minutes"] else None
        amounts.plays = (amounts.plays or 0) if day in counted["plays"] else None
        steps.setdefault(day.replace(day=1) if span == "all" else day, Amounts()).add(amounts)
        total.add(amounts)
        day += DAY
    given, revoked = _no_money(which, first)
    return Figures(
        span=span,
        steps=steps,
        counted_until=max(counted["minutes"], default=None),
        plays_state=plays_state(),
        given=given,
        revoked=revoked,
        total=total,
    )


def _counted(what: str, first: date | None) -> set[date]:
    query = select(CountedDay.day).where(CountedDay.what == what, CountedDay.counted_at.is_not(None))
    return set(db.session.scalars(query if first is None else query.where(CountedDay.day >= first)))


def _days(which: Scope, first: date | None, counted: Mapping[str, set[date]]) -> dict[date, Amounts]:
    days: dict[date, Amounts] = defaultdict(Amounts)
    for day, seconds, plays in _watched(which, first):
        days[day].minutes, days[day].plays = seconds / 60, plays
    sold = (
        select(SALE_DAY, func.count(), func.sum(Purchase.price_cents))
        .where(which.purchases(), SALE, scope.bought_since(first))
        .group_by(SALE_DAY)
    )
    for day, sales, cents in db.session.execute(sold):
        days[day].sales, days[day].cents = sales, cents
    return days


def _watched(which: Scope, first: date | None) -> list[tuple[date, float, int]]:
    """Seconds and plays of each day: of the school those that are kept, if they are."""
    if which == Scope():
        kept = select(DaySum.day, DaySum.seconds, DaySum.plays).where(kept_sums.current("all", None))
        found = db.session.execute(kept if first is None else kept.where(DaySum.day >= first)).all()
        if found:
            return [(day, float(seconds), int(plays)) for day, seconds, plays in found]
    watched = (
        select(LessonView.day, func.sum(LessonView.seconds), func.sum(LessonView.plays))
        .where(which.views(), scope.viewed_since(first))
        .group_by(LessonView.day)
    )
    return [(day, float(seconds), int(plays)) for day, seconds, plays in db.session.execute(watched)]


def _no_money(which: Scope, first: date | None) -> tuple[int, int]:
    """How many purchases were given, and how many of those that students made are revoked."""
    given, revoked = Purchase.given_by.is_not(None), Purchase.revoked_at.is_not(None)
    found = db.session.execute(
        select(func.count().filter(and_(given, ~revoked)), func.count().filter(revoked))
        .select_from(Purchase)
        .where(which.purchases(), given | revoked, scope.bought_since(first))
    ).one()
    return int(found[0]), int(found[1])


def plays_state() -> PlaysState:
    """Why there are plays, or none."""
    if not counting.plays_are_reported():
        return "not_reported"
    newest, refused = db.session.execute(
        select(
            func.max(CountedDay.counted_at),
            func.max(CountedDay.failed_at).filter(CountedDay.failure == counting.NOT_ALLOWED),
        ).where(CountedDay.what == "plays")
    ).one()
    if refused is not None and (newest is None or refused > newest):
        return "not_allowed"
    return "counted" if newest is not None else "not_yet"
