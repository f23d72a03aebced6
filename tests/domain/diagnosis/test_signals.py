"""What all outages are told from is read by one statement, whatever there is to read."""

import pytest
from sqlalchemy import func, text

from lessonadmin.db import db
from lessonadmin.domain import heartbeats, hourly_statistics
from lessonadmin.domain.diagnosis.signals import read_signals
from lessonadmin.domain.models import Alarm
from tests.factories import keep, make_event
from tests.queries import asked, plans_of


@pytest.fixture
def no_heartbeat(session: object) -> None:
    db.session.execute(text("DELETE FROM heartbeats"))
    db.session.commit()


def refused(count: int, reason: str = "mismatch") -> None:
    hourly_statistics.add("rejected", reason, count)
    db.session.commit()


@pytest.mark.usefixtures("no_heartbeat")
def test_where_nothing_is_wrong_and_nothing_runs_there_is_nothing() -> None:
    found = read_signals()
    assert (found.alarms, found.seen, found.refused) == (frozenset(), {}, 0)


def test_alarms_that_stand_and_heartbeats_that_count_are_read() -> None:
    keep(Alarm(kind="signatures", message="x"))
    keep(Alarm(kind="quota", message="x"))
    keep(Alarm(kind="no_events", message="x", ended_at=func.now()))
    for name in ("mux:ok", "unheard", "muxsim"):
        heartbeats.record(name)
    found = read_signals()
    assert found.alarms == {"signatures", "quota"}
    assert set(found.seen) == {"mux:ok", "worker:host:1", "clock"}
    assert all(0 <= age < 60 for age in found.seen.values())


@pytest.mark.parametrize(("count", "told"), [(2, 0), (3, 3), (40, 40)])
def test_a_few_refused_messages_are_none(count: int, told: int) -> None:
    refused(count)
    refused(50, "body_too_large")
    assert read_signals().refused == told


def test_what_is_accepted_after_refusals_ends_them_and_what_came_before_does_not() -> None:
    make_event()
    refused(3)
    assert read_signals().refused == 3
    make_event()
    assert read_signals().refused == 0


def test_one_statement_reads_them_and_no_event_but_the_newest() -> None:
    make_event()
    refused(3)
    with asked() as sent:
        read_signals()
    assert len(sent) == 1
    (plan,) = plans_of(sent)
    assert "ix_mux_events_received_at" in plan, plan
    for table in ("mux_events", "hourly_figures"):
        assert f"Seq Scan on {table}" not in plan, plan
