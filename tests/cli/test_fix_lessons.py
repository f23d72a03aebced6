"""`flask fix-lessons`: four figures at the end, exit code 1 for what failed or is left, and the report.

What happens to each kind of lesson is tested in tests/domain/maintenance/test_fix_old_lessons.py.
"""

import csv
import uuid
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from lessonadmin.cli import fix_lessons
from lessonadmin.domain import mux_budget
from lessonadmin.domain.maintenance.fix_old_lessons import Finding

FIGURES = ["processed: 0", "updated: 0", "skipped: 0", "failed: 0"]


@pytest.fixture
def runner(app: Flask, session: object) -> FlaskCliRunner:
    return app.test_cli_runner()


def finding(result: str) -> Finding:
    return Finding("lesson", uuid.uuid4(), "A title", result, "a reason")  # type: ignore[arg-type]


def test_an_empty_school_has_nothing_to_fix(runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["fix-lessons"])
    assert (result.exit_code, result.output.splitlines()) == (0, FIGURES)


@pytest.mark.parametrize(
    ("results", "left", "code"),
    [(["updated", "skipped"], 0, 0), (["updated", "failed"], 0, 1), (["updated"], 3, 1)],
)
def test_what_failed_or_is_left_ends_with_1(
    results: list[str], left: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        fix_lessons._summarise([finding(one) for one in results], {}, left)
        ended = 0
    except SystemExit as end:
        ended = int(str(end.code))
    assert ended == code
    said = capsys.readouterr().out
    assert f"processed: {len(results)}" in said
    assert (f"left for the next run: {mux_budget.CLOSED}: 3" in said) == bool(left)


def test_the_report_has_a_line_a_lesson(tmp_path: Path) -> None:
    found = [finding("updated"), finding("failed")]
    fix_lessons._write_report(tmp_path / "report.csv", found)
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["kind", "id", "title", "result", "reason", "remark"]
    assert [row[3] for row in rows[1:]] == ["updated", "failed"]


@pytest.mark.parametrize("arguments", [("--batch-size", "0"), ("--delay", "-1")])
def test_nonsense_is_refused(runner: FlaskCliRunner, arguments: tuple[str, ...]) -> None:
    assert runner.invoke(args=["fix-lessons", *arguments]).exit_code == 2
