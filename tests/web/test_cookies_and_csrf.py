"""The session cookie, CSRF, and who needs which."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin import config, create_app
from lessonadmin.db import db
from lessonadmin.domain.models import ApiToken
from tests.factories import PASSWORD, bearer, make_user, signed_in
from tests.pages import csrf_of
from tests.settings import environment

TARGET = "/account/tokens"


@pytest.fixture
def https_app(app: Flask, settings_environment: dict[str, str]) -> Iterator[Flask]:
    """The product behind https, on the same database."""
    before = config.current()
    urls = {
        "database_url": settings_environment["DATABASE_URL"],
        "redis_url": settings_environment["REDIS_URL"],
    }
    application = create_app(config.load(environment(**urls, PUBLIC_URL="https://lessons.example.org")))
    application.testing = True
    yield application
    with application.app_context():
        db.engine.dispose()
    config.use(before)


def signed_in_cookie(browser: FlaskClient, base: str) -> str:
    user = make_user()
    token = csrf_of(browser)
    data = {"email": user.email, "password": PASSWORD, "csrf_token": token}
    answer = browser.post("/login", data=data, base_url=base)
    assert answer.status_code == 302
    return answer.headers["Set-Cookie"]


def test_the_cookie_of_http(client: FlaskClient) -> None:
    parts = [part.strip() for part in signed_in_cookie(client, "http://localhost").split(";")]
    assert parts[0].startswith("session=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(parts)
    assert "Secure" not in parts


def test_the_cookie_of_https(https_app: Flask) -> None:
    browser = https_app.test_client()
    browser.environ_base["wsgi.url_scheme"] = "https"
    parts = [part.strip() for part in signed_in_cookie(browser, "https://localhost").split(";")]
    assert parts[0].startswith("__Host-session=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"} <= set(parts)
    assert not any(part.startswith("Domain") for part in parts)
    answer = browser.get("/login")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_the_cookie_lives_twelve_hours_from_signing_in(client: FlaskClient) -> None:
    assert "Expires=" in signed_in_cookie(client, "http://localhost")
    client.get("/lessons")
    answer = client.get("/lessons")
    assert "Set-Cookie" not in answer.headers, "a request does not prolong it"


def test_the_cookie_holds_nothing_but_secrets(client: FlaskClient) -> None:
    signed_in_cookie(client, "http://localhost")
    with client.session_transaction() as cookie:
        assert {"secret"} <= set(cookie) <= {"secret", "csrf_token", "_permanent", "_flashes"}


@pytest.mark.parametrize("path", [TARGET, "/account/password", "/account/sessions/end", "/logout", "/login"])
def test_a_post_without_a_token_is_refused(app: Flask, path: str) -> None:
    browser = signed_in(make_user())
    csrf_of(browser, "/account")
    forms = ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": "x" * 10_000})
    answers = [browser.post(path, data=form) for form in forms]
    assert [(one.status_code, "open for too long" in one.text) for one in answers] == [(400, True)] * len(
        forms
    )
    with app.app_context():
        assert db.session.query(ApiToken).count() == 0


def test_the_token_of_another_user_is_refused(app: Flask) -> None:
    browser, other = signed_in(make_user()), signed_in(make_user())
    csrf_of(browser, "/account")
    assert browser.post(TARGET, data={"csrf_token": csrf_of(other, "/account")}).status_code == 400


@pytest.mark.parametrize("how", ["field", "header"])
def test_a_post_with_its_token_is_accepted(app: Flask, how: str) -> None:
    browser = signed_in(make_user())
    token = csrf_of(browser, "/account")
    sent: dict[str, dict[str, str]] = {"data": {"password": PASSWORD}}
    if how == "field":
        sent["data"]["csrf_token"] = token
    else:
        sent["headers"] = {"X-CSRFToken": token}
    assert browser.post(TARGET, **sent).status_code == 200


def test_a_bearer_token_needs_no_csrf_token(client: FlaskClient) -> None:
    made = client.post("/api/lessons", json={"title": "x"}, headers=bearer(make_user()))
    assert made.status_code == 201


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_whatever_its_case(client: FlaskClient, scheme: str) -> None:
    secret = bearer(make_user())["Authorization"].split()[1]
    assert client.get("/api/lessons", headers={"Authorization": f"{scheme}  {secret} "}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer \xff\xfe",
        "Basic eDp5",
        "Bearer " + "x" * 10_000,
        "Bearer\x00x",
    ],
)
def test_a_wrong_bearer_token_opens_nothing(client: FlaskClient, header: str) -> None:
    try:
        answer = client.get("/api/lessons", headers={"Authorization": header})
    except ValueError:
        return  # such a header cannot even be sent
    assert answer.status_code == 401


def test_a_wrong_bearer_token_does_not_lean_on_the_cookie(app: Flask) -> None:
    browser = signed_in(make_user())
    token = csrf_of(browser, "/account")
    headers = {"Authorization": "Bearer wrong", "X-CSRFToken": token}
    assert browser.post("/api/lessons", json={"title": "x"}, headers=headers).status_code == 401


def test_not_signed_in_is_401_for_programs_and_a_redirect_for_people(client: FlaskClient) -> None:
    assert client.get("/lessons").location == "/login?next=/lessons"
    posted = client.post("/account/tokens", data={"csrf_token": csrf_of(client)})
    assert (posted.status_code, posted.location) == (302, "/login")
