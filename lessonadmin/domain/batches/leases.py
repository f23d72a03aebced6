"""Whose turn it is to work on a batch: one chain of jobs at a time, however often a worker is nudged.

A turn is a sign of life with a token in it, and the token is also the id of the job that has it. A job keeps its turn
fresh while it works and passes it on to the next job of the chain; when it falls silent (a killed worker) or its job was
lost before it began (an emptied Redis) the sweep appoints another job. The rows of a batch have leases of their own, so a
turn that is lost by mistake costs time and never a row.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db, later, new_id
from lessonadmin.domain.models import Heartbeat

SILENT_AFTER_SECONDS = 30.0
LOST_AFTER_SECONDS = 2.0  # putting a job in line takes a second at most
PREFIX = "batch:"


def _name(batch_id: uuid.UUID) -> str:
    return f"{PREFIX}{batch_id}"


@dataclass(frozen=True)
class Turn:
    """Who was appointed last and has not ended the turn, silent or not.

    `may_be_lost`: its job has not started to work, and should be in line by now.
    """

    token: uuid.UUID
    may_be_lost: bool


def appoint(batch_id: uuid.UUID, *, begun: bool = False) -> uuid.UUID | None:
    """A new turn, or None while somebody has one. `begun`: without a job, for a caller that does the work itself. The caller
    commits."""
    token = new_id()
    detail = {"turn": str(token), "begun": begun}
    row = insert(Heartbeat).values(name=_name(batch_id), at=func.clock_timestamp(), detail=detail)
    given = db.session.execute(
        row.on_conflict_do_update(
            index_elements=["name"],
            set_={"at": func.clock_timestamp(), "detail": row.excluded.detail},
            where=Heartbeat.at < later(-SILENT_AFTER_SECONDS),
        ).returning(Heartbeat.name)
    ).first()
    return token if given is not None else None


def holder(batch_id: uuid.UUID) -> Turn | None:
    """The turn as it stands; None while nobody has one."""
    found = db.session.execute(
        select(Heartbeat.detail, Heartbeat.at <= later(-LOST_AFTER_SECONDS)).where(
            Heartbeat.name == _name(batch_id)
        )
    ).first()
    if found is None:
        return None
    detail, old = found
    return Turn(uuid.UUID(str(detail["turn"])), old and not detail.get("begun"))


def pass_on(batch_id: uuid.UUID, token: uuid.UUID) -> uuid.UUID | None:
    """The turn for the next job of the chain; None if somebody else was appointed meanwhile. Commits."""
    following = new_id()
    passed = db.session.execute(
        update(Heartbeat)
        .where(Heartbeat.name == _name(batch_id), Heartbeat.detail["turn"].astext == str(token))
        .values(at=func.clock_timestamp(), detail={"turn": str(following)})
        .returning(Heartbeat.name)
    ).first()
    db.session.commit()
    return following if passed is not None else None


def keep(batch_id: uuid.UUID, token: uuid.UUID, *, in_line: bool = False) -> bool:
    """Say that the work goes on, or that its job is still in line; False if somebody else was appointed. Commits."""
    begun = {} if in_line else {"detail": {"turn": str(token), "begun": True}}
    kept = db.session.execute(
        update(Heartbeat)
        .where(Heartbeat.name == _name(batch_id), Heartbeat.detail["turn"].astext == str(token))
        .values(at=func.clock_timestamp(), **begun)
        .returning(Heartbeat.name)
    ).first()
    db.session.commit()
    return kept is not None


def end(batch_id: uuid.UUID, token: uuid.UUID) -> None:
    """Nothing to do for now: whoever finds work next appoints anew. Commits."""
    db.session.execute(
        delete(Heartbeat).where(
            Heartbeat.name == _name(batch_id), Heartbeat.detail["turn"].astext == str(token)
        )
    )
    db.session.commit()
