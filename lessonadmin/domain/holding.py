"""Files that arrived for an upload after whoever began it had lost the right to it: held until staff decide.

Nobody is shown such a file and nothing is published by it. Staff take it over, and then it goes the way of every upload
of the lesson or course; or they delete it at Mux (“clear asset” of the upload). No other way leads out of here.
"""

import uuid

from sqlalchemy import ColumnElement, and_, case, exists, literal, or_, select
from sqlalchemy.orm import aliased

from lessonadmin.db import db
from lessonadmin.domain import checks, desks, journal, outcomes, videos
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import Tracking
from lessonadmin.domain.news import News
from lessonadmin.domain.outcomes import Result
from lessonadmin.domain.video_state import KEPT_BACK, Happening, State, state_of


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


def take_over_verdict() -> ColumnElement[str]:
    other = aliased(Tracking)
    coming = [
        exists().where(theirs == ours, other.is_current, other.is_open)
        for theirs, ours in ((other.lesson_id, Tracking.lesson_id), (other.course_id, Tracking.course_id))
    ]
    return case(
        (~held(), "not_held"),
        (or_(*coming), "another_coming"),
        else_=literal("takes_over"),
    )


def take_over(tracking_id: uuid.UUID) -> Result:
    """Staff make the file that is held the newest video of its lesson or course; Mux says whether it plays."""
    found = desks.desk_of_row(tracking_id)
    if found is None:
        return outcomes.of("missing")
    desk, row = found
    if state_of(row.status, row.error_type) is not State.HELD:
        return outcomes.of("not_held")
    if desk.on_its_way is not None:
        return outcomes.of("another_coming")
    journal.record("video.taken_over", desk.owner, upload_id=row.upload_id, asset_id=row.mux_asset_id)
    videos.take_place(desk, row)
    videos.apply(desk, row, News(happening=Happening.TAKE_OVER))
    checks.ask_soon(row)
    return outcomes.of("takes_over")
