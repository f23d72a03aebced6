"""`flask reconcile`: what it asks for, its figures, and its exit code."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from lessonadmin.cli import reconcile as command
from lessonadmin.domain.reconciliation import mux_inventory, reconcile
from tests.mux_sim import MuxSim


@pytest.fixture
def runner(app: Flask, session: object) -> FlaskCliRunner:
    return app.test_cli_runner()


def refuse_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr(reconcile, "run", refuse)


@pytest.mark.parametrize(
    ("arguments", "fix", "delete"),
    [
        ((), True, False),
        (("--dry-run",), False, False),
        (("--delete-orphans",), True, True),
        (("--dry-run", "--delete-orphans"), False, False),
    ],
)
def test_a_dry_run_changes_nothing_whatever_else_is_asked(
    runner: FlaskCliRunner,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    fix: bool,
    delete: bool,
) -> None:
    asked: list[dict[str, Any]] = []

    def note(**named: Any) -> None:
        asked.append(named)
        raise mux_inventory.InventoryFailed("stop here")

    monkeypatch.setattr(reconcile, "run", note)
    runner.invoke(args=["reconcile", *arguments])
    assert [(one["fix"], one["delete_orphans"]) for one in asked] == [(fix, delete)]


def test_a_healthy_school_has_nothing_to_tell(runner: FlaskCliRunner, mux_sim: MuxSim) -> None:
    result = runner.invoke(args=["reconcile"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-3:] == ["found: 0", "mended: 0", "failed: 0"]


def test_mux_that_cannot_be_read_is_one_line(runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_with(monkeypatch, mux_inventory.InventoryFailed("away"))
    result = runner.invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "nothing was changed" in result.output


def test_another_one_that_does_not_end_is_not_waited_for_for_ever(
    runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_with(monkeypatch, reconcile.AlreadyRunning())
    monkeypatch.setattr(command, "TIMEOUT_SECONDS", -1.0)
    result = runner.invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert "still running" in result.output
