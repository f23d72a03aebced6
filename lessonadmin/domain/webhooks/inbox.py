"""Mux's events: received once, applied, parked while their owner is unknown, kept with their error, replayed.

The event row is written in the transaction that applies it, with the usual outcome filled in beforehand, so a plain
event costs one insert and no second write. When applying fails, a second transaction keeps the event with its error,
and it is tried again. Nothing in here talks to Mux, sends mail or waits for Redis.
"""

import json
import logging
import uuid

from sqlalchemy import case, func, or_, select, text, update

from lessonadmin import metrics, mux
from lessonadmin.database.database_errors import is_conflict, is_outage
from lessonadmin.db import Actor, after_commit, db, later, new_id, transaction
from lessonadmin.domain import backoff
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.webhooks.handlers import EventResult, apply_event
from lessonadmin.metrics import labels
from lessonadmin.observability import traces
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.text.ids import as_id
from lessonadmin.text.texts import plain

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
PARKED_SECONDS = 24 * 3600
# As text, since it is the same for every event and nothing of it needs compiling.
STORE = text("""INSERT INTO mux_events (id, mux_event_id, type, object_id, upload_id, asset_id, environment_id,
    occurred_at, processed_at, outcome, attempts, secret_hint, target_type, target_id, payload)
  VALUES (:id, :mux_event_id, :type, :object_id, :upload_id, :asset_id, :environment_id,
    :occurred_at, clock_timestamp(), 'applied', 1, :secret_hint, :target_type, :target_id, CAST(:payload AS jsonb))
  ON CONFLICT (mux_event_id) DO NOTHING RETURNING id""")


def receive(event: mux.Event, *, secret_hint: str, actor: Actor) -> str:
    """Store and apply a genuine event; "duplicate" if it was here before. Raises only if it could not be stored."""
    row_id = new_id()
    try:
        with transaction(actor):
            if not _store(row_id, event, secret_hint):
                _count(event.type, "duplicate")
                return "duplicate"
            verdict = apply_event(event)
            if verdict.outcome != "applied" or event.passthrough is None:
                _record_result(row_id, verdict)
            _count(event.type, verdict.outcome)
            return verdict.outcome
    except Exception as error:  # an event must not be lost, whatever applying it raises
        if is_outage(error) or is_conflict(error):
            raise  # no fault of the event, and nothing is stored: Mux must send it again
        log.exception("event %s could not be applied", event.id)
        with transaction(actor):
            _keep_failed(row_id, event, secret_hint, error)
        return "failed"


def _store(row_id: uuid.UUID, event: mux.Event, secret_hint: str) -> bool:
    named = event.passthrough
    row = {
        "id": row_id,
        "mux_event_id": event.id,
        "type": event.type,
        "object_id": event.object_id,
        "upload_id": event.upload_id,
        "asset_id": event.asset_id,
        "environment_id": event.environment_id,
        "occurred_at": event.created_at,
        "secret_hint": secret_hint,
        "target_type": None if named is None else ("lesson" if named.lesson_id else "course"),
        "target_id": None if named is None else named.lesson_id or named.course_id,
        "payload": json.dumps(event.payload),
    }
    return db.session.execute(STORE, row).first() is not None


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


def _keep_failed(row_id: uuid.UUID, event: mux.Event, secret_hint: str, error: Exception) -> None:
    if _store(row_id, event, secret_hint):
        _note_failure(row_id, error, attempts=1)
        _count(event.type, "failed")


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


def _count(type_: str, outcome: str) -> None:
    known = labels.event_type(type_)
    after_commit(lambda: metrics.webhook_events.labels(known, outcome).inc())


def replay(event_row_id: uuid.UUID, *, actor: Actor) -> str:
    """Apply a stored event again; safe to do any number of times, and by two at once."""
    try:
        with transaction(actor):
            row = _locked(event_row_id)
            event = mux.read_stored_event(row.payload)
            row.attempts += 1
            db.session.flush()
            verdict = apply_event(event)
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
