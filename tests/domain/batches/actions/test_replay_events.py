"""Events are replayed as a bulk action."""

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog
from tests.domain.batches.actions.support import run
from tests.factories import (
    make_event,
    make_lesson,
)
from tests.mux_sim import MuxSim


def test_replay_applies_a_parked_event_and_is_written_down(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.control.flush_events()
    payloads = mux_sim.waiting()
    event = make_event(
        type=payloads[-1]["type"], mux_event_id=payloads[-1]["id"], payload=payloads[-1], outcome="unmatched"
    )
    broken = make_event(payload={"type": "video.asset.ready"}, outcome="failed")
    lines = run("event", "replay", event.id, broken.id)
    assert lines[event.id].status == "done"
    assert lines[broken.id].status == "failed"
    assert mux_sim.lesson(lesson).status == "published"
    row = db.session.scalars(select(AuditLog).where(AuditLog.target_id == event.id)).one()
    assert (row.action, row.detail["before"], row.detail["after"]) == (
        "event.replayed",
        "unmatched",
        "applied",
    )
