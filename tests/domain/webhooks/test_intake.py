"""What is taken in is stored, and applied by the process that is quickest; nothing that is stored is forgotten."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select

from lessonadmin.database.single_connection import connect
from lessonadmin.db import db
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.webhooks import applier, intake, waiting_events
from lessonadmin.domain.webhooks.intake import Intake
from lessonadmin.domain.webhooks.waiting_events import Incoming


@pytest.fixture
def way_in(app: Flask, session: object) -> Iterator[Intake]:
    made = Intake(app.app_context)
    yield made
    for one in (made._store, made._leftovers._watch):
        if one is not None:
            one.close()


def incoming(number: int = 0) -> Incoming:
    return Incoming(f"e{number}", "abcd", f'{{"id": "e{number}", "type": "x"}}'.encode())


def take_in(way_in: Intake, one: Incoming) -> None:
    way_in.finish(way_in.begin(one, "x"))


def applied() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(MuxEvent)) or 0


def wait_for_the_thread() -> None:
    for thread in threading.enumerate():
        if thread.name == intake.THREAD:
            thread.join(20)
            assert not thread.is_alive()


def test_one_alone_is_applied_when_it_is_taken_in(way_in: Intake) -> None:
    take_in(way_in, incoming())
    assert applied() == 1


def test_of_many_each_is_applied_a_moment_later_where_there_is_no_applier(way_in: Intake) -> None:
    ones = [incoming(number) for number in range(30)]
    threads = [threading.Thread(target=take_in, args=(way_in, one)) for one in ones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    wait_for_the_thread()
    assert applied() == 30


def test_beyond_a_few_a_second_the_applier_is_waited_for(
    app: Flask, way_in: Intake, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_events, "MAX_WAIT_FOR_APPLIER_SECONDS", 20.0)
    monkeypatch.setattr(way_in._traffic, "is_quiet", lambda: False)
    monkeypatch.setattr(way_in, "_applied", lambda _: pytest.fail("this process applies it"))
    with connect(pg_url) as working:
        working.execute("SELECT pg_advisory_lock(%s)", [applier.LOCK])

        def apply() -> None:
            with app.app_context():
                while not applier.apply_due():
                    time.sleep(0.01)

        thread = threading.Thread(target=apply)
        thread.start()
        take_in(way_in, incoming())
        assert applied() == 1
        thread.join(20)
    wait_for_the_thread()


def store_older(connection: psycopg.Connection[tuple[object, ...]], *, due_in: int) -> None:
    """One that has waited for five seconds."""
    connection.execute(
        "INSERT INTO waiting_events (id, mux_event_id, secret_hint, body, received_at, due_at) VALUES"
        " ('00000000-0000-7000-8000-000000000001', 'older', 'abcd', '{}', now() - interval '5 seconds',"
        " now() + make_interval(secs => %s))",
        [due_in],
    )


@pytest.mark.parametrize("is_quiet", [True, False])
def test_behind_older_ones_that_wait_none_is_applied_before_its_answer(
    way_in: Intake, pg_url: str, monkeypatch: pytest.MonkeyPatch, is_quiet: bool
) -> None:
    """The processor is needed for those; an answer that waited would only come later."""
    monkeypatch.setattr(way_in._traffic, "is_quiet", lambda: is_quiet)
    monkeypatch.setattr(way_in, "_applied", lambda _: pytest.fail("it is applied before its answer"))
    with connect(pg_url) as working:
        working.execute("SELECT pg_advisory_lock(%s)", [applier.LOCK])
        store_older(working, due_in=-5)
        for number in range(2):
            began = time.monotonic()
            one = incoming(number)
            take_in(way_in, one)
            assert time.monotonic() - began < waiting_events.MAX_WAIT_FOR_APPLIER_SECONDS
        assert one.wakes_applier, "no process applies it by itself"
        assert applied() == 0
    monkeypatch.undo()
    wait_for_the_thread()
    assert applied() == 3


def test_one_whose_lesson_is_locked_keeps_no_other_from_being_applied_before_its_answer(
    way_in: Intake, pg_url: str
) -> None:
    with connect(pg_url) as working:
        working.execute("SELECT pg_advisory_lock(%s)", [applier.LOCK])
        store_older(working, due_in=2)
        for number in range(3):
            take_in(way_in, incoming(number))
            assert applied() == number + 1
    wait_for_the_thread()


def test_what_is_stored_is_answered_although_it_is_not_known_what_is_left(
    way_in: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> applier.Left:
        raise psycopg.OperationalError("too many connections")

    monkeypatch.setattr(way_in._leftovers, "seen", fails)
    take_in(way_in, incoming())
    wait_for_the_thread()
    assert applied() == 1


def test_several_that_have_begun_are_stored_together(way_in: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    lots: list[int] = []
    real = waiting_events.Store._write

    def counted(store: waiting_events.Store, several: list[Incoming]) -> None:
        lots.append(len(several))
        real(store, several)

    monkeypatch.setattr(waiting_events.Store, "_write", counted)
    monkeypatch.setattr(way_in, "_applied", lambda _: pytest.fail("none of them came alone"))
    for arrival in [way_in.begin(incoming(number), "x") for number in range(5)]:
        way_in.finish(arrival)
    assert lots == [5]
    wait_for_the_thread()
    assert applied() == 5


def test_what_is_given_up_is_not_stored_and_in_no_others_way(way_in: Intake) -> None:
    way_in.give_up(way_in.begin(incoming(1), "x"))
    take_in(way_in, incoming(2))
    assert applied() == 1, "it came alone and is applied at once"
    wait_for_the_thread()
    assert applied() == 1


def test_an_applier_that_does_not_come_holds_no_answer_up(way_in: Intake, pg_url: str) -> None:
    way_in._traffic.is_quiet = lambda: False  # type: ignore[method-assign]  # of this one only
    with connect(pg_url) as hanging:
        hanging.execute("SELECT pg_advisory_lock(%s)", [applier.LOCK])
        began = time.monotonic()
        take_in(way_in, incoming())
        assert time.monotonic() - began < 3
        assert applied() == 0
    wait_for_the_thread()
    assert applied() == 1, "its lock is gone, so this process applies what it has left"


def test_what_could_not_be_stored_in_time_is_looked_for(
    way_in: Intake, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL may carry out a statement whose caller has gone."""
    take_in(
        way_in, incoming()
    )  # from now on the statement is prepared, and carried out as soon as it is sent
    with connect(pg_url) as other, other.transaction():
        other.execute("LOCK TABLE waiting_events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(psycopg.OperationalError):
            take_in(way_in, incoming(1))
    wait_for_the_thread()
    assert applied() == 2


def test_the_watch_says_what_is_left(way_in: Intake, pg_url: str) -> None:
    with closing(applier.Watch(pg_url)) as watch:
        until = time.monotonic() + 10  # PostgreSQL frees the lock of a closed connection a moment later
        while watch.look().applier_is_at_work and time.monotonic() < until:
            time.sleep(0.05)
        assert watch.look() == applier.Left(0.0, 0.0, applier_is_at_work=False)
