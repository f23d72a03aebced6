"""Fix old lessons and course previews: videos that are long ready at Mux, and temporary ids that were never replaced.

Each is judged by what Mux says now, never guessed: where two assets could be meant, it is reported and left alone. What
a person keeps as a draft stays one, and so does a finished draft (`old_videos` says which those are). What was dealt with
needs no second look, so a stopped run goes on where it was and a second run changes nothing.
"""

import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.captions import learning
from lessonadmin.domain.maintenance import old_videos
from lessonadmin.domain.maintenance.find_asset import Finder
from lessonadmin.domain.models import Kind, Lesson, Owner, Tracking, owners
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.videos import locking, publication, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import asset_observation, gone_observation
from lessonadmin.text.temporary_ids import temporary

Result = Literal["updated", "skipped", "failed"]


@dataclass(frozen=True)
class Finding:
    """What became of one lesson or course, or would: `reason` groups the summary, `remark` tells the case."""

    kind: Kind
    owner_id: uuid.UUID
    title: str
    result: Result
    reason: str
    remark: str = ""


def fix(target: old_videos.Target, finder: Finder, *, actor: Actor, dry_run: bool) -> Finding | None:
    """Check one lesson or course and fix it; None if it was deleted. Raises `mux_budget.Closed` if Mux must not be asked."""
    owner = locking.find_owner(*target)
    db.session.rollback()
    if owner is None:
        return None
    try:
        found = _fix(owner, finder, actor=actor, dry_run=dry_run)
        if not dry_run:
            _fix_earlier(owner, actor)
        return found
    except mux.MuxError as error:
        mux_budget.went_wrong(error)
        return _said(owner, "failed", "Mux could not be asked", f"{error.category}: {error.message}")


def _fix(owner: Owner, finder: Finder, *, actor: Actor, dry_run: bool) -> Finding:
    asset_id = (owner.mux_asset_id or "").strip()
    if owner.has_temporary_asset or (owner.has_temporary_id and not asset_id):
        return _fix_temporary(owner, finder, actor=actor, dry_run=dry_run)
    if asset_id:
        return _fix_real(owner, asset_id, actor=actor, dry_run=dry_run)
    return _said(owner, "updated", "true ids for earlier videos")


def _said(owner: Owner, result: Result, reason: str, remark: str = "") -> Finding:
    return Finding(owner.kind, owner.id, owner.title, result, reason, remark)


def _fix_temporary(owner: Owner, finder: Finder, *, actor: Actor, dry_run: bool) -> Finding:
    found = finder.assets_of(owner)
    if len(found) > 1:
        return _said(owner, "skipped", "ambiguous", "could be " + " or ".join(sorted(found)))
    if not found:
        if finder.is_waiting(owner):
            return _said(owner, "skipped", "upload not finished")
        if not dry_run:
            _forget(owner, actor)
        return _said(
            owner, "failed", "missing at Mux", f"{owner.mux_asset_id or owner.mux_playback_id} was cleared"
        )
    return _fix_real(owner, next(iter(found)), actor=actor, dry_run=dry_run)


def _fix_real(owner: Owner, asset_id: str, *, actor: Actor, dry_run: bool) -> Finding:
    mux_budget.wait_or_stop()
    try:
        asset = mux.get_asset(asset_id, priority="low")
    except mux.Gone:
        if not dry_run:
            _gone(owner, asset_id, actor)
        return _said(owner, "failed", "missing at Mux", f"{asset_id} was cleared")
    except mux.Refused as error:
        if error.category != "not_found":
            raise
        if not dry_run:
            _forget(owner, actor)
        return _said(owner, "failed", "missing at Mux", f"{asset_id} is no id of Mux's and was cleared")
    mux_budget.went_well()
    found = _judge(owner, asset)  # now: what is taken over changes the owner
    if not dry_run:
        _take_over(owner, asset, actor)
    return found


def _kept(owner: Owner) -> bool:
    """A finished draft: its ids are fixed, it is never published."""
    return isinstance(owner, Lesson) and owner.status == "draft" and old_videos.has_true_playback_id(owner)


def _judge(owner: Owner, asset: mux.Asset) -> Finding:
    if asset.status == "errored":
        return _said(owner, "failed", "failed at Mux", asset.error_message or "")
    if asset.status != "ready":
        return _said(owner, "updated", "watched from now on", asset.id)
    if not any(found.policy in ("public", "signed") for found in asset.playback_ids):
        return _said(owner, "failed", "ready without a playback id", asset.id)
    if not isinstance(owner, Lesson):
        return _said(owner, "updated", "true ids for a preview", asset.id)
    if owner.status == "published":
        return _said(owner, "updated", "true ids, plays again", asset.id)
    if _kept(owner) or not owner.publish_on_ready:
        return _said(owner, "updated", "true ids, kept as a draft", asset.id)
    return _said(owner, "updated", "published", asset.id)


def _take_over(owner: Owner, asset: mux.Asset, actor: Actor) -> None:
    with transaction(actor):
        video = locking.lock_video_of(owner)
        if isinstance(video.owner, Lesson) and _kept(video.owner):
            publication.withdraw(video.owner, why="it was a finished draft")
        upload = _upload_for(video, asset)
        observation = asset_observation(
            asset,
            wanted_policy=upload.wanted_policy,
            found_by="manual",
            seen=True,
            any_policy=True,
            keep=video.owner.mux_playback_id,
        )
        transitions.apply(video, upload, observation)
        learning.learn(video, upload, observation)
        transitions.project(video)
        playing = video.playing
        if playing is not None and isinstance(video.owner, Lesson) and video.owner.is_playable:
            publication.fulfil(video.owner, playing)


def _fix_earlier(owner: Owner, actor: Actor) -> None:
    """Replaced videos that can still be brought back: they too play by a true id or not at all."""
    earlier = db.session.scalars(
        select(Tracking.id).where(
            owners.COLUMNS[owner.kind] == owner.id,
            Tracking.status == "ready",
            temporary(Tracking.mux_playback_id),
        )
    ).all()
    db.session.rollback()
    for tracking_id in earlier:
        mux_budget.wait_or_stop()
        ask_mux.check_upload(tracking_id, actor=actor, priority="low", found_by="manual", any_policy=True)
        mux_budget.went_well()


def _upload_for(video: LockedVideo, asset: mux.Asset) -> Tracking:
    """The upload that this asset came from; one of its own where none is known."""
    known = video.of_asset(asset.id)
    if known is None and asset.upload_id:
        known = next((upload for upload in video.uploads if upload.upload_id == asset.upload_id), None)
    if known is not None and known.is_current:
        return known
    policies = {found.policy for found in asset.playback_ids}
    upload = transitions.add_upload(
        video,
        upload_id=MIGRATED,  # the true one is learned with the asset, if no other upload has it
        mux_asset_id=asset.id,
        wanted_policy="signed" if policies == {"signed"} else "public",
        outside=True,
    )
    transitions.make_current(video, upload)
    return upload


def _gone(owner: Owner, asset_id: str, actor: Actor) -> None:
    with transaction(actor):
        video = locking.lock_video_of(owner)
        transitions.ensure_tracked(video)
        upload = video.of_asset(asset_id)
        if upload is not None and upload.is_current:
            transitions.apply(video, upload, gone_observation(asset_id, found_by="manual"))
        else:
            transitions.project(video)


def _forget(owner: Owner, actor: Actor) -> None:
    """Clear an id that names nothing at Mux; `publish_on_ready` is kept for the next upload."""
    with transaction(actor):
        video = locking.lock_video_of(owner)
        transitions.clear_owner_columns(video)
