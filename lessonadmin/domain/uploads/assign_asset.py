"""Support says which asset and playback id a lesson or course really has. Nothing is believed before Mux confirms it.

The same rules as for an upload follow: what played gives way and is kept for the grace time, open attempts are
cancelled, and an intent to publish is fulfilled if the video is ready.
"""

from dataclasses import replace

from sqlalchemy import exists, select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.captions import learning
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import AssetDeletion, Owner, Tracking
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import locking, outbox, transitions, withdrawal
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import asset_observation

LEAVING = ("deleting", "deleted", "cancelled")
POLICIES = ("public", "signed")


def adopt_asset(owner: Owner, *, asset_id: str, playback_id: str, actor: Actor) -> None:
    """Make this asset, played by this id, the video of a lesson or course."""
    with transaction(actor):  # and none stays open while Mux is asked
        rate_limits.other_question(actor)
    asset = _at_mux(asset_id)
    chosen = _confirmed(asset, playback_id)
    with transaction(actor):
        video = locking.lock_video_of(owner)
        audit_log.record_mux_call(video.owner.kind, video.owner.id, "get_asset", "ok", "named by support")
        take_over(video, asset, chosen)


def _at_mux(asset_id: str) -> mux.Asset:
    try:
        return mux.get_asset(asset_id, priority="high")
    except mux.MuxError as error:
        if error.kind == "gone" or error.category in ("not_found", "temp_asset"):
            raise Invalid.field("mux_asset_id", "Mux has no such asset.") from error
        raise ask_mux.unavailable(error) from error


def _confirmed(asset: mux.Asset, playback_id: str) -> mux.PlaybackId:
    chosen = next((one for one in asset.playback_ids if one.id == playback_id), None)
    if chosen is None:
        raise Invalid.field("mux_playback_id", "This asset has no such playback id at Mux.")
    if chosen.policy not in POLICIES:
        raise Invalid.field("mux_playback_id", "Videos with this playback policy cannot be played here.")
    if asset.status == "errored":
        raise Conflict("video_error", f"This asset failed at Mux. {asset.error_message or ''}".strip())
    return chosen


def take_over(video: LockedVideo, asset: mux.Asset, chosen: mux.PlaybackId) -> None:
    """Make an asset that Mux has confirmed the video of this lesson or course, under its lock."""
    withdrawal.refuse_kept_back(asset.id, asset.upload_id)
    transitions.ensure_tracked(video)
    _keep(asset.id)
    upload = next(
        (
            upload
            for upload in video.current
            if upload.mux_asset_id == asset.id and upload.status not in LEAVING
        ),
        None,
    )
    if upload is None:
        upload = _new_upload(video, asset)
    upload.wanted_policy = chosen.policy
    if upload.status == "ready":
        transitions.set_playback_id(video, upload, playback_id=chosen.id, policy=chosen.policy)
        return
    observation = asset_observation(asset, wanted_policy=chosen.policy, found_by="manual", seen=True)
    if observation.playback_id is not None:
        observation = replace(observation, playback_id=chosen.id, policy=chosen.policy)
    transitions.apply(video, upload, observation)
    learning.learn(video, upload, observation)


def _keep(asset_id: str) -> None:
    """A replaced asset in its grace time is kept; one that a person deleted is not brought back."""
    wanted_gone = exists().where(Tracking.mux_asset_id == asset_id, Tracking.status == "deleting")
    if not db.session.scalar(select(wanted_gone)):
        outbox.withdraw_deletion(asset_id)
    is_to_be_deleted = exists().where(AssetDeletion.mux_asset_id == asset_id, AssetDeletion.done_at.is_(None))
    if db.session.scalar(select(is_to_be_deleted)):
        raise Conflict("being_deleted", "This asset is being deleted.")


def _new_upload(video: LockedVideo, asset: mux.Asset) -> Tracking:
    known = select(Tracking.id).where(Tracking.upload_id == asset.upload_id)
    free = asset.upload_id is not None and db.session.scalar(known) is None
    upload = transitions.add_upload(
        video,
        upload_id=asset.upload_id if free else MIGRATED,
        mux_asset_id=asset.id,
        outside=True,
    )
    direct_upload.make_current(video, upload)
    return upload
