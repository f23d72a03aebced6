"""Webhooks that are stored: durably, once, together, and in order."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from lessonadmin.database.single_connection import connect
from lessonadmin.db import db
from lessonadmin.domain.models import WaitingEvent
from lessonadmin.domain.webhooks import waiting_events
from lessonadmin.domain.webhooks.waiting_events import Incoming, Store
from lessonadmin.jobs import applier
from tests import owner
from tests.factories import make_event


@pytest.fixture
def stores(session: object, pg_url: str) -> Iterator[list[Store]]:
    """Those of two processes."""
    made = [Store(pg_url), Store(pg_url)]
    yield made
    for one in made:
        one.close()


@pytest.fixture
def store(stores: list[Store]) -> Store:
    return stores[0]


def add(store: Store, one: Incoming) -> None:
    store.wait(store.put(one))


def incoming(name: str = "event1", body: bytes = b'{"id": "event1", "type": "t"}') -> Incoming:
    return Incoming(name, "abcd", body)


def rows() -> list[WaitingEvent]:
    db.session.rollback()
    return list(db.session.scalars(select(WaitingEvent).order_by(WaitingEvent.id)))


def test_what_is_added_is_there_byte_for_byte(store: Store) -> None:
    body = bytes(range(256)) * 10
    one = incoming(body=body)
    add(store, one)
    (row,) = rows()
    assert one.is_new
    assert (row.id, row.mux_event_id, row.secret_hint, row.body) == (one.id, "event1", "abcd", body)
    assert abs((row.received_at - row.due_at).total_seconds()) < 1


def test_the_same_event_is_stored_once(store: Store) -> None:
    first, second = incoming(), incoming(body=b"{}")
    add(store, first)
    add(store, second)
    assert (first.is_new, second.is_new) == (True, False)
    assert [row.id for row in rows()] == [first.id]


def test_an_event_that_is_applied_is_not_stored_again(store: Store) -> None:
    make_event(mux_event_id="event1")
    one = incoming()
    add(store, one)
    assert not one.is_new
    assert rows() == []


def test_the_same_event_many_times_at_once_is_stored_once(stores: list[Store]) -> None:
    ones = [incoming(f"event{number % 10}") for number in range(80)]
    gate = threading.Barrier(len(ones))

    def add_one(place: int) -> None:
        gate.wait(20)
        add(stores[place % 2], ones[place])

    threads = [threading.Thread(target=add_one, args=(place,)) for place in range(len(ones))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(row.mux_event_id for row in rows()) == sorted(f"event{number}" for number in range(10))
    assert sum(one.is_new for one in ones) == 10


def test_what_is_new_wakes_the_applier(store: Store, pg_url: str) -> None:
    with connect(pg_url) as listening:
        listening.execute(f"LISTEN {waiting_events.CHANNEL}")
        add(store, incoming())
        assert [one.channel for one in listening.notifies(timeout=20, stop_after=1)] == [
            waiting_events.CHANNEL
        ]
        add(store, incoming())
        assert list(listening.notifies(timeout=0.2, stop_after=1)) == []
        add(store, incoming("event2"))
        assert list(listening.notifies(timeout=20, stop_after=1)), "a silence is short"


def test_in_a_moment_one_notification_is_enough(
    store: Store, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_events, "SILENT_SECONDS", 60.0)
    with connect(pg_url) as listening:
        listening.execute(f"LISTEN {waiting_events.CHANNEL}")
        for number in range(5):
            add(store, incoming(f"event{number}"))
        assert len(list(listening.notifies(timeout=0.3))) == 1


def test_the_applier_pauses_for_longer_than_web_is_silent() -> None:
    assert applier.PAUSE_SECONDS > waiting_events.SILENT_SECONDS


def test_no_plan_reads_a_whole_table_however_empty_it_is(store: Store, pg_url: str) -> None:
    """A plan that is made for an empty table is kept while the table grows."""

    def plan(on: Any) -> str:
        values: dict[str, object] = {"ids": [], "mux_event_ids": [], "hints": [], "bodies": []}
        rows = on.execute(b"EXPLAIN " + waiting_events.STORE, values | {"wakes": False, "channel": "x"})
        return "\n".join(row[0] for row in rows)

    owner.execute("VACUUM ANALYZE mux_events")
    with connect(pg_url) as plainly:
        assert "Seq Scan on mux_events" in plan(plainly)
    assert "Seq Scan" not in plan(store._connection)


def test_a_database_that_is_away_is_an_error_of_everything_that_waits() -> None:
    away = Store("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(psycopg.OperationalError):
        add(away, incoming())


def test_the_backlog_is_counted_and_dated(store: Store) -> None:
    assert waiting_events.backlog() == waiting_events.Backlog(0, 0.0)
    for number in range(3):
        add(store, incoming(f"event{number}"))
    db.session.rollback()
    found = waiting_events.backlog()
    assert found.count == 3
    assert 0 < found.oldest_seconds < 60
    assert [row.mux_event_id for row in rows()] == ["event0", "event1", "event2"], "in order of arrival"
