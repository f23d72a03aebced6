"""What the school has at Mux and what is watched: minutes stored, minutes delivered, and how near that is to the plan's end.

Money is in Mux's own dashboard.

Stored minutes are counted from local rows, each asset once: what plays, what was replaced and waits out its grace time,
previews of courses, failed and unwanted ones until Mux has deleted them. Delivered ones are asked for once a day, for
days that Mux has finished counting (it is twelve hours behind).
"""

import logging
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Float, Select, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import config, mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import AssetDeletion, Course, Lesson, ReconcileRun, Rollup, Tracking
from lessonadmin.text.temporary_ids import temporary

log = logging.getLogger(__name__)

STORED, DELIVERED = "stored", "delivered"
DAYS_BACK = 30
NEAR = 0.9  # of a limit of the plan
RESERVE = 10.0  # of the shared budget, for lessons that wait


def count_stored() -> None:
    """Note how many minutes of video Mux stores for the school now, once an hour."""
    assets = _assets_at_mux().subquery()
    videos, seconds = db.session.execute(
        select(func.count(), func.coalesce(func.sum(assets.c.seconds), 0))
    ).one()
    _write(func.date_trunc("hour", func.clock_timestamp()), STORED, int(videos), float(seconds or 0) / 60)
    db.session.commit()


def _assets_at_mux() -> Select[Any]:
    """Every asset that Mux still has by the local rows, and its length where it is known."""
    found = union_all(
        *(
            select(model.mux_asset_id.label("asset_id"), seconds.label("seconds")).where(
                model.mux_asset_id.is_not(None), *conditions
            )
            for model, seconds, conditions in (
                (Tracking, Tracking.duration, (Tracking.status != "deleted",)),
                (Lesson, Lesson.video_duration, ()),  # one from before tracking has no upload row
                (Course, Course.video_duration, ()),
                (
                    AssetDeletion,
                    literal(None, Float),
                    (AssetDeletion.done_at.is_(None),),
                ),  # its lesson may be gone
            )
        )
    ).subquery()
    gone = select(AssetDeletion.mux_asset_id).where(AssetDeletion.done_at.is_not(None))
    return (
        select(found.c.asset_id, func.max(found.c.seconds).label("seconds"))
        .where(~temporary(found.c.asset_id), found.c.asset_id.not_in(gone))
        .group_by(found.c.asset_id)
    )


def ask_delivered() -> int:
    """Ask Mux about the finished days that are not noted yet; how many were noted."""
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    last_day = datetime.combine(mux.newest_day(now), time(), UTC)
    known = set(
        db.session.scalars(
            select(Rollup.hour).where(
                Rollup.figure == DELIVERED, Rollup.hour >= now - timedelta(days=DAYS_BACK + 2)
            )
        )
    )
    db.session.rollback()
    noted = 0
    first = db.session.scalar(select(func.min(Tracking.created_at)))
    db.session.rollback()
    for day in (last_day - timedelta(days=number) for number in range(DAYS_BACK)):
        if first is None or day < first - timedelta(days=1):
            break  # no video could be watched before
        if day in known:
            continue
        if not _note_day(day):
            break  # no budget, or Mux did not answer: the other days are asked for next time
        noted += 1
    return noted


def _note_day(day: datetime) -> bool:
    with mux_budget.call(reserve=RESERVE) as granted:
        if granted:
            found = mux.delivery_usage(start=day, end=day + timedelta(days=1), priority="low")
            if not found.complete:
                log.warning("the least watched videos of %s are not counted: there were too many", day.date())
            _write(day, DELIVERED, found.rows, found.delivered_seconds / 60)
            db.session.commit()
            return True
    return False


def _write(hour: object, figure: str, count: int, value: float) -> None:
    row = insert(Rollup).values(hour=hour, figure=figure, label="", count=count, value=value)
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["hour", "figure", "label"],
            set_={"count": row.excluded.count, "value": row.excluded.value},
        )
    )


def stored_minutes() -> tuple[float, int]:
    """Minutes and videos, as last counted."""
    row = db.session.execute(
        select(Rollup.value, Rollup.count)
        .where(Rollup.figure == STORED)
        .order_by(Rollup.hour.desc())
        .limit(1)
    ).first()
    return (float(row[0]), int(row[1])) if row is not None else (0.0, 0)


def delivered_minutes(*, since: timedelta) -> float:
    found = db.session.scalar(
        select(func.sum(Rollup.value)).where(
            Rollup.figure == DELIVERED, Rollup.hour >= func.clock_timestamp() - since - timedelta(days=1)
        )
    )
    return float(found or 0.0)


def forecast() -> tuple[float, float]:
    """Minutes stored and delivered that the next 30 days bring, if they are like the last ones."""
    newest = stored_minutes()[0]
    oldest = db.session.scalar(
        select(Rollup.value)
        .where(Rollup.figure == STORED, Rollup.hour >= func.clock_timestamp() - timedelta(days=30))
        .order_by(Rollup.hour)
        .limit(1)
    )
    growth = max(newest - float(oldest or newest), 0.0)
    return newest + growth, delivered_minutes(since=timedelta(days=30))


def near_limit() -> str | None:
    """Which limit of the plan is nearly reached, or will be within 30 days; None while all is well or none is known."""
    limits = dict(config.current().mux_plan_limits)
    if not limits:
        return None
    in_30_days = dict(zip(("stored_minutes", "delivered_minutes"), forecast(), strict=True))
    now = {
        "videos": float(_videos()),
        "stored_minutes": stored_minutes()[0],
        "delivered_minutes": in_30_days["delivered_minutes"],  # a month's, and so is the limit
    }
    for name, limit in limits.items():
        what = name.replace("_", " ")
        if now[name] >= limit * NEAR:
            return f"{now[name]:,.0f} of the plan's {limit:,} {what} are used."
        if in_30_days.get(name, 0.0) >= limit:
            return f"{now[name]:,.0f} of the plan's {limit:,} {what} are used; at this pace they are used up within 30 days."
    return None


def _videos() -> int:
    """All that the last reconciliation saw at Mux, with other applications' videos, or the local ones if they are more by now."""
    counted = db.session.scalar(
        select(ReconcileRun.assets)
        .where(ReconcileRun.finished_at.is_not(None), ReconcileRun.error.is_(None))
        .order_by(ReconcileRun.started_at.desc())
        .limit(1)
    )
    return max(int(counted or 0), stored_minutes()[1])
