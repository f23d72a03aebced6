"""`flask events replay`: which events are applied again, and what is said about them."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from lessonadmin.db import db
from lessonadmin.domain.models import MuxEvent
from lessonadmin.domain.webhooks import inbox
from tests.factories import make_event


@pytest.fixture
def runner(app: Flask, session: object) -> FlaskCliRunner:
    return app.test_cli_runner()


def attempts(event: MuxEvent) -> int:
    db.session.rollback()
    return db.session.get_one(MuxEvent, event.id, populate_existing=True).attempts


def test_without_an_option_what_was_not_applied_comes_again(runner: FlaskCliRunner) -> None:
    events = {name: make_event(outcome=name, attempts=1) for name in ("failed", "unmatched", "applied")}
    result = runner.invoke(args=["events", "replay"])
    assert result.output.splitlines()[-1] == "replayed: 2"
    assert {name: attempts(one) for name, one in events.items()} == {
        "failed": 2,
        "unmatched": 2,
        "applied": 1,
    }


def test_failed_takes_only_those(runner: FlaskCliRunner) -> None:
    parked = make_event(outcome="unmatched", attempts=1)
    make_event(outcome="failed", attempts=1)
    result = runner.invoke(args=["events", "replay", "--failed"])
    assert result.output.splitlines()[-1] == "replayed: 1"
    assert attempts(parked) == 1


@pytest.mark.parametrize("name", ["id", "mux_event_id"])
def test_one_event_by_either_id(runner: FlaskCliRunner, name: str) -> None:
    wanted, other = make_event(outcome="applied", attempts=1), make_event(outcome="failed", attempts=1)
    result = runner.invoke(args=["events", "replay", "--id", str(getattr(wanted, name))])
    assert result.output.splitlines()[-1] == "replayed: 1"
    assert (attempts(wanted), attempts(other)) == (2, 1)


def test_an_unknown_event_is_one_line(runner: FlaskCliRunner) -> None:
    unknown = str(uuid.uuid4())
    result = runner.invoke(args=["events", "replay", "--id", unknown])
    assert (result.exit_code, result.output) == (1, f"Error: There is no event {unknown}.\n")


def test_both_options_are_refused(runner: FlaskCliRunner) -> None:
    assert runner.invoke(args=["events", "replay", "--failed", "--id", "x"]).exit_code == 2


def test_what_fails_again_ends_with_1(runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    make_event(outcome="failed", attempts=1)
    monkeypatch.setattr(inbox, "replay", lambda *_, **__: "failed")
    result = runner.invoke(args=["events", "replay"])
    assert result.exit_code == 1
    assert "failed: 1" in result.output
