"""Who is told when an upload enters a state: the audit trail, the owner, and the figures. It changes no state."""

from datetime import UTC, datetime

from lessonadmin import metrics
from lessonadmin.db import after_commit
from lessonadmin.domain.audit import audit_log, student_notices
from lessonadmin.domain.models import Lesson, Owner, Tracking
from lessonadmin.domain.videos import publication, wording
from lessonadmin.domain.videos.state_machine import State

FAILED = (State.UPLOAD_FAILED, State.ASSET_FAILED)


def after_transition(
    owner: Owner, upload: Tracking, before: State, after: State, *, found_by: str, replaced: Tracking | None
) -> None:
    """An upload that counts for its lesson (or course) made a step."""
    if after is State.PROCESSING:
        audit_log.record("video.processing", owner, asset_id=upload.mux_asset_id, upload_id=upload.upload_id)
    elif after is State.READY:
        _ready(owner, upload, found_by, replaced)
    elif after in FAILED:
        _failed(owner, upload)
    elif after is State.CANCELLED:
        audit_log.record("video.upload_cancelled", owner, upload_id=upload.upload_id)
        _count("cancelled")
    elif after is State.WITHDRAWN:  # the code that withdraws it writes down why
        _count("cancelled")
    elif after is State.DELETING:
        audit_log.record("video.delete_requested", owner, asset_id=upload.mux_asset_id)
    elif after is State.DELETED:
        _deleted(owner, upload, requested=before is State.DELETING)


def after_superseded_transition(owner: Owner, upload: Tracking, after: State) -> None:
    """An upload that does not count for its lesson (or course) any more made a step: written down, no person is told,
    unless staff have to decide."""
    if after is State.HELD:
        _held(owner, upload)
    elif after is State.DELETING:
        audit_log.record("video.delete_requested", owner, asset_id=upload.mux_asset_id, superseded=True)
    elif after is State.DELETED:
        audit_log.record("video.deleted", owner, asset_id=upload.mux_asset_id, superseded=True)


def _held(owner: Owner, upload: Tracking) -> None:
    """Every member of staff is told, once for an upload, since it is held once."""
    audit_log.record("video.held", owner, asset_id=upload.mux_asset_id, upload_id=upload.upload_id)
    said = (
        f"A file for “{owner.title}” arrived after its uploader had lost the right to it. It is held, and"
        f" no student sees it: open the {owner.kind} in the panel to take it over or to delete it."
    )
    audit_log.notify_staff("needs_attention", owner, said, cause="held")


def after_let_go(owner: Owner, upload: Tracking) -> None:
    """A lesson (or course) gave up an asset that something else goes on using."""
    superseded = None if upload.is_current else True
    audit_log.record("video.let_go", owner, asset_id=upload.mux_asset_id, superseded=superseded)


def _ready(owner: Owner, upload: Tracking, found_by: str, replaced: Tracking | None) -> None:
    audit_log.record(
        "video.ready",
        owner,
        asset_id=upload.mux_asset_id,
        playback_id=upload.mux_playback_id,
        found_by=found_by,
    )
    if replaced is not None:
        audit_log.record("video.replaced", owner, before=replaced.mux_asset_id, after=upload.mux_asset_id)
    # what was published before had a video, so this one takes the place of one that plays or was lost
    if isinstance(owner, Lesson) and (replaced is not None or owner.first_published_at is not None):
        student_notices.new_video(owner)
    publishes = isinstance(owner, Lesson) and publication.publishes_by_itself(owner)
    if not publishes:
        said = "The new video of" if replaced is not None else "The video of"
        audit_log.notify("video_ready", owner, f"{said} “{owner.title}” is ready.", tracking=upload)
    after_commit(lambda: _observe(upload))
    after_commit(lambda: metrics.ready_discovered.labels(found_by).inc())
    _count("ready")


def _failed(owner: Owner, upload: Tracking) -> None:
    audit_log.record(
        "video.failed",
        owner,
        error_type=upload.error_type,
        message=upload.error_message,
        asset_id=upload.mux_asset_id,
        upload_id=upload.upload_id,
    )
    why = wording.why_failed(upload.error_type, upload.error_message)
    if not upload.is_current:
        said = f"The new video of “{owner.title}” failed, the old one still plays. {why}"
    else:
        said = f"The video of “{owner.title}” failed. {why}"
    audit_log.notify("video_failed", owner, said, tracking=upload, cause=upload.error_type)
    _count(upload.error_type or "asset_errored")


def _deleted(owner: Owner, upload: Tracking, *, requested: bool) -> None:
    audit_log.record("video.deleted", owner, asset_id=upload.mux_asset_id, at_mux=not requested or None)
    if not requested and upload.error_type is not None:
        said = f"The video of “{owner.title}” was deleted at Mux. Please upload it again."
        if not upload.is_current:
            said = f"The new video of “{owner.title}” was deleted at Mux, the old one still plays."
        audit_log.notify(
            "video_deleted",
            owner,
            said,
            tracking=upload,
            cause="deleted_at_mux",
        )


def _count(outcome: str) -> None:
    after_commit(lambda: metrics.uploads.labels(outcome).inc())


def _observe(upload: Tracking) -> None:
    # By the local clock: what the database wrote down for this moment would cost another query.
    metrics.time_to_ready.observe(max((datetime.now(UTC) - upload.created_at).total_seconds(), 0.0))
