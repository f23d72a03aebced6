"""`flask seed-demo`: a school for trying out, and never accounts with known passwords in a real one."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.demo import seeding
from lessonadmin.domain.models import Lesson, User
from tests.factories import make_user
from tests.settings import overridden

ACCOUNT = re.compile(r"^\S+@demo\.example \S+ (student|instructor|support|admin)$", re.MULTILINE)


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.mark.parametrize(
    ("mux_api_url", "people", "why"),
    [
        ("https://api.mux.com", 0, "Mux is the real one"),
        ("https://api.mux.com", 1, "Mux is the real one"),
        ("https://mux.school.example", 1, "holds people who are not the demo's"),
    ],
)
def test_it_refuses_and_makes_nothing(
    runner: FlaskCliRunner, app: Flask, mux_api_url: str, people: int, why: str
) -> None:
    for _ in range(people):
        make_user()
    with overridden(mux_api_url=mux_api_url):
        result = runner.invoke(args=["seed-demo"])
    assert result.exit_code != 0
    assert why in result.output
    assert result.output.count("\n") == 1
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(User)) == people
        assert db.session.scalar(select(func.count()).select_from(Lesson)) == 0


def test_beside_a_simulator_it_makes_its_own_and_touches_no_other_account(
    runner: FlaskCliRunner, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "_film", lambda *_: None)
    make_user(email="ada@school.example")
    with app.app_context():
        ours = select(User.password_hash, User.updated_at).where(User.email == "ada@school.example")
        before = db.session.execute(ours).one()
    result = runner.invoke(args=["seed-demo"])
    assert result.exit_code == 0, result.output
    assert len(ACCOUNT.findall(result.output)) == 4
    assert "ada@" not in result.output
    with app.app_context():
        assert db.session.execute(ours).one() == before
