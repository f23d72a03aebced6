"""Web refuses to start on a database that is behind, in one line, and waits for one that is away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from lessonadmin.domain import heartbeats
from lessonadmin.web import startup_check

ROOT = Path(__file__).parents[2]


def test_a_database_at_head_lets_web_start(app: Flask) -> None:
    assert startup_check.refusal(app) is None


def test_a_database_behind_head_is_refused_in_one_sentence(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "expected_revision", lambda: "9999")
    said = startup_check.refusal(app)
    assert said is not None
    assert "needs 9999" in said
    assert "db upgrade" in said


def test_gunicorn_says_it_in_one_line_and_ends(app: Flask, settings_environment: dict[str, str]) -> None:
    broken = {**os.environ, **settings_environment}
    code = "import gunicorn.app.wsgiapp as w, lessonadmin.domain.heartbeats as v; v.expected_revision = lambda: '9999'; w.run()"
    command = [sys.executable, "-c", code, "--bind", "127.0.0.1:0", "--preload", "app:app"]
    ended = subprocess.run(
        command, cwd=ROOT, env=broken, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "needs 9999" in ended.stderr
    assert "Traceback" not in ended.stderr
