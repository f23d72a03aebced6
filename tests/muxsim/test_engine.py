"""Whether the simulator is idle: what `flush` waits for."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from muxsim.clock import Clock
from muxsim.engine import Engine
from muxsim.store import Store
from muxsim.switches import Switches
from muxsim.webhooks.delivery import Sender

RELEASED_WITHIN = 10


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state.sqlite")


@pytest.fixture
def engine(store: Store) -> Engine:
    return Engine(store, Clock(), cast(Switches, {"deliveries_paused": False}), cast(Sender, None), {})


def _asked_while(store: Store, engine: Engine, ends: Callable[[], None]) -> bool:
    """The answer to a question that is put while a timer ends: ``ends`` is the last that the timer does."""
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(engine.idle()))
    with store.transaction():
        store.run("DELETE FROM timers")
        asking.start()
        asking.join(0.2)
        ends()
    asking.join(RELEASED_WITHIN)
    return answers[0]


def test_with_nothing_to_do_it_is_idle(engine: Engine) -> None:
    assert engine.idle()


def test_a_delivery_of_a_timer_that_ended_meanwhile_is_due(store: Store, engine: Engine) -> None:
    engine.after(0, "finish", "asset")

    def deliver() -> None:
        store.run(
            "INSERT INTO deliveries (event_id, endpoint_id, lane, status, due, first_due)"
            " VALUES ('e', 'h', 'l', 'pending', 1, 1)"
        )

    assert not _asked_while(store, engine, deliver)


def test_slow_work_of_a_timer_that_ended_meanwhile_is_under_way(store: Store, engine: Engine) -> None:
    """And neither waits for the other for ever: a timer that hands on work holds the store."""
    engine.after(0, "caption", "asset")
    over = threading.Event()

    def work() -> None:
        over.wait(RELEASED_WITHIN)

    try:
        assert not _asked_while(store, engine, lambda: engine.in_background(work))
    finally:
        over.set()
