"""A reconciliation in a pause of Mux, cut short, by the command, and with a token of another environment."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from lessonadmin.db import CLI
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Difference
from lessonadmin.domain.reconciliation import fixes, reconcile
from tests.domain.reconciliation.support import kinds, reconciled
from tests.factories import make_playing_lesson
from tests.mux_sim import MuxSim


def test_mux_is_not_asked_in_its_pause_and_the_rest_is_left_for_the_next_run(
    mux_sim: MuxSim, app: Flask, pause: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = [make_playing_lesson() for _ in range(3)]
    report, told = reconciled(fix=False)
    assert kinds(told) == {"missing": 3}
    once = fixes.fix
    asked = []

    def then_pause(finding: Difference, **more: Any) -> bool:
        if asked:
            pause()
        asked.append(finding)
        return once(finding, **more)

    monkeypatch.setattr(fixes, "fix", then_pause)
    calls = len(mux_sim.calls())
    report = reconcile.fix_kind(report.run_id, "missing", actor=CLI)
    assert (sum(report.fixed.values()), report.left, len(asked)) == (1, 2, 2)
    assert len(mux_sim.calls()) == calls + 1
    assert [mux_sim.lesson(lesson).video_error_type for lesson in lessons].count("deleted_at_mux") == 1


def test_the_command_says_what_a_pause_left_over(
    mux_sim: MuxSim, app: Flask, pause: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_playing_lesson()
    keep = reconcile._keep

    def kept(*given: Any) -> None:
        keep(*given)
        pause()

    monkeypatch.setattr(reconcile, "_keep", kept)
    result = app.test_cli_runner().invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert f"left for the next run: {mux_budget.CLOSED}: 1" in result.output
    assert "mended: 0" in result.output


def test_a_broken_walk_concludes_nothing(mux_sim: MuxSim, app: Flask) -> None:
    lesson = make_playing_lesson()
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, status=401)
    result = app.test_cli_runner().invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert "nothing was changed" in result.output
    assert mux_sim.lesson(lesson).status == "published"


def test_the_command_prints_a_line_a_finding(mux_sim: MuxSim, app: Flask) -> None:
    lesson = make_playing_lesson()
    result = app.test_cli_runner().invoke(args=["reconcile", "--dry-run"])
    assert result.exit_code == 0
    assert (
        f"missing {lesson.mux_asset_id} lesson:{lesson.id} here: ready, Mux does not have it" in result.output
    )
    assert mux_sim.lesson(lesson).status == "published"


def test_a_token_of_another_environment_clears_nothing(mux_sim: MuxSim, app: Flask) -> None:
    playing = [make_playing_lesson() for _ in range(25)]
    result = app.test_cli_runner().invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert "another Mux environment" in result.output
    assert {mux_sim.lesson(lesson).status for lesson in playing} == {"published"}


def test_the_command_waits_for_another_walk(
    mux_sim: MuxSim, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reconciled() -> Result:
        return app.test_cli_runner().invoke(args=["reconcile", "--dry-run"])

    def ends(_seconds: float) -> None:
        others.close()

    others = ExitStack()
    others.enter_context(reconcile.exclusive())
    monkeypatch.setattr("lessonadmin.cli.reconcile.time.sleep", ends)
    done = reconciled()
    assert done.exit_code == 0, done.output
    assert done.stderr == "Another sync check is running; waiting for it to end.\n"
    assert "found: 0" in done.stdout
    monkeypatch.setattr("lessonadmin.cli.reconcile.TIMEOUT_SECONDS", -1.0)
    with reconcile.exclusive():
        refused = reconciled()
    assert refused.exit_code == 1
    assert "Another sync check is still running" in refused.stderr
