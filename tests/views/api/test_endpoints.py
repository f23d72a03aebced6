"""What every endpoint of the API shares: who may call it, and the one shape of errors."""

from typing import Any

import pytest
from flask import Flask

from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.models import User
from tests import factories
from tests.views.api.conftest import People, error_of, refused

UNKNOWN = "00000000-0000-7000-8000-000000000000"


def csrf_token(browser: Any) -> str:
    page = browser.get("/account").get_data(as_text=True)
    return str(page.partition('name="csrf-token" content="')[2].partition('"')[0])


def test_a_session_needs_the_csrf_header_to_write_and_none_to_read(people: People) -> None:
    browser = factories.signed_in(people.instructor.user)
    assert browser.get("/api/lessons").status_code == 200
    refused(browser.post("/api/lessons", json={"title": "Mine"}), 400, "csrf")
    wrong = browser.post("/api/lessons", json={"title": "Mine"}, headers={"X-CSRFToken": "wrong"})
    refused(wrong, 400, "csrf")
    headers = {"X-CSRFToken": csrf_token(browser)}
    assert browser.post("/api/lessons", json={"title": "Mine"}, headers=headers).status_code == 201


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic YTpi", "Bearer \u00e9\u00e9", "bearer"])
def test_a_wrong_token_opens_nothing(app: Flask, header: str) -> None:
    refused(app.test_client().get("/api/lessons", headers={"Authorization": header}), 401, "not_signed_in")


def test_a_disabled_account_is_not_signed_in(people: People, session: Any) -> None:
    instructor = people.instructor
    session.get(User, instructor.user.id).active = False
    session.commit()
    refused(instructor.get("/lessons"), 401)


@pytest.mark.parametrize(
    "path",
    [
        "/lessons/not-a-uuid",
        "/lessons/00000000",
        f"/lessons/{UNKNOWN}",
        "/lessons/%00",
        f"/lessons/{UNKNOWN}/playback",
        f"/courses/{UNKNOWN}",
        "/courses/x",
        "/nothing",
        "/lessons/" + "9" * 3000,
    ],
)
def test_what_does_not_exist_is_404_in_json(people: People, path: str) -> None:
    refused(people.support.get(path), 404, "not_found")


def test_a_method_that_is_not_there_is_405_in_json(people: People) -> None:
    answer = people.instructor.ask("PUT", "/lessons")
    refused(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_errors_of_the_database_are_503_in_json(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    from lessonadmin.domain.lessons import listing

    def away(*_: object) -> None:
        raise OperationalError("select", {}, Exception("server closed the connection"))

    instructor = people.instructor
    monkeypatch.setattr(listing, "lessons", away)
    refused(instructor.get("/lessons"), 503, "unavailable")


def test_nothing_of_an_unexpected_error_is_shown(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    from lessonadmin.domain.lessons import listing

    def broken(*_: object) -> None:
        raise RuntimeError("the secret is 42")

    instructor = people.instructor
    monkeypatch.setattr(listing, "lessons", broken)
    answer = instructor.get("/lessons")
    assert answer.status_code == 500
    assert "42" not in str(error_of(answer))


def test_lists_are_asked_for_so_often_and_no_more(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_LISTS", 3)
    asked = [people.student.ask("GET", path).status_code for path in ("/lessons", "/courses", "/lessons")]
    refused = people.student.ask("GET", "/lessons?q=wood")
    assert [*asked, refused.status_code] == [200, 200, 200, 429]
    assert 1 <= int(refused.headers["Retry-After"]) <= rate_limits.LISTS_SECONDS
    assert error_of(refused)["type"] == "rate_limited"
    assert people.instructor.ask("GET", "/lessons").status_code == 200, "each for themselves"
