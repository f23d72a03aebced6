"""Clear asset, for a lesson, a course or one upload, with the same verdicts as SQL for the preview.

Clearing takes the video away from everything that uses it and leaves the deletion at Mux to the outbox. It may be
repeated without harm.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, literal, or_, select

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import buyers
from lessonadmin.domain.batches import before, results
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import Kind, Tracking, owners
from lessonadmin.domain.videos import locking, outbox, removal, transitions
from lessonadmin.domain.videos.conditions import current, has_real_id
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import VideoEvent
from lessonadmin.text.temporary_ids import is_temporary

# In the words of a bulk action's options: keep the asset at Mux for REPLACED_GRACE_SECONDS before it is deleted.
GRACE = "grace"
# When the number of buyers was confirmed, by the database's clock.
CONFIRMED_AT = "confirmed_at"


def _grace(options: Mapping[str, object]) -> float:
    return float(config.current().replaced_grace_seconds) if options.get(GRACE) else 0.0


def _bought_since(video: LockedVideo, options: Mapping[str, object]) -> bool:
    """Under the lock: is there a buyer whom the person who confirmed the number of buyers did not know of?"""
    confirmed = options.get(CONFIRMED_AT)
    if video.owner.kind != "lesson" or not isinstance(confirmed, str):
        return False
    return buyers.bought_after(video.owner.id, datetime.fromisoformat(confirmed))


CLEARABLE = and_(Tracking.mux_asset_id.is_not(None), Tracking.status.not_in(("deleting", "deleted")))
GIVEN_UP = and_(Tracking.mux_asset_id.is_(None), or_(Tracking.is_open, Tracking.status == "error"))


def clear_verdict(kind: Kind) -> ColumnElement[str]:
    model = owners.MODELS[kind]
    left_over = or_(
        model.mux_asset_id.is_not(None),
        model.mux_playback_id.is_not(None),
        model.video_processing_status == "error",
    )
    return case(
        (current(model, CLEARABLE), "deletes"),
        (and_(has_real_id(model), ~current(model)), "deletes"),
        (current(model, GIVEN_UP), "cancels"),
        (current(model, Tracking.status == "deleting"), "being_deleted"),
        (left_over, "forgets"),
        else_=literal("nothing_to_clear"),
    )


def _clear_verdict(video: LockedVideo) -> str:
    owner = video.owner
    if any(upload.mux_asset_id and upload.status not in ("deleting", "deleted") for upload in video.current):
        return "deletes"
    if any(
        not upload.mux_asset_id and (upload.is_open or upload.status == "error") for upload in video.current
    ):
        return "cancels"
    if video.deleting is not None:
        return "being_deleted"
    left_over = owner.mux_asset_id or owner.mux_playback_id or owner.video_processing_status == "error"
    return "forgets" if left_over else "nothing_to_clear"


def clear(kind: Kind, target_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    """Take the video away from a lesson or course, and from every other one that uses the same asset."""
    locked = locking.lock_all({(kind, target_id)}, _assets_of(kind, target_id))
    video = locked.get((kind, target_id))
    if video is None or video.in_trash:
        return results.of("missing")
    transitions.ensure_tracked(video)
    code = _clear_verdict(video)
    if code in ("nothing_to_clear", "being_deleted"):
        return results.of(code)
    if _bought_since(video, options):
        return results.of("bought_since")
    was = before.of(video.owner)
    removal.clear_video(video, everywhere=True, grace_seconds=_grace(options))
    return results.of(code, before=was)


def _assets_of(kind: Kind, target_id: uuid.UUID) -> set[str]:
    """Read without a lock, so that all locks can then be taken in one order."""
    column = owners.COLUMNS[kind]
    model = owners.MODELS[kind]
    found = set(
        db.session.scalars(
            select(Tracking.mux_asset_id).where(column == target_id, Tracking.is_current, CLEARABLE)
        )
    )
    found.add(db.session.scalar(select(model.mux_asset_id).where(model.id == target_id)))
    return {asset_id for asset_id in found if asset_id and not is_temporary(asset_id)}


def clear_upload_verdict() -> ColumnElement[str]:
    return case(
        (CLEARABLE, "deletes"),
        (and_(GIVEN_UP, Tracking.is_current), "cancels"),
        (Tracking.status == "deleting", "being_deleted"),
        else_=literal("nothing_to_clear"),
    )


def clear_upload(tracking_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    """Take one upload away: its asset from everything that uses it, or the upload itself while it is open."""
    upload = db.session.get(Tracking, tracking_id, populate_existing=True)
    if upload is None:
        return results.of("missing")
    asset_id = upload.mux_asset_id if upload.status not in ("deleting", "deleted") else None
    target: tuple[Kind, uuid.UUID] = (upload.target_type, upload.target_id)
    locked = locking.lock_all({target}, {asset_id} if asset_id else set())
    video = locked.get(target)
    upload = video.upload(tracking_id) if video is not None else None
    if video is None or video.in_trash or upload is None:
        return results.of("missing")
    if upload.is_current and _bought_since(video, options):
        return results.of("bought_since")
    if asset_id is not None:
        removal.give_up_asset(asset_id, "everyone", grace_seconds=_grace(options))
        return results.of("deletes")
    if upload.mux_asset_id is None and upload.is_current and (upload.is_open or upload.status == "error"):
        outbox.request_cancellation(upload)
        transitions.apply(video, upload, Observation(video_event=VideoEvent.CANCEL))
        return results.of("cancels")
    return results.of("being_deleted" if upload.status == "deleting" else "nothing_to_clear")
