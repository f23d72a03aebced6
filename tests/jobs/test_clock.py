"""The clock: does what is due, outlives errors, stops when it is told to; `flask sweep` says what one pass did."""

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy.exc import OperationalError

from lessonadmin.domain import heartbeats
from lessonadmin.jobs import clock, schedule
from tests.factories import make_lesson
from tests.mux_sim import MuxSim


def test_the_clock_beats_works_and_stops(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: dict[int, object] = {}
    monkeypatch.setattr(clock.signal, "signal", lambda number, do: handlers.update({number: do}))
    runs: list[str] = []

    def once(_: object) -> None:
        runs.append("ran")
        handlers[clock.signal.SIGTERM]()  # type: ignore[operator]  # what the clock has put there

    not_yet = schedule.Periodic("not yet", lambda: 1, lambda _: runs.append("too early"), after=1000)
    monkeypatch.setattr(clock, "TABLE", (not_yet, schedule.Periodic("once", lambda: 1, once)))
    clock.run(app)
    assert runs == ["ran"]
    assert heartbeats.worker_and_clock()["clock"]


def test_the_clock_outlives_a_database_that_went_away(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: dict[int, object] = {}
    monkeypatch.setattr(clock.signal, "signal", lambda number, do: handlers.update({number: do}))
    monkeypatch.setattr(clock, "PAUSE_AFTER_ERROR_SECONDS", 0.0)
    passes: list[int] = []

    def fail(_: object) -> None:
        passes.append(len(passes))
        if len(passes) == 1:
            raise OperationalError("SELECT 1", {}, ConnectionError("gone"))
        if len(passes) == 2:
            raise RuntimeError("something else")
        handlers[clock.signal.SIGTERM]()  # type: ignore[operator]  # what the clock has put there

    monkeypatch.setattr(clock, "TABLE", (schedule.Periodic("fail", lambda: 0, fail),))
    clock.run(app)
    assert passes == [0, 1, 2]


def test_many_parts_ask_for_a_heartbeat_and_few_are_written(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    now = 1000.0
    monkeypatch.setattr(clock.heartbeats, "record", lambda name, **_: written.append(name))
    monkeypatch.setattr(clock.time, "monotonic", lambda: now)
    leave = clock._heartbeat()
    for now in (1000.0, 1000.1, 1004.9, 1005.0, 1005.1, 1010.0):  # noqa: B007 - the clock above reads it
        leave()
    assert written == [heartbeats.CLOCK] * 3


def test_a_heartbeat_that_could_not_be_written_is_tried_at_the_next_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[str] = []

    def fail_once(name: str, **_: object) -> None:
        tries.append(name)
        if len(tries) == 1:
            raise OperationalError("INSERT", {}, ConnectionError("gone"))

    monkeypatch.setattr(clock.heartbeats, "record", fail_once)
    leave = clock._heartbeat()
    with pytest.raises(OperationalError):
        leave()
    leave()
    leave()
    assert len(tries) == 2


def test_one_pass_by_hand_says_what_it_did(app: Flask, mux_sim: MuxSim) -> None:
    mux_sim.upload(make_lesson())
    done = CliRunner().invoke(app.cli, ["sweep"], obj=_script(app))
    assert done.exit_code == 0, done.output
    assert "uploads" in done.output


def _script(app: Flask) -> object:
    return ScriptInfo(create_app=lambda: app)
