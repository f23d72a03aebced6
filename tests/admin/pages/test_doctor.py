"""The doctor in the panel, over HTTP: the lines of the command, what fails in its headline, and a limit of looks."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.admin.pages import doctor
from lessonadmin.domain import heartbeats
from lessonadmin.domain.accounts.rate_limits import STAFF_FACTOR
from lessonadmin.domain.health.doctor import all_checks
from lessonadmin.domain.health.doctor.examination import Line, fail, ok, warn
from tests.factories import make_user, signed_in
from tests.pages import page_of
from tests.settings import overridden

DOCTOR = "/admin/doctor/"
GOOD = ok("clock", "It ticks.")
WARNING = warn("mail", "There is none.", "Set MAIL_URL.")
FAILURE = fail("redis", "It does not answer.", "Start it.")


@pytest.fixture
def support(app: Flask, session: object) -> FlaskClient:
    return signed_in(make_user(role="support"))


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the checks find these lines."""

    def find(*lines: Line) -> None:
        def examine(**_options: Any) -> list[Line]:
            return list(lines)

        monkeypatch.setattr(all_checks, "examine", examine)

    return find


def test_its_lines_are_those_of_the_command(support: FlaskClient, redis_url: str) -> None:
    heartbeats.record("clock")
    page = page_of(support.get(DOCTOR))
    lines = all_checks.examine(seconds=6)
    shown = [attrs["data-level"] for _, attrs in page.elements if "data-level" in attrs]
    assert sorted(filter(None, shown)) == sorted(line.level for line in lines)
    for line in lines:
        assert line.name in page.text()
        if line.level != "ok":
            assert line.todo in page.text(), line.name
    (workers,) = [line for line in lines if line.name == "workers"]
    assert workers.level == "FAIL", "no worker has been seen"


@pytest.mark.parametrize(
    ("lines", "headline"),
    [
        ([GOOD], "No problems found."),
        ([GOOD, WARNING], "1 warning."),
        ([WARNING, WARNING, GOOD], "2 warnings."),
        ([FAILURE], "1 thing fails."),
        ([FAILURE, WARNING, FAILURE], "2 things fail, 1 warning."),
    ],
)
def test_the_headline_counts_what_is_wrong(
    support: FlaskClient, examined: Callable[..., None], lines: list[Line], headline: str
) -> None:
    examined(*lines)
    text = page_of(support.get(DOCTOR)).text("main")
    assert f"Doctor {headline} The same as flask doctor" in text


def test_what_is_wrong_says_what_to_do(support: FlaskClient, examined: Callable[..., None]) -> None:
    examined(GOOD, FAILURE)
    page = page_of(support.get(DOCTOR))
    assert [attrs["data-level"] for _, attrs in page.elements if "data-level" in attrs] == ["FAIL", "ok"]
    assert (
        "Problems Fails redisIt does not answer.Start it. No problem found Good clockIt ticks."
        in page.text("main")
    )


def test_what_fails_comes_first_then_what_warns_and_each_leads_to_where_it_is_looked_at(
    support: FlaskClient, examined: Callable[..., None]
) -> None:
    stuck = warn("stuck videos", "2 videos take longer.", "Each says why.")
    examined(GOOD, stuck, FAILURE)
    page = page_of(support.get(DOCTOR))
    assert [attrs["data-level"] for _, attrs in page.elements if "data-level" in attrs] == [
        "FAIL",
        "warn",
        "ok",
    ]
    assert support.get("/admin/lesson/?view=stuck").status_code == 200
    assert page.one("a", href="/admin/lesson/?view=stuck")


def test_every_link_is_of_a_line_that_exists(support: FlaskClient) -> None:
    names = {line.name for line in all_checks.examine(seconds=6)}
    assert set(doctor.LINKS) <= names


def test_a_look_is_a_question_to_mux_and_counts_as_one(
    support: FlaskClient, examined: Callable[..., None]
) -> None:
    examined(GOOD)
    with overridden(asks_per_minute=1):
        answers = [support.get(DOCTOR).status_code for _ in range(STAFF_FACTOR + 1)]
    assert answers == [200] * STAFF_FACTOR + [429]
