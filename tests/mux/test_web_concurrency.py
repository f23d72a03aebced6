"""Calls to Mux within a web request: only counted ones, few at a time, and no waiting while Mux is slow."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from lessonadmin.mux import web_concurrency
from lessonadmin.mux.errors import Later
from lessonadmin.mux.web_concurrency import MAX_AT_ONCE, RESERVED_FOR_UPLOADS, NotCounted, Slots, slot

FOR_QUESTIONS = MAX_AT_ONCE - RESERVED_FOR_UPLOADS


class Clock:
    """In the place of the module `time`: it stands still until it is set."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(web_concurrency, "time", made)
    return made


class Waited(Exception):
    """A call would have waited for a place."""


@pytest.fixture
def slots(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Slots:
    """Two places are taken, and a call that would wait for one of them raises Waited."""

    def wait(seconds: float) -> None:
        raise Waited(seconds)

    made = Slots()
    monkeypatch.setattr(made._changed, "wait", wait)
    for _ in range(2):
        assert made.take(2) == clock.now
    return made


def test_while_mux_is_quick_the_next_call_waits_for_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_concurrency, "WAIT_SECONDS", 20)
    slots = Slots()
    first, _ = slots.take(2), slots.take(2)
    assert first is not None
    wait, waits = slots._changed.wait, threading.Event()

    def waiting(seconds: float) -> bool:
        waits.set()
        return wait(seconds)

    monkeypatch.setattr(slots._changed, "wait", waiting)
    with ThreadPoolExecutor(1) as pool:
        third = pool.submit(slots.take, 2)
        assert waits.wait(5)
        slots.leave(first)
        assert third.result(5) is not None


def test_a_call_waits_no_longer_than_the_oldest_one_may_take(slots: Slots, clock: Clock) -> None:
    clock.now += 0.4
    with pytest.raises(Waited) as caught:
        slots.take(2)
    assert caught.value.args[0] == pytest.approx(web_concurrency.WAIT_SECONDS - 0.4)
    clock.now += web_concurrency.WAIT_SECONDS
    assert slots.take(2) is None


def test_once_a_call_was_slow_no_call_waits_until_one_is_quick_again(slots: Slots, clock: Clock) -> None:
    began = clock.now
    clock.now += web_concurrency.WAIT_SECONDS + 0.1
    slots.leave(began)
    slots.leave(began)
    for _ in range(2):
        assert slots.take(2) == clock.now
    assert slots.take(2) is None
    slots.leave(clock.now)
    assert slots.take(2) == clock.now
    with pytest.raises(Waited):
        slots.take(2)


def test_outside_of_a_request_nothing_is_counted_and_no_call_waits() -> None:
    with ExitStack() as calls:
        for _ in range(MAX_AT_ONCE * 2):
            calls.enter_context(slot(for_upload=False))
        assert web_concurrency._slots._running == []


def test_a_call_that_no_limit_has_counted_is_not_made(in_request: None) -> None:
    with pytest.raises(NotCounted), slot(for_upload=True):
        pytest.fail("it was made")


def test_what_was_counted_holds_for_its_own_request_only(in_request: None) -> None:
    web_concurrency.mark_counted()
    with slot(for_upload=False):
        pass
    web_concurrency.begin()
    with pytest.raises(NotCounted), slot(for_upload=False):
        pytest.fail("it was made")


def test_a_count_outside_of_a_request_is_not_kept_for_the_next_one(in_request: None) -> None:
    web_concurrency.end()
    web_concurrency.mark_counted()
    web_concurrency.begin()
    with pytest.raises(NotCounted), slot(for_upload=False):
        pytest.fail("it was made")


def test_one_place_is_kept_for_starting_uploads(in_request: None) -> None:
    web_concurrency.mark_counted()
    with ExitStack() as calls:
        for _ in range(FOR_QUESTIONS):
            calls.enter_context(slot(for_upload=False))
        with pytest.raises(Later) as busy, slot(for_upload=False):
            pytest.fail("it was made")
        assert (busy.value.category, busy.value.retry_after) == ("busy", web_concurrency.RETRY_AFTER_SECONDS)
        for _ in range(RESERVED_FOR_UPLOADS):
            calls.enter_context(slot(for_upload=True))
        with pytest.raises(Later), slot(for_upload=True):
            pytest.fail("it was made")
    with slot(for_upload=False):
        assert len(web_concurrency._slots._running) == 1


def test_a_call_that_fails_gives_its_place_back(in_request: None) -> None:
    web_concurrency.mark_counted()
    with pytest.raises(ZeroDivisionError), slot(for_upload=False):
        raise ZeroDivisionError
    assert web_concurrency._slots._running == []
