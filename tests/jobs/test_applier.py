"""The thread that applies webhooks: woken at once, one at a time, and back after whatever happened to it."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from lessonadmin.database.single_connection import connect
from lessonadmin.db import db
from lessonadmin.domain.webhooks import applier as rules
from lessonadmin.domain.webhooks import waiting_events
from lessonadmin.jobs import applier
from tests.mux_sim import store

EVENT = {"id": "event1", "type": "x"}


@pytest.fixture
def started(app: Flask, session: object, pg_url: str) -> Iterator[Callable[[], None]]:
    """Starts one more applier; all are stopped at the end. PostgreSQL may notice a little later that one has gone."""
    until(lambda: not is_at_work(pg_url))
    stop = threading.Event()
    threads: list[threading.Thread] = []
    yield lambda: threads.append(applier.start(app, stop))
    stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def until(is_so: Callable[[], bool]) -> float:
    """Waits until it is so; how long that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < 20
        time.sleep(0.005)
    return time.monotonic() - began


def is_applied() -> bool:
    db.session.rollback()
    return waiting_events.backlog().count == 0


def is_at_work(url: str) -> bool:
    watch = rules.Watch(url)
    try:
        return watch.look().applier_is_at_work
    finally:
        watch.close()


def test_it_is_woken_by_what_is_stored(
    started: Callable[[], None], pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applier, "TICK_SECONDS", 60.0)
    started()
    until(lambda: is_at_work(pg_url))
    store(EVENT)
    assert until(is_applied) < 10
    with connect(pg_url) as waking:  # so that it sees that it is to stop
        monkeypatch.setattr(applier, "TICK_SECONDS", 0.1)
        waking.execute(f"NOTIFY {waiting_events.CHANNEL}")


def test_what_is_stored_in_silence_after_a_notification_does_not_wait_for_the_tick(
    started: Callable[[], None], pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the notification was about something that another process has applied."""
    monkeypatch.setattr(applier, "TICK_SECONDS", 60.0)
    monkeypatch.setattr(applier, "PAUSE_SECONDS", 1.0)
    looked: list[int] = []
    real = rules.apply_due

    def counted() -> int:
        looked.append(real())
        return looked[-1]

    monkeypatch.setattr(rules, "apply_due", counted)
    started()
    until(lambda: bool(looked))
    with connect(pg_url) as waking:
        waking.execute(f"NOTIFY {waiting_events.CHANNEL}")
        until(lambda: len(looked) == 2)
        waking.execute(
            "INSERT INTO waiting_events (id, mux_event_id, secret_hint, body)"
            """ VALUES (gen_random_uuid(), 'event1', 'abcd', '{"id": "event1", "type": "x"}')"""
        )
        assert until(is_applied) < 10
        monkeypatch.setattr(applier, "TICK_SECONDS", 0.1)
        waking.execute(f"NOTIFY {waiting_events.CHANNEL}")


def test_without_a_notification_it_looks_by_itself(
    started: Callable[[], None], pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler of connections lets none through."""
    monkeypatch.setattr(applier, "CHANNEL", "another_channel")
    monkeypatch.setattr(applier, "TICK_SECONDS", 0.1)
    started()
    until(lambda: is_at_work(pg_url))
    store(EVENT)
    until(is_applied)


def test_of_two_one_is_the_applier_and_the_other_takes_over(
    started: Callable[[], None], pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applier, "TICK_SECONDS", 0.1)
    started()
    started()
    until(lambda: is_at_work(pg_url))
    with connect(pg_url) as support:
        ended = support.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
            " AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [rules.LOCK],
        )
        assert ended.fetchall() == [(True,)], "one of them has the lock"
    store(EVENT)
    until(is_applied)
    until(lambda: is_at_work(pg_url))


@pytest.mark.parametrize(
    "error", [OperationalError("SELECT 1", {}, ConnectionError("gone")), RuntimeError("something else")]
)
def test_it_goes_on_after_an_error(
    started: Callable[[], None], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(applier, "PAUSE_AFTER_ERROR_SECONDS", 0.0)
    tries: list[int] = []
    real = rules.apply_due

    def fails_first() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise error
        return real()

    monkeypatch.setattr(rules, "apply_due", fails_first)
    store(EVENT)
    started()
    until(is_applied)
    assert len(tries) >= 3
