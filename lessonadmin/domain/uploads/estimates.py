"""How long Mux will probably work on a video: the median of the school's own history, by the length of the video.

An estimate and never a promise: it is shown to the person who waits and decides nothing. With too little history it says
nothing.
"""

from dataclasses import dataclass

from sqlalchemy import Float, cast, func, select

from lessonadmin.database import row_access
from lessonadmin.db import db, later
from lessonadmin.domain.models import Owner, Tracking, owners

# upper ends of the classes in seconds: to two minutes, ten, half an hour, an hour, and longer
CLASSES = (120.0, 600.0, 1800.0, 3600.0)
MAX_ROWS = 500
MIN_ROWS = 3
HISTORY_SECONDS = 90 * 86_400


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Seconds that it usually takes, and how long this one has taken so far."""

    usual: float
    so_far: float
    same_length: bool

    @property
    def left(self) -> float:
        return max(0.0, self.usual - self.so_far)

    @property
    def overdue(self) -> bool:
        """Clearly longer than usual, and not only by a moment."""
        return self.so_far > max(self.usual * 1.5, self.usual + 3)


def of(owner: Owner) -> Estimate | None:
    """For the video that Mux is working on; None if there is none, or nothing to go by."""
    coming = _coming(owner)
    if coming is None:
        return None
    so_far, duration = coming
    history = _history(duration) if duration is not None else None
    same_length = history is not None
    history = history or _history(None)
    if history is None:
        return None
    return Estimate(usual=history, so_far=max(0.0, so_far), same_length=same_length)


def _coming(owner: Owner) -> tuple[float, float | None] | None:
    column = owners.COLUMNS[owner.kind]
    began = func.coalesce(Tracking.bytes_in_at, Tracking.asset_seen_at, Tracking.created_at)
    row = db.session.execute(
        select(func.extract("epoch", func.clock_timestamp() - began), Tracking.duration).where(
            column == owner.id, Tracking.is_current, Tracking.status == "processing"
        )
    ).first()
    return (float(row[0]), row[1]) if row is not None else None


def _history(duration: float | None) -> float | None:
    """Median seconds from the last byte to ready, over the latest videos (of that length)."""
    began = func.coalesce(Tracking.bytes_in_at, Tracking.asset_seen_at)
    latest = (
        select(cast(func.extract("epoch", Tracking.ready_at - began), Float).label("took"))
        .where(Tracking.ready_at > later(-HISTORY_SECONDS), began.is_not(None), began < Tracking.ready_at)
        .order_by(Tracking.ready_at.desc())
        .limit(MAX_ROWS)
    )
    if duration is not None:
        lowest, highest = bounds(duration)
        latest = latest.where(Tracking.duration > lowest, Tracking.duration <= highest)
    some = latest.subquery()
    with row_access.everything():  # a few videos of one's own say little
        median, known = db.session.execute(
            select(func.percentile_cont(0.5).within_group(some.c.took), func.count()).select_from(some)
        ).one()
    return float(median) if known >= MIN_ROWS else None


def bounds(duration: float) -> tuple[float, float]:
    """The class of lengths that a video belongs to."""
    lowest = max((end for end in CLASSES if end < duration), default=0.0)
    highest = min((end for end in CLASSES if end >= duration), default=float("inf"))
    return lowest, highest
