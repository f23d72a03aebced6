"""Fix one difference. Mux is asked about it once more first, since its answer may have changed.

Never deletes an asset itself: it writes an outbox row, and a worker does it.
"""

import uuid
from collections.abc import Callable

from sqlalchemy import func, update

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Difference, Kind
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.reconciliation import playback_policy
from lessonadmin.domain.videos import locking, outbox, transitions
from lessonadmin.domain.videos.observations import asset_observation, gone_observation


def fix(finding: Difference, *, actor: Actor) -> bool:
    """Ask Mux once more and do what this kind of difference needs; False if there is nothing to do (any more)."""
    done = FIXES[finding.kind](finding, actor)
    if done:
        db.session.execute(
            update(Difference).where(Difference.id == finding.id).values(mended_at=func.clock_timestamp())
        )
        db.session.commit()
    return done


def _look_again(finding: Difference, actor: Actor) -> bool:
    """Missing or stale: what Mux says about this asset now is what counts."""
    if finding.target_type not in ("lesson", "course") or finding.target_id is None:
        return False
    mux_budget.wait_or_stop()
    try:
        asset: mux.Asset | None = mux.get_asset(finding.mux_id, priority="low")
    except mux.Gone:
        asset = None
    except mux.Refused as error:
        if error.category != "not_found":
            raise
        asset = None  # not even an id of Mux's, and the whole list did not show it either
    mux_budget.went_well()
    with transaction(actor):
        kind: Kind = "lesson" if finding.target_type == "lesson" else "course"
        video = locking.lock_video(kind, finding.target_id, in_trash_too=True)
        if video is None:
            return False
        transitions.ensure_tracked(video)
        upload = video.of_asset(finding.mux_id)
        # Withdrawn before its asset came: the upload does not know its asset yet.
        if upload is None and asset is not None and asset.upload_id is not None:
            upload = next((one for one in video.uploads if one.upload_id == asset.upload_id), None)
        if upload is None:
            return False
        if asset is None:
            observation = gone_observation(finding.mux_id, found_by="sweep")
        else:
            observation = asset_observation(
                asset, wanted_policy=upload.wanted_policy, found_by="sweep", seen=True
            )
        return ask_mux.apply_locked(video, upload, observation) == "applied"


def _delete(finding: Difference, actor: Actor) -> bool:
    with transaction(actor):
        if locking.owners_with_asset(finding.mux_id):
            return False
        why = f"reconcile: {finding.kind}"
        return outbox.request_deletion_of_asset(finding.mux_id, why=why, target=_target(finding))


def _target(finding: Difference) -> tuple[str, uuid.UUID] | None:
    if finding.target_type is None or finding.target_id is None:
        return None
    return finding.target_type, finding.target_id


def _cancel(finding: Difference, actor: Actor) -> bool:
    target = _target(finding)
    if target is None:
        return False
    with transaction(actor):
        outbox.request_cancellation_by_id(finding.mux_id, target)
    return True


FIXES: dict[str, Callable[[Difference, Actor], bool]] = {
    "missing": _look_again,
    "stale": _look_again,
    "wrong_policy": lambda finding, actor: playback_policy.fix(finding.mux_id, actor=actor),
    "orphan": _delete,
    "duplicate": _delete,
    "unknown_upload": _cancel,
}
