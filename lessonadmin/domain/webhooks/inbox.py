"""Mux's events as rows: with what became of them, parked while their owner is unknown, kept with their error, replayed.

A row is written in the transaction that applies the event (`applier`). An event that cannot be applied is kept with its error,
and is tried again. Nothing in here talks to Mux, sends mail or waits for Redis.
"""

import json
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select, text, update

from lessonadmin import metrics, mux
from lessonadmin.database.database_errors import is_conflict, is_outage
from lessonadmin.db import Actor, after_commit, db, later, transaction
from lessonadmin.domain import backoff
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.webhooks import handlers
from lessonadmin.domain.webhooks.handlers import EventResult
from lessonadmin.metrics import labels
from lessonadmin.observability import traces
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.text.ids import as_id
from lessonadmin.text.texts import plain

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
PARKED_SECONDS = 24 * 3600
# Rows travel as JSON, so that the statement is always the same text, however many events there are.
INSERT = text("""INSERT INTO mux_events (id, mux_event_id, type, object_id, upload_id, asset_id, environment_id,
    occurred_at, received_at, processed_at, outcome, attempts, secret_hint, target_type, target_id, payload)
  SELECT id, mux_event_id, type, object_id, upload_id, asset_id, environment_id,
    occurred_at, received_at, clock_timestamp(), outcome, 1, secret_hint, target_type, target_id, payload
    FROM jsonb_to_recordset(CAST(:events AS jsonb)) AS one (id uuid, mux_event_id text, type text, object_id text,
      upload_id text, asset_id text, environment_id text, occurred_at timestamptz, received_at timestamptz,
      outcome text, secret_hint text, target_type text, target_id uuid, payload jsonb)""")


@dataclass(frozen=True)
class Applied:
    """An event that came, and what became of it."""

    id: uuid.UUID
    event: mux.Event
    secret_hint: str | None
    received_at: datetime
    result: EventResult


def record(several: Sequence[Applied]) -> None:
    """Write a row for each, with its outcome."""
    if not several:
        return
    rows = json.dumps([_row(one) for one in several], default=str)
    db.session.execute(INSERT, {"events": rows})
    for one in several:
        if one.result.outcome == "unmatched":
            _record_result(one.id, one.result)
        count_later(one.event.type, one.result.outcome)


def _row(one: Applied) -> dict[str, object]:
    event, named = one.event, one.event.passthrough
    kind = target_id = None
    if one.result.target_id is not None:
        kind, target_id = one.result.kind, one.result.target_id
    elif named is not None:
        kind, target_id = ("lesson" if named.lesson_id else "course"), named.lesson_id or named.course_id
    return {
        "id": one.id,
        "mux_event_id": event.id,
        "type": event.type,
        "object_id": event.object_id,
        "upload_id": event.upload_id,
        "asset_id": event.asset_id,
        "environment_id": event.environment_id,
        "occurred_at": event.created_at,
        "received_at": one.received_at,
        "outcome": one.result.outcome,
        "secret_hint": one.secret_hint,
        "target_type": kind,
        "target_id": target_id,
        "payload": event.payload,
    }


def record_failed(one: Applied, error: Exception) -> None:
    """Keep an event that could not be applied, with its error, to be tried again."""
    record([one])
    _note_failure(one.id, error, attempts=1)


def _record_result(row_id: uuid.UUID, verdict: EventResult) -> None:
    """Write down what became of it, where that is not what was filled in beforehand."""
    changes: dict[str, object] = {"outcome": verdict.outcome, "error": None, "next_attempt_at": None}
    changes["processed_at"] = func.clock_timestamp()
    if verdict.target_id is not None:
        changes |= {"target_type": verdict.kind, "target_id": verdict.target_id}
    if verdict.outcome == "unmatched":
        changes["next_attempt_at"] = _next_try()
    db.session.execute(update(MuxEvent).where(MuxEvent.id == row_id).values(**changes))


def _next_try() -> object:
    """A parked event is tried for as long as Mux itself might have sent it, less and less often."""
    age = func.extract("epoch", func.clock_timestamp() - MuxEvent.received_at)
    pause = func.least(func.greatest(age * 0.5, 5), 3600)
    return case((age < PARKED_SECONDS, later(pause)), else_=None)


def _note_failure(row_id: uuid.UUID, error: Exception, *, attempts: int) -> None:
    dead = attempts >= MAX_ATTEMPTS
    db.session.execute(
        update(MuxEvent)
        .where(MuxEvent.id == row_id)
        .values(
            outcome="failed",
            attempts=attempts,
            error=plain(traces.with_words(error)),
            next_attempt_at=None if dead else later(backoff.pause(attempts, first=20)),
        )
    )


def count(type_: str, outcome: str) -> None:
    """For the figures: an event came, and this became of it ("duplicate": it had come before)."""
    metrics.webhook_events.labels(labels.event_type(type_), outcome).inc()


def count_later(type_: str, outcome: str) -> None:
    """The same once the open transaction is committed."""
    after_commit(lambda: count(type_, outcome))


def replay(event_row_id: uuid.UUID, *, actor: Actor) -> str:
    """Apply a stored event again; safe to do any number of times, and by two at once."""
    try:
        with transaction(actor):
            row = _locked(event_row_id)
            event = mux.read_stored_event(row.payload)
            row.attempts += 1
            db.session.flush()
            verdict = handlers.apply_event(event)
            if verdict.outcome == "no_change" and row.outcome == "applied":
                return "no_change"  # it did its work before, and the list should go on saying so
            _record_result(row.id, verdict)
            return verdict.outcome
    except Missing:
        raise
    except Exception as error:  # an event must not be lost, whatever replaying it raises
        if is_outage(error) or is_conflict(error):
            raise  # no fault of the event: it stays as it was, and may be replayed again
        log.exception("event %s could not be replayed", event_row_id)
        with transaction(actor):
            row = _locked(event_row_id)
            _note_failure(row.id, error, attempts=row.attempts + 1)
        return "failed"


def _locked(event_row_id: uuid.UUID) -> MuxEvent:
    row = db.session.scalar(
        select(MuxEvent)
        .where(MuxEvent.id == event_row_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise Missing()
    return row


def due(limit: int = 100) -> list[uuid.UUID]:
    """Parked and failed events whose time has come."""
    return list(
        db.session.scalars(
            select(MuxEvent.id)
            .where(MuxEvent.next_attempt_at <= func.clock_timestamp())
            .order_by(MuxEvent.next_attempt_at)
            .limit(limit)
        )
    )


def failed(limit: int = 1000) -> list[uuid.UUID]:
    """Events that could not be applied, also those that are tried no more."""
    return list(
        db.session.scalars(
            select(MuxEvent.id).where(MuxEvent.outcome == "failed").order_by(MuxEvent.id).limit(limit)
        )
    )


def unapplied(limit: int = 1000) -> list[uuid.UUID]:
    """Events that changed nothing so far: failed ones, and those whose owner was unknown."""
    wanted = MuxEvent.outcome.in_(("failed", "unmatched"))
    return list(db.session.scalars(select(MuxEvent.id).where(wanted).order_by(MuxEvent.id).limit(limit)))


def find(name: str) -> uuid.UUID | None:
    """One event by its local id, or by the id that Mux gave it."""
    wanted = or_(MuxEvent.id == as_id(name), MuxEvent.mux_event_id == name)
    return db.session.scalar(select(MuxEvent.id).where(wanted).limit(1))


def release_parked(upload_id: str) -> None:
    """The owner of an upload has appeared: events that came too early are applied right after.

    One that is being replayed this moment holds its row and waits for the lesson: it is tried again soon anyway.
    """
    parked = select(MuxEvent.id).where(MuxEvent.upload_id == upload_id, MuxEvent.outcome == "unmatched")
    released = db.session.scalars(
        update(MuxEvent)
        .where(MuxEvent.id.in_(parked.with_for_update(skip_locked=True).scalar_subquery()))
        .values(next_attempt_at=func.clock_timestamp())
        .returning(MuxEvent.id)
    ).all()
    for event_id in released:
        enqueue_after_commit("lessonadmin.jobs.events.replay_event", str(event_id))
