"""Do the access tokens belong to the Mux environment that the videos are in? Every check of that is here.

With a token of another environment Mux calls every video gone, and lessons would go dark. Mux's own word is compared with
the environment that is named in its events; where one of the two cannot be had, it is concluded from what the token sees, or
from numbers: many gone and hardly one found. Nothing in here changes anything.
"""

from collections.abc import Collection

from sqlalchemy import Connection, select

from lessonadmin import mux
from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain.models import MuxEvent, Tracking

MAX_GONE = 10
# In another environment no local asset is found; where one is found for so many gone ones, the access is right.
GONE_FOR_ONE_FOUND = 10
SAMPLE = 25


def implausible(*, gone: int, found: int) -> bool:
    """So many are gone for so few found that wrong access is likelier than so many deletions."""
    return gone > MAX_GONE and gone > GONE_FOR_ONE_FOUND * found


def newest_environment(connection: Connection) -> str | None:
    """The environment that the newest event about a local video came from; None before the first."""
    newest = (
        select(MuxEvent.environment_id)
        .where(MuxEvent.outcome == "applied", MuxEvent.environment_id.is_not(None))
        .order_by(MuxEvent.id.desc())
        .limit(1)
    )
    return connection.scalar(newest)


def lists_known_asset(connection: Connection, listed: Collection[str]) -> bool | None:
    """Is one of these assets known here? None while no video plays here, so that none need be."""
    if connection.scalar(select(Tracking.id).where(Tracking.plays).limit(1)) is None:
        return None
    known = connection.scalar(select(Tracking.id).where(Tracking.mux_asset_id.in_(listed)).limit(1))
    return known is not None


def is_another(priority: mux.Priority) -> bool:
    """Asks Mux whose this token is, without an open transaction. Raises MuxError if it can answer neither way."""
    ours = newest_environment(db.session.connection())
    db.session.rollback()
    if ours is not None:
        try:
            return mux.whoami(priority=priority).environment_id != ours
        except mux.Later:
            raise
        except mux.MuxError:
            pass  # an older Mux, or one that does not say
    listed = [asset.id for asset in mux.list_assets(limit=SAMPLE, priority=priority).assets]
    with row_access.everything():
        shown = lists_known_asset(db.session.connection(), listed)
    db.session.rollback()
    return shown is False
