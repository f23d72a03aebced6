"""`flask doctor`: a line a check, what to do below it, and exit code 1 if one fails."""

import pytest
from flask import Flask

from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.health.doctor.examination import Line, fail, ok, warn

FINE, DOUBTFUL, BROKEN = (
    ok("Redis", "answers"),
    warn("Mail", "is off", "Set MAIL_URL."),
    fail("Mux", "is away", "Wait."),
)


@pytest.mark.parametrize(
    ("lines", "code", "counts"),
    [
        ([FINE], 0, "1 ok, 0 warn, 0 FAIL"),
        ([FINE, DOUBTFUL], 0, "1 ok, 1 warn, 0 FAIL"),
        ([FINE, DOUBTFUL, BROKEN], 1, "1 ok, 1 warn, 1 FAIL"),
    ],
)
def test_only_a_failure_ends_with_1(
    app: Flask, monkeypatch: pytest.MonkeyPatch, lines: list[Line], code: int, counts: str
) -> None:
    monkeypatch.setattr(all_checks, "examine", lambda seconds: lines)
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == code
    assert result.output.splitlines()[-1] == counts


def test_what_to_do_stands_below_what_is_wrong(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_checks, "examine", lambda seconds: [BROKEN])
    lines = app.test_cli_runner().invoke(args=["doctor"]).output.splitlines()
    assert lines[:2] == ["FAIL  Mux: is away", "      -> Wait."]


def test_it_waits_as_long_as_it_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(all_checks, "examine", lambda seconds: waited.append(seconds) or [FINE])
    app.test_cli_runner().invoke(args=["doctor", "--seconds", "3"])
    assert waited == [3]
