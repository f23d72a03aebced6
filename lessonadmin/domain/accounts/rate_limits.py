"""How often a user may do something: counted in PostgreSQL, so that neither a restart nor an emptied Redis forgets.

A window begins with its first call and ends by the database's clock. A refused call is not counted. Whatever a web request asks
Mux is counted by one of these first; a request that was not counted cannot ask (`mux.web_concurrency`).
"""

import math
import uuid
from typing import Literal

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert

from lessonadmin import config
from lessonadmin.db import Actor, db
from lessonadmin.domain.errors import TooMany
from lessonadmin.domain.models import Throttle, User, accounts
from lessonadmin.mux import web_concurrency
from lessonadmin.text.durations import in_words

Made = Literal["lessons", "courses", "tokens", "preview links", "additions of files"]

HOUR = 3600
MINUTE = 60
STAFF_FACTOR = 6
# Lists and searches are the dearest that any account may read.
MAX_LISTS, LISTS_SECONDS = 60, 10
# More than a person makes by hand, and few enough that no account fills the tables.
MAX_MADE: dict[Made, int] = {
    "lessons": 300,
    "courses": 100,
    "tokens": 30,
    "preview links": 60,
    "additions of files": 200,
}
# What a player tells while it plays, pauses and is left, also in a second tab.
MAX_REPORTS = 10
OFTEN = "You have checked with Mux too often within a minute."


def ask_for_upload(user_id: uuid.UUID) -> None:
    """One more upload URL; TooMany after UPLOADS_PER_HOUR."""
    _count(
        f"uploads:{user_id}",
        most=config.current().uploads_per_hour,
        seconds=HOUR,
        sentence="You have started too many uploads within an hour.",
    )
    web_concurrency.mark_counted()


def ask_mux(user_id: uuid.UUID) -> None:
    """One more press of "ask Mux now"; TooMany after ASKS_PER_MINUTE."""
    _count(
        f"asks:{user_id}",
        most=config.current().asks_per_minute,
        seconds=MINUTE,
        sentence=OFTEN,
    )
    web_concurrency.mark_counted()


def other_question(actor: Actor) -> None:
    """One more request of a person's that asks Mux on its way, whatever else it does; counted apart from the presses, so
    that neither uses up the other. TooMany after ASKS_PER_MINUTE, for staff after STAFF_FACTOR times as many. A bulk
    action on rows is one. What a worker does in a user's name is held back by the budget instead."""
    if actor.type != "user" or actor.id is None or actor.batch is not None:
        return
    staff = db.session.scalar(select(User.role.in_(accounts.STAFF)).where(User.id == actor.id))
    _count(
        f"questions:{actor.id}",
        most=config.current().asks_per_minute * (STAFF_FACTOR if staff else 1),
        seconds=MINUTE,
        sentence=OFTEN,
    )
    web_concurrency.mark_counted()


def read_list(user_id: uuid.UUID) -> None:
    """One more list or search; TooMany after MAX_LISTS within LISTS_SECONDS."""
    _count(
        f"lists:{user_id}",
        most=MAX_LISTS,
        seconds=LISTS_SECONDS,
        sentence="You have asked for lists too often within a few seconds.",
    )


def report_progress(user_id: uuid.UUID) -> None:
    """One more word of a player of how far a lesson was watched; TooMany after MAX_REPORTS within a minute."""
    _count(
        f"progress:{user_id}",
        most=MAX_REPORTS,
        seconds=MINUTE,
        sentence="Your progress was stored too often within a minute.",
    )


def make(what: Made, user_id: uuid.UUID) -> None:
    """One more of these by this user; TooMany after MAX_MADE within an hour."""
    _count(
        f"made {what}:{user_id}",
        most=MAX_MADE[what],
        seconds=HOUR,
        sentence=f"You have made too many {what} within an hour.",
    )


def ask_for_link(key: str, *, most: int, sentence: str) -> None:
    """One more link by mail, for an account or from a network address; TooMany after so many within an hour."""
    _count(f"links:{key}", most=most, seconds=HOUR, sentence=sentence)


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
