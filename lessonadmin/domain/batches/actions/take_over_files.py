"""Staff take over a file that is held: it becomes the newest video of its lesson or course.

It decides nothing about which files are held (`withdrawal`), and it never publishes by itself.
"""

import uuid

from sqlalchemy import ColumnElement, and_, case, exists, literal, or_
from sqlalchemy.orm import aliased

from lessonadmin.domain import attention
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import results
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import Tracking
from lessonadmin.domain.videos import locking, recheck_schedule, transitions
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import State, VideoEvent, state_of


def take_over_verdict() -> ColumnElement[str]:
    other = aliased(Tracking)
    coming = [
        exists().where(theirs == ours, other.is_current, other.is_open)
        for theirs, ours in ((other.lesson_id, Tracking.lesson_id), (other.course_id, Tracking.course_id))
    ]
    held = attention.held_uploads()
    # Never `~held`: of an upload without an error that is NULL, which is neither.
    return case(
        (and_(held, or_(*coming)), "another_coming"),
        (held, "takes_over"),
        else_=literal("not_held"),
    )


def take_over(tracking_id: uuid.UUID) -> Result:
    """Staff make the file that is held the newest video of its lesson or course; Mux says whether it plays."""
    found = locking.lock_video_of_upload(tracking_id)
    if found is None or found[0].in_trash:
        return results.of("missing")
    video, row = found
    if state_of(row.status, row.error_type) is not State.HELD:
        return results.of("not_held")
    if video.on_its_way is not None:
        return results.of("another_coming")
    audit_log.record("video.taken_over", video.owner, upload_id=row.upload_id, asset_id=row.mux_asset_id)
    transitions.make_current(video, row)
    transitions.apply(video, row, Observation(video_event=VideoEvent.TAKE_OVER))
    recheck_schedule.schedule_now(row)
    return results.of("takes_over")
