"""Figures of each hour, so that charts and alarms read a few rows and never scan a million.

An hour is counted from the rows of that hour and written over, so counting twice changes nothing, and a clock that was
off for a day counts the hours that it missed. Times to ready are kept as a histogram with narrow steps, because
percentiles cannot be added up and counts can.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db
from lessonadmin.domain.models import Rollup

STEP = 1.1  # each bucket is a tenth wider than the one before, so a percentile is right to a twentieth
MAX_HOURS_BACK = 24 * 31

HOUR = "created_at >= :start AND created_at < :end"
# a lesson's length decides how long its video takes; the classes are of the video's duration in seconds
CLASS = "CASE WHEN duration < 300 THEN 'short' WHEN duration < 1800 THEN 'medium' ELSE 'long' END"
SECONDS = "greatest(extract(epoch FROM ready_at - created_at), 1)"
DELAY = "greatest(extract(epoch FROM received_at - occurred_at), 0.01)"

# figure -> rows of (label, count, value) for one hour
COUNTS = {
    "uploads": f"SELECT '', count(*), 0 FROM mux_asset_tracking WHERE {HOUR} AND upload_id IS NOT NULL",  # noqa: S608 - constants of this file # nosec B608
    "ended": """SELECT CASE action WHEN 'video.ready' THEN 'ready' WHEN 'video.failed'
          THEN coalesce(detail ->> 'error_type', 'asset_errored') ELSE 'cancelled' END, count(*), 0
        FROM audit_log WHERE at >= :start AND at < :end
         AND action IN ('video.ready', 'video.failed', 'video.upload_cancelled') GROUP BY 1""",
    "published": """SELECT CASE WHEN detail ? 'by_itself' THEN 'by itself' ELSE 'by hand' END, count(*), 0
        FROM audit_log WHERE at >= :start AND at < :end AND action = 'lesson.published' GROUP BY 1""",
    "discovered": """SELECT coalesce(ready_found_by, 'manual'), count(*), 0 FROM mux_asset_tracking
        WHERE ready_at >= :start AND ready_at < :end GROUP BY 1""",
    "ready_after": f"""SELECT {CLASS} || ':' || floor(ln({SECONDS}) / ln({STEP})), count(*), sum({SECONDS})
        FROM mux_asset_tracking WHERE ready_at >= :start AND ready_at < :end AND duration IS NOT NULL GROUP BY 1""",  # noqa: S608 - constants of this file # nosec B608
    "events": """SELECT coalesce(outcome, 'open'), count(*), 0
        FROM mux_events WHERE received_at >= :start AND received_at < :end GROUP BY 1""",
    "delay": f"""SELECT floor(ln({DELAY}) / ln({STEP})), count(*), sum({DELAY}) FROM mux_events
        WHERE received_at >= :start AND received_at < :end AND occurred_at IS NOT NULL GROUP BY 1""",  # noqa: S608 - constants of this file # nosec B608
    "deleted": """SELECT '', count(*), 0 FROM asset_deletions
        WHERE done_at >= :start AND done_at < :end AND requested_at > :start - interval '31 days'""",
}


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _now() -> datetime:
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def _first_hour(now: datetime) -> datetime:
    """Where counting begins when nothing was ever counted: with the first row, a month back at the most."""
    earliest = hour_of(now) - timedelta(hours=MAX_HOURS_BACK)
    first: datetime | None = db.session.scalar(
        text(
            "SELECT least((SELECT min(created_at) FROM mux_asset_tracking), (SELECT min(at) FROM audit_log),"
            " (SELECT min(received_at) FROM mux_events))"
        )
    )
    return max(hour_of(first), earliest) if first is not None else hour_of(now)


def roll_up() -> int:
    """Count every hour since the last one that was counted; how many hours."""
    now = _now()
    last = db.session.scalar(select(func.max(Rollup.hour)).where(Rollup.figure == "uploads"))
    # The last hour may not have been over when it was counted.
    begin = hour_of(last) - timedelta(hours=1) if last is not None else _first_hour(now)
    hour = max(begin, hour_of(now) - timedelta(hours=MAX_HOURS_BACK))
    counted = 0
    while hour <= now:
        count_hour(hour)
        counted += 1
        hour += timedelta(hours=1)
    return counted


def count_hour(hour: datetime) -> None:
    """Count one hour and write it over what was counted before."""
    span = {"start": hour, "end": hour + timedelta(hours=1)}
    for figure, query in COUNTS.items():
        rows = [
            {"hour": hour, "figure": figure, "label": str(label), "count": count, "value": float(value)}
            for label, count, value in db.session.execute(text(query), span)
        ]
        if rows:
            _write(rows)
    db.session.commit()


def _write(rows: list[dict[str, object]]) -> None:
    statement = insert(Rollup).values(rows)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["hour", "figure", "label"],
            set_={
                "count": statement.excluded.count,
                "value": statement.excluded.value,
                "updated_at": func.clock_timestamp(),
            },
        )
    )


def add(figure: str, label: str, count: int) -> None:
    """For what leaves no row of its own (refused requests): add to the present hour. The caller commits."""
    statement = insert(Rollup).values(
        hour=func.date_trunc("hour", func.clock_timestamp()), figure=figure, label=label, count=count
    )
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["hour", "figure", "label"],
            set_={"count": Rollup.count + statement.excluded.count, "updated_at": func.clock_timestamp()},
        )
    )


@dataclass(frozen=True)
class Series:
    """One figure over time, a number a step, oldest first."""

    label: str
    numbers: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True)
class Chart:
    steps: tuple[datetime, ...]
    series: tuple[Series, ...]

    @property
    def sums(self) -> tuple[int, ...]:
        """All labels of a step together."""
        return tuple(sum(one.numbers[place] for one in self.series) for place in range(len(self.steps)))

    @property
    def top(self) -> int:
        """Where the scale ends: the next even and round number, so that its half is one too."""
        highest = max(self.sums, default=0)
        size = 1
        while True:
            for step in (2, 4, 10):
                if step * size >= highest:
                    return step * size
            size *= 10


def chart(figure: str, *, since: timedelta, step: timedelta) -> Chart:
    """A figure by label over a span: hours for a day, six hours for a week, days for a month."""
    now = _now()
    end = hour_of(now) + timedelta(hours=1)
    steps = tuple(end - since + step * number for number in range(int(since / step)))
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(steps))
    for hour, label, count in db.session.execute(
        select(Rollup.hour, Rollup.label, Rollup.count).where(
            Rollup.figure == figure, Rollup.hour >= steps[0]
        )
    ):
        found[label][min(int((hour - steps[0]) / step), len(steps) - 1)] += count
    series = tuple(Series(label, tuple(numbers)) for label, numbers in sorted(found.items()))
    return Chart(steps, series)


def totals(figure: str, *, since: timedelta) -> Mapping[str, int]:
    """A figure by label, added up over a span that ends now."""
    start = func.date_trunc("hour", func.clock_timestamp() - since)
    rows = db.session.execute(
        select(Rollup.label, func.sum(Rollup.count))
        .where(Rollup.figure == figure, Rollup.hour >= start)
        .group_by(Rollup.label)
    )
    return {label: int(count) for label, count in rows}


def time_to_ready(*, since: timedelta) -> dict[str, tuple[float, float, int]]:
    """Median, 95th percentile and number of videos for each class of duration, in seconds."""
    buckets: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for label, count in totals("ready_after", since=since).items():
        kind, _, bucket = label.partition(":")
        buckets[kind][int(float(bucket))] += count
    return {
        kind: (_percentile(found, 0.5), _percentile(found, 0.95), sum(found.values()))
        for kind, found in buckets.items()
    }


def _percentile(buckets: Mapping[int, int], share: float) -> float:
    wanted, seen = math.ceil(sum(buckets.values()) * share), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return float(STEP ** (bucket + 0.5))
    return 0.0


def event_delay(*, since: timedelta) -> tuple[float, float] | None:
    """Median and 95th percentile of the seconds from Mux's own time of an event to its arrival.

    Never a mean: after an outage Mux sends what is a day old, and a few of those would hide everything else.
    """
    buckets = {int(float(label)): count for label, count in totals("delay", since=since).items()}
    return (_percentile(buckets, 0.5), _percentile(buckets, 0.95)) if buckets else None
