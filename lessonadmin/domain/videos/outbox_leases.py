"""Rows that promise something to be done at Mux: one worker at a time holds one, and a late one changes nothing.

A lease is a token and a time: `due_at` is when it runs out, and then the row is anybody's again. Whoever was so slow
that another one took the row has another token and writes nothing down. Nothing in here talks to Mux.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, update

from lessonadmin import mux
from lessonadmin.db import db, later, new_id
from lessonadmin.domain import backoff
from lessonadmin.domain.models import AssetDeletion, UploadCancellation

LEASE_SECONDS = 45
FIRST_PAUSE = 30.0

Promise = type[AssetDeletion] | type[UploadCancellation]


@dataclass(frozen=True)
class Lease:
    """The right to carry out one row, until it runs out."""

    model: Promise
    row_id: uuid.UUID
    token: uuid.UUID
    attempts: int
    mux_id: str

    @property
    def held(self) -> ColumnElement[bool]:
        """The row, if nobody else has taken it."""
        return (self.model.id == self.row_id) & (self.model.lease_token == self.token)


def take(model: Promise, row_id: uuid.UUID, *, also_when: ColumnElement[bool] | None = None) -> Lease | None:
    """Take a row that is due (or `also_when`); None if it is done, not due or in other hands."""
    token = new_id()
    due: ColumnElement[bool] = model.due_at <= func.clock_timestamp()
    mux_id = model.mux_asset_id if model is AssetDeletion else UploadCancellation.upload_id
    row = db.session.execute(
        update(model)
        .where(model.id == row_id, model.done_at.is_(None), due if also_when is None else due | also_when)
        .values(lease_token=token, attempts=model.attempts + 1, due_at=later(LEASE_SECONDS))
        .returning(model.attempts, mux_id)
    ).first()
    return Lease(model, row_id, token, *row) if row is not None else None


def give_back(lease: Lease, error: str, *, seconds: float) -> None:
    """Later; a lease that ran out and went to another one is not given back."""
    db.session.execute(
        update(lease.model)
        .where(lease.held)
        .values(lease_token=None, last_error=error, due_at=later(seconds))
    )


def failed(lease: Lease, error: mux.MuxError) -> None:
    """Later, after a pause that grows, or as long as Mux wishes."""
    seconds = backoff.pause(lease.attempts, first=FIRST_PAUSE, retry_after=error.retry_after)
    give_back(lease, f"{error.category}: {error.message}", seconds=seconds)


def fulfil(lease: Lease) -> bool:
    """Done; False (and nothing is written) if another one has the row by now."""
    ended = db.session.execute(
        update(lease.model)
        .where(lease.held, lease.model.done_at.is_(None))
        .values(done_at=func.clock_timestamp(), lease_token=None, last_error=None)
        .returning(lease.model.id)
    ).first()
    return ended is not None
