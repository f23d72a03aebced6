"""Restore a cleared video while its asset still has its grace time: the undo of “clear asset”.

How it comes back is the business of `videos.restoring`, which the instructor's page uses, too.
"""

import uuid

from sqlalchemy import ColumnElement, and_, case, exists, literal

from lessonadmin.domain.batches import results
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import AssetDeletion, Kind, Tracking, owners
from lessonadmin.domain.videos import locking, restoring


def verdict(kind: Kind) -> ColumnElement[str]:
    model, column = owners.MODELS[kind], owners.COLUMNS[kind]
    waiting = exists().where(
        column == model.id,
        Tracking.status == "deleting",
        Tracking.before_removal.is_not(None),
        AssetDeletion.mux_asset_id == Tracking.mux_asset_id,
        restoring.waits_for_its_time(),
    )
    taken = exists().where(
        column == model.id, Tracking.is_current, Tracking.status.in_(("uploading", "processing", "ready"))
    )
    return case((and_(waiting, ~taken), "restores"), else_=literal("too_late"))


def restore(kind: Kind, target_id: uuid.UUID) -> Result:
    """Take the video back, with the publication that its lesson had."""
    if locking.find_owner(kind, target_id) is None:
        return results.of("missing")
    return results.of("restores" if restoring.restore(kind, target_id) else "too_late")
