"""Read a few pages of assets before a batch asks Mux item by item, as long as they answer enough of its items.

A page of a hundred costs as much as one question. Reading stops when it no longer pays, so that a batch about old
videos deep in a large library costs hardly more calls than without.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, select

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.batches.registry import TargetType
from lessonadmin.domain.models import Tracking, owners
from lessonadmin.domain.polling import survey
from lessonadmin.domain.polling.ask_mux import Answers
from lessonadmin.domain.videos.conditions import ASKABLE
from lessonadmin.text.temporary_ids import is_temporary

log = logging.getLogger(__name__)

FEW = 5  # up to so many, single questions are no dearer than pages
MAY_BE_IN_VAIN = 3  # pages beyond those that have paid for themselves


def about(target: TargetType, ids: Sequence[uuid.UUID]) -> tuple[Answers, set[uuid.UUID]]:
    """What pages say of these rows, and which of them are answered by that. Keeps to the shared budget."""
    wanted, oldest = _wanted(target, ids) if len(ids) > FEW else ({}, None)
    pages: dict[str, mux.Asset] = {}
    answered: set[uuid.UUID] = set()
    read = 0

    def pays() -> bool:
        return len(wanted.keys() - pages.keys()) > FEW and read < len(answered) + MAY_BE_IN_VAIN

    for page in survey.asset_pages(oldest, go_on=pays, gave_up=_give_up):
        read += 1
        for asset in page.assets:
            for key in (asset.id, asset.upload_id):
                if key in wanted:
                    pages[key] = pages[asset.id] = asset
                    answered.add(wanted[key])
    return Answers("low", pages), answered


def _give_up(error: mux.MuxError) -> None:
    log.warning("reading ahead ended early: %s", error.category)
    mux_budget.went_wrong(error)


def _wanted(target: TargetType, ids: Sequence[uuid.UUID]) -> tuple[dict[str, uuid.UUID], datetime | None]:
    """By which ids Mux knows the videos of these rows, and since when there is the oldest of them.

    An upload that has an asset is known by that alone: its own id would be a second way to the same answer.
    """
    if target == "event":
        return {}, None
    found = [*_uploads(target, ids), *_untracked(target, ids)]
    db.session.rollback()
    wanted = {
        key: row_id
        for row_id, asset_id, upload_id, _ in found
        if (key := upload_id if is_temporary(asset_id) else asset_id or upload_id)
    }
    return wanted, min((made for *_, made in found), default=None)


UploadOrOwner = Literal["lesson", "course", "tracking"]
Known = tuple[uuid.UUID, str | None, str | None, datetime]


def _uploads(target: UploadOrOwner, ids: Sequence[uuid.UUID]) -> list[Known]:
    if target == "tracking":
        chosen: ColumnElement[bool] = Tracking.id.in_(ids)
    else:
        column = owners.COLUMNS[target]
        chosen = and_(column.in_(ids), Tracking.is_current)
    rows = db.session.scalars(select(Tracking).where(chosen, ASKABLE))
    return [
        (row.id if target == "tracking" else row.target_id, row.mux_asset_id, row.upload_id, row.created_at)
        for row in rows
    ]


def _untracked(target: UploadOrOwner, ids: Sequence[uuid.UUID]) -> list[Known]:
    """Videos from before there was tracking."""
    if target == "tracking":
        return []
    model = owners.MODELS[target]
    rows = db.session.execute(
        select(model.id, model.mux_asset_id, model.created_at).where(
            model.id.in_(ids), model.mux_asset_id.is_not(None)
        )
    )
    return [(row[0], row[1], None, row[2]) for row in rows]
