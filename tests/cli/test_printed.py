"""What a command prints of texts from outside moves no terminal."""

import uuid

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from lessonadmin.cli import fix_lessons, import_lessons
from lessonadmin.cli import reconcile as reconcile_command
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.health.doctor.examination import fail
from lessonadmin.domain.maintenance.fix_old_lessons import Finding
from lessonadmin.domain.reconciliation.differences import Found
from lessonadmin.jobs import clock
from lessonadmin.jobs.schedule import Periodic
from tests.factories import make_user

OBEYED = "\x1b]0;pwned\x07\x9b31m\u202e"


def printed(app: Flask, *words: str) -> str:
    done = CliRunner().invoke(app.cli, words, obj=ScriptInfo(create_app=lambda: app))
    return done.output


def harmless(text: str) -> bool:
    return "pwned" in text and all(one.isprintable() or one in "\n\t" for one in text)


def test_names_of_people(app: Flask, session: object) -> None:
    make_user(name=f"A {OBEYED}")
    assert harmless(printed(app, "users", "list"))


def test_lines_of_the_doctor(app: Flask, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_checks, "examine", lambda seconds: [fail("Mux", OBEYED, OBEYED)])
    assert harmless(printed(app, "doctor"))


def test_what_a_sweep_says(app: Flask, session: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "TABLE", (Periodic("task", lambda: 1, lambda _: OBEYED),))
    assert harmless(printed(app, "sweep"))


def test_remarks_of_mux_about_lessons_and_assets(capsys: pytest.CaptureFixture[str]) -> None:
    fix_lessons._tell(Finding("lesson", uuid.uuid4(), "A title", "failed", "errored", OBEYED), False)
    reconcile_command._print(Found("orphan", "asset", None, None, None, OBEYED))
    import_lessons.Run(None, False)._say(OBEYED)
    said = capsys.readouterr()
    assert harmless(said.out)
    assert harmless(said.err)


def test_of_the_test_click_passes_escapes_on(capsys: pytest.CaptureFixture[str]) -> None:
    click.echo(OBEYED, color=True)
    assert not harmless(capsys.readouterr().out)
