"""Taking a video away from lessons and courses: what happens here at once, and the row that asks for its deletion.

Every caller gives up an asset by `give_up_asset` and says only for whom. A deletion is asked for only
when no lesson or course uses it any more. Nothing in here talks to Mux: `cleanup` carries the deletion out.
"""

from typing import Literal

from lessonadmin import config
from lessonadmin.domain import buyers, permissions
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import Lesson, Owner, Tracking, User
from lessonadmin.domain.videos import (
    conditions,
    locking,
    outbox,
    publication,
    restoring,
    transitions,
)
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.domain.videos.state_machine import VideoEvent
from lessonadmin.text.temporary_ids import is_temporary

# Who gives up an asset: one lesson or course, under its lock, or everything that uses it.
Scope = LockedVideo | Literal["everyone"]


def delete_asset(user: User, asset_id: str) -> int:
    """Delete a video of this user: `request_delete`, if everything that uses the asset is theirs to change. Missing otherwise."""
    permissions.all_to_change(user, locking.owners_with_asset(asset_id))
    return request_delete(asset_id)


def request_delete(asset_id: str) -> int:
    """Clear an asset from everything that uses it and ask for its deletion; how many used it.

    A person must have the right to all of it while it is locked. What begins to use it in between goes on doing so.
    """
    if is_temporary(asset_id):
        raise Conflict("temporary_asset", "This is a temporary id: Mux has no such asset.")
    permissions.acting_user()
    leaving = list(locking.lock_all(set(), {asset_id}).values())
    for video in leaving:
        permissions.still_theirs(video.owner, in_trash_too=True)
    return _take_from(leaving, asset_id, why="deleted by a person")


def give_up_asset(
    asset_id: str, scope: Scope, *, why: str = "deleted by a person", grace_seconds: float = 0
) -> int:
    """Let lessons and courses give up an asset; how many of their uploads had it.

    The scope is all that callers differ in:

    - `"everyone"`: the bulk action “clear asset” (`batches.actions.clear_assets`) and the API's deletion of an asset
      (`request_delete`). Both say that they clear it everywhere.
    - one lesson or course: “Remove video” on its page and its own deletion. A person who works on one lesson is not
      asked about others, so those go on playing.

    It is deleted at Mux, after `grace_seconds`, if nothing outside the scope uses it. Otherwise it is let go here at
    once and stays at Mux until the last user gives it up.
    """
    leaving = list(locking.lock_all(set(), {asset_id}).values()) if scope == "everyone" else [scope]
    return _take_from(leaving, asset_id, why=why, grace_seconds=grace_seconds)


def _take_from(leaving: list[LockedVideo], asset_id: str, *, why: str, grace_seconds: float = 0) -> int:
    for video in leaving:
        transitions.ensure_tracked(video)
    outbox.lock_asset(asset_id)
    inside = {(video.owner.kind, video.owner.id) for video in leaving}
    stays = bool(set(outbox.users_of(asset_id)) - inside)
    uploads = [
        (video, upload) for video in leaving for upload in video.uploads if upload.mux_asset_id == asset_id
    ]
    if grace_seconds and not stays:
        _remember(uploads)
    for video, upload in uploads:
        transitions.apply(
            video, upload, Observation(video_event=VideoEvent.LET_GO if stays else VideoEvent.DELETE)
        )
    for video in leaving:
        if video.owner.mux_asset_id == asset_id:
            transitions.project(video)
    if uploads and not stays:
        outbox.request_deletion(uploads[0][1], why=why, after_seconds=grace_seconds)
    return len(uploads)


def _remember(uploads: list[tuple[LockedVideo, Tracking]]) -> None:
    """Once, and before anything is taken away."""
    for video, upload in uploads:
        if upload.is_current and upload.before_removal is None:
            restoring.remember(video, upload)


def clear_video(video: LockedVideo, *, everywhere: bool = False, grace_seconds: float = 0) -> str:
    """Take the video away from a lesson or course, whatever state it is in; says what was done.

    `everywhere`: its assets are taken from everything else that uses them, too; a caller that asks for that has locked those
    in their order before. `grace_seconds`: how long its asset is kept at Mux after that.
    """
    transitions.ensure_tracked(video)
    if grace_seconds:
        _remember([(video, upload) for upload in video.current if upload.real_asset_id])
    _cancel([one for one in video.current if one.is_open or one.status == "error"], video)
    assets = {
        upload.mux_asset_id for upload in video.current if upload.real_asset_id and upload.status != "deleted"
    }
    for asset_id in sorted(filter(None, assets)):
        give_up_asset(asset_id, "everyone" if everywhere else video, grace_seconds=grace_seconds)
    if transitions.clear_owner_columns(video) and isinstance(video.owner, Lesson):
        publication.withdraw(video.owner, why="its video was cleared")
    return "deleting" if assets else "cleared"


def _cancel(uploads: list[Tracking], video: LockedVideo) -> None:
    """Those of which Mux has made no asset."""
    for upload in uploads:
        if upload.real_asset_id is None:
            outbox.request_cancellation(upload)
            transitions.apply(video, upload, Observation(video_event=VideoEvent.CANCEL))


def cancel_uploads(video: LockedVideo) -> None:
    """The lesson or course goes into the trash: no file comes any more. What Mux has made an asset of goes on."""
    transitions.ensure_tracked(video)
    _cancel([upload for upload in video.current if upload.is_open], video)


def remove_video(owner: Owner, *, known_buyers: int | None = None) -> str:
    """Take every video of one lesson or course away, under its lock; says what was done. It can be restored for the grace
    time. `known_buyers`: how many students bought it, as the person was told who removes it."""
    video = locking.lock_video_of(owner)
    if isinstance(video.owner, Lesson):
        buyers.confirm(video.owner.id, known_buyers)
    return clear_video(video, grace_seconds=config.current().replaced_grace_seconds)


def give_up_all_assets(video: LockedVideo) -> None:
    """The lesson or course itself goes: nothing that is its alone may stay at Mux. The caller deletes the row."""
    transitions.ensure_tracked(video)
    for upload in video.uploads:
        outbox.request_cancellation(upload)
    assets = {upload.real_asset_id for upload in video.uploads if upload.status != "deleted"}
    for asset_id in sorted(filter(None, assets)):
        give_up_asset(asset_id, video, why="its lesson or course was deleted")


def undo_replacement(video: LockedVideo) -> bool:
    """Bring back the video that the present one replaced, while its asset is still there."""
    new = video.playing
    old = next(
        (upload for upload in reversed(video.uploads) if new and conditions.replaced_by(upload, new)), None
    )
    if new is None or old is None or not outbox.withdraw_deletion(old.mux_asset_id or ""):
        return False
    transitions.swap_back(video, new=new, old=old)
    return True


def restore_replaced(owner: Owner) -> None:
    """Bring back the video that the present one of this lesson or course replaced; Conflict if its asset is gone."""
    if not undo_replacement(locking.lock_video_of(owner)):
        raise Conflict(
            "cannot_undo", "The earlier video is not at Mux any more, so it cannot be brought back."
        )
