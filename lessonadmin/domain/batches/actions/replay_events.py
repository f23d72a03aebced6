"""Replay a stored event as a bulk action. Safe to repeat."""

import uuid

from sqlalchemy import ColumnElement, literal

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import results
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.webhooks import inbox

SAID = {
    "applied": "Applied.",
    "no_change": "It changes nothing any more.",
    "ignored": "It does not concern this school and stays ignored.",
    "unmatched": "Its lesson or course is still not known here.",
}


def replay_verdict() -> ColumnElement[str]:
    return literal("replays")


def replay(event_id: uuid.UUID, *, actor: Actor) -> Result:
    """Apply one stored event again, and write down who wanted that."""
    before = db.session.scalar(
        MuxEvent.__table__.select().with_only_columns(MuxEvent.outcome).where(MuxEvent.id == event_id)
    )
    db.session.rollback()
    try:
        outcome = inbox.replay(event_id, actor=actor)
    except Missing:
        return results.of("missing")
    with transaction(actor):
        audit_log.record_for("event.replayed", "event", event_id, before=before, after=outcome)
        row = db.session.get(MuxEvent, event_id)
        error = row.error if row is not None else None
    if outcome == "failed":
        return results.failed(f"It could not be applied: {error or 'see the log'}")
    return results.of("replays", SAID.get(outcome))
