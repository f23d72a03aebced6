"""Files that arrived for an upload after whoever began it had lost the right to it: held until staff decide.

Nobody is shown such a file and nothing is published by it. Staff take it over, and then it goes the way of every upload
of the lesson or course; or they delete it at Mux (“clear asset” of the upload). No other way leads out of here.
"""

import uuid

from sqlalchemy import ColumnElement, and_, exists, or_, select

from lessonadmin.db import db
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import Tracking
from lessonadmin.domain.videos.state_machine import KEPT_BACK, State


def held() -> ColumnElement[bool]:
    """Uploads whose file waits for a decision."""
    return and_(Tracking.status == "cancelled", Tracking.error_type == KEPT_BACK[State.HELD])


def is_kept_back(
    *, asset_id: str | None = None, upload_id: str | None = None, tracking_id: uuid.UUID | None = None
) -> bool:
    """Is this asset, or the one that an upload makes, one that nobody may take without a decision of staff?"""
    named = or_(
        and_(Tracking.mux_asset_id == asset_id, Tracking.mux_asset_id.is_not(None)),
        and_(Tracking.upload_id == upload_id, Tracking.upload_id.is_not(None)),
        Tracking.id == tracking_id,
    )
    words = list(KEPT_BACK.values())
    query = select(exists().where(named, Tracking.status == "cancelled", Tracking.error_type.in_(words)))
    return bool(db.session.scalar(query))


def refuse_kept_back(asset_id: str, upload_id: str | None) -> None:
    """No other way than the decision makes it the video of anything."""
    if is_kept_back(asset_id=asset_id, upload_id=upload_id):
        raise Conflict(
            "held",
            "This file came from an upload whose starter had lost the right to it, so it is held. Take it over or"
            " delete it on the page of its upload.",
        )
