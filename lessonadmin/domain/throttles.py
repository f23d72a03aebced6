"""How often somebody may do something: counted in PostgreSQL, so that neither a restart nor an emptied Redis forgets.

A window begins with its first call and ends by the database's clock. A refused call is not counted.
"""

import math
import uuid

from sqlalchemy import case, func
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.errors import TooMany
from lessonadmin.domain.models import Throttle
from lessonadmin.spans import in_words

HOUR = 3600
MINUTE = 60


def ask_for_upload(user_id: uuid.UUID) -> None:
    """One more upload URL; TooMany after UPLOADS_PER_HOUR."""
    _count(
        f"uploads:{user_id}",
        most=config.current().uploads_per_hour,
        seconds=HOUR,
        sentence="You have started very many uploads within an hour.",
    )


def ask_mux(user_id: uuid.UUID) -> None:
    """One more question that goes to Mux at once; TooMany after ASKS_PER_MINUTE."""
    _count(
        f"asks:{user_id}",
        most=config.current().asks_per_minute,
        seconds=MINUTE,
        sentence="You have asked Mux very often within a minute.",
    )


def _count(key: str, *, most: int, seconds: int, sentence: str) -> None:
    """Count one call, or refuse it; the caller's transaction decides whether the count stays."""
    now = func.clock_timestamp()
    over = Throttle.started_at <= now - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    counted = (
        insert(Throttle)
        .values(key=key, started_at=now, count=1)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((over, 1), else_=Throttle.count + 1),
                "started_at": case((over, now), else_=Throttle.started_at),
            },
        )
        .returning(Throttle.count, func.extract("epoch", now - Throttle.started_at))
    )
    count, age = db.session.execute(counted).one()
    if count > most:
        wait = max(1, math.ceil(seconds - float(age)))
        raise TooMany(f"{sentence} Please try again in {in_words(wait, whole=math.ceil)}.", retry_after=wait)
