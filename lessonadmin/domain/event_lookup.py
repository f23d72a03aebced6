"""Which stored events are about one lesson or course: by whom they named, by its uploads, by its assets."""

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, union

from lessonadmin.domain.models import MuxEvent, Tracking
from lessonadmin.domain.models.video import MIGRATED


def about(target_id: uuid.UUID, rows: Sequence[Tracking]) -> ColumnElement[bool]:
    """A condition on MuxEvent. Three small look-ups by index, so that no order or limit makes the planner walk the
    whole table."""
    upload_ids = [row.upload_id for row in rows if row.upload_id and row.upload_id != MIGRATED]
    asset_ids = [row.mux_asset_id for row in rows if row.mux_asset_id]
    found = [select(MuxEvent.id).where(MuxEvent.target_id == target_id)]
    if upload_ids:
        found.append(select(MuxEvent.id).where(MuxEvent.upload_id.in_(upload_ids)))
    if asset_ids:
        found.append(select(MuxEvent.id).where(MuxEvent.asset_id.in_(asset_ids)))
    return MuxEvent.id.in_(union(*found))
