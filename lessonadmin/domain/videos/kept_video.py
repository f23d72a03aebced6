"""The video that the current one replaced, while it can be restored: until when, and which of the two is the newer one.

Read only; restoring is `removal.restore_replaced`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from lessonadmin.db import db
from lessonadmin.domain.models import AssetDeletion, Owner, Tracking, owners


@dataclass(frozen=True, kw_only=True)
class KeptVideo:
    """`is_newer`: the current video was restored, and the one that is kept had replaced it."""

    replaced_at: datetime
    until: datetime
    is_newer: bool


def of(owner: Owner) -> KeptVideo | None:
    """None if there is none, or if its asset is being deleted at Mux."""
    kept, playing = aliased(Tracking), aliased(Tracking)
    column = owners.COLUMNS[owner.kind].key
    found = db.session.execute(
        select(kept.superseded_at, AssetDeletion.due_at, kept.created_at > playing.created_at)
        .join(playing, playing.id == kept.superseded_by)
        .join(AssetDeletion, AssetDeletion.mux_asset_id == kept.mux_asset_id)
        .where(
            getattr(kept, column) == owner.id,
            kept.status == "ready",
            kept.ready_at.is_not(None),
            playing.plays,
            AssetDeletion.done_at.is_(None),
            AssetDeletion.lease_token.is_(None),
        )
        .order_by(kept.created_at.desc())
        .limit(1)
    ).first()
    return KeptVideo(replaced_at=found[0], until=found[1], is_newer=found[2]) if found is not None else None
