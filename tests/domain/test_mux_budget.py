"""The share of Mux that background work may use: one bucket for all, its pauses, which no caller may shorten."""

import ast
import threading

import pytest
from flask import Flask
from sqlalchemy import text

from devstack.places import ROOT
from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from muxsim.client import Control
from muxsim.server import Simulator
from tests.mux_sim import TOKENS
from tests.settings import overridden


def paused_for() -> float:
    return round(mux_budget.left()[1])


def time_passes(seconds: float) -> None:
    moved = "filled_at = filled_at - make_interval(secs => :s), paused_until = paused_until - make_interval(secs => :s)"
    db.session.execute(text(f"UPDATE mux_budget SET {moved}"), {"s": seconds})  # noqa: S608 - names that the tests write
    db.session.commit()


def test_the_bucket_stays_below_what_mux_gives(session: object) -> None:
    granted = [mux_budget.take() for _ in range(25)]
    assert granted.count(True) == mux_budget.CAPACITY < 20
    time_passes(2)
    assert [mux_budget.take() for _ in range(3)] == [True, True, False]


def test_what_waits_for_each_call_leaves_some_to_what_needs_two_at_once(session: object) -> None:
    while mux_budget.wait(max_seconds=0):
        pass
    assert mux_budget.take(2)


def test_mux_never_has_to_refuse_a_background_read(session: object) -> None:
    """Against Mux's own bucket for reads with a low-priority token, emptied over and over."""
    with Simulator(tokens=TOKENS) as simulator, overridden(mux_api_url=simulator.url):
        control = Control(simulator.url)
        for _ in range(4):
            while mux_budget.take():
                mux.list_assets(priority="low")
            time_passes(5)
            control.advance_clock(5)
        statuses = [one["status"] for one in control.calls(operation="list_assets")]
    assert len(statuses) >= mux_budget.CAPACITY + 3 * 5
    assert set(statuses) == {200}


def test_it_never_holds_more_than_it_can(session: object) -> None:
    mux_budget.take()
    time_passes(3600)
    assert mux_budget.left()[0] == mux_budget.CAPACITY
    assert not mux_budget.take(int(mux_budget.CAPACITY) + 1)


def test_many_workers_get_no_more_than_one(app: Flask, session: object) -> None:
    granted: list[bool] = []

    def work() -> None:
        with app.app_context():
            granted.extend(mux_budget.take() for _ in range(10))
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(granted) == 60
    assert mux_budget.CAPACITY <= granted.count(True) <= mux_budget.CAPACITY + 2  # what flows in meanwhile


def test_mux_is_left_alone_for_as_long_as_it_asks_for(session: object) -> None:
    mux_budget.take()
    mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429, retry_after=40))
    assert paused_for() == 40
    assert not mux_budget.take()
    time_passes(41)
    assert mux_budget.take()


def test_a_pause_is_never_cut_short_by_another_workers_failure(session: object) -> None:
    mux_budget.take()
    mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429, retry_after=40))
    mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429))
    assert paused_for() == 40
    mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429, retry_after=90))
    assert paused_for() == 90


def test_too_many_without_a_time_is_a_short_pause(session: object) -> None:
    mux_budget.take()
    mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429))
    assert paused_for() == 5


@pytest.mark.parametrize(
    "error",
    [
        mux.Later("No answer.", category="timeout"),
        mux.Later("Broken.", category="server_error", status=500),
        mux.Later("No connection.", category="network"),
        mux.Refused("Wrong token.", category="auth_error", status=401),
    ],
)
def test_ten_failures_in_a_row_are_a_minutes_pause(session: object, error: mux.MuxError) -> None:
    mux_budget.take()
    for _ in range(9):
        mux_budget.went_wrong(error)
    assert paused_for() == 0
    mux_budget.went_wrong(error)
    assert paused_for() == 60


def test_one_answer_breaks_the_row(session: object) -> None:
    mux_budget.take()
    for _ in range(9):
        mux_budget.went_wrong(mux.Later("No answer."))
    mux_budget.went_well()
    mux_budget.went_wrong(mux.Later("No answer."))
    assert paused_for() == 0


@pytest.mark.parametrize(
    "error",
    [
        mux.Gone("No such."),
        mux.Nonsense("What?"),
        mux.Refused("No.", category="unknown", status=400),
        mux.Later("Mux cannot delete this asset yet.", category="preparing", status=400),
    ],
)
def test_answers_about_one_thing_make_no_pause(session: object, error: mux.MuxError) -> None:
    mux_budget.take()
    for _ in range(12):
        mux_budget.went_wrong(error)
    assert paused_for() == 0


def test_a_background_call_counts_itself(session: object) -> None:
    for _ in range(10):
        with mux_budget.call(1) as granted:
            assert granted
            raise mux.Later("No answer.")
    with mux_budget.call(1) as granted:
        assert not granted


def test_no_caller_waits_for_the_budget_without_reading_its_answer() -> None:
    """Who goes on after a refusal asks Mux in the middle of its pause."""
    deaf = [
        f"{file.name}:{node.lineno}"
        for file in (ROOT / "lessonadmin").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Expr) and ast.unparse(node).startswith(("budget.wait(", "budget.take("))
    ]
    assert deaf == []
