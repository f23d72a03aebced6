"""The cookie of a known browser: given by a sign-in only, kept beyond it, and strangers cannot keep its owner out."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import PASSWORD, make_user
from tests.pages import csrf_of
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")
HOME, AWAY = "198.51.100.7", "203.0.113.9"


def enter(browser: FlaskClient, email: str, password: str = PASSWORD, address: str = HOME) -> TestResponse:
    form = {"email": email, "password": password, "csrf_token": csrf_of(browser)}
    return browser.post("/login", data=form, environ_base={"REMOTE_ADDR": address})


def leave(browser: FlaskClient) -> None:
    browser.post("/logout", data={"csrf_token": csrf_of(browser, "/account")})


def cookies(answer: TestResponse) -> list[str]:
    return [one for one in answer.headers.getlist("Set-Cookie") if "browser=" in one]


def test_only_a_sign_in_brings_it(app: Flask) -> None:
    user, browser = make_user(), app.test_client()
    assert cookies(browser.get("/login")) == cookies(enter(browser, user.email, "wrong password")) == []
    (given,) = cookies(enter(browser, user.email))
    assert re.fullmatch(
        r"browser=[\w-]{43}; Expires=[^;]+; Max-Age=7776000; HttpOnly; Path=/; SameSite=Lax", given
    )
    leave(browser)
    assert cookies(enter(browser, user.email))[0][:51] == given[:51], "it is the same browser"


def test_over_https_only_this_host_reads_it(app: Flask) -> None:
    user = make_user()
    with overridden(public_url="https://localhost"):
        (given,) = cookies(enter(app.test_client(), user.email))
    assert given.startswith("__Host-browser=")
    assert "; Secure; HttpOnly; Path=/; " in given
    assert "Domain" not in given


@pytest.mark.parametrize("value", ["", "short", "x" * 44, "ä" * 43, "x" * 42 + "."])
def test_what_is_no_secret_is_not_taken_over(app: Flask, value: str) -> None:
    user, browser = make_user(), app.test_client()
    browser.set_cookie("browser", value)
    (given,) = cookies(enter(browser, user.email))
    assert given[8:51] != value


def test_strangers_keep_out_strangers_and_not_a_browser_that_signed_in_before(app: Flask) -> None:
    user, mine = make_user(), app.test_client()
    enter(mine, user.email)
    leave(mine)
    stranger = app.test_client()
    for number in range(10):
        assert enter(stranger, user.email, "wrong password", f"192.0.2.{number}").status_code == 400
    assert enter(stranger, user.email, address="192.0.2.99").status_code == 429
    assert enter(mine, user.email).status_code == 302


def test_ten_wrong_tries_of_the_known_browser_make_it_wait_and_strangers_too(app: Flask) -> None:
    user, mine = make_user(), app.test_client()
    enter(mine, user.email)
    leave(mine)
    for number in range(10):
        assert enter(mine, user.email, "wrong password", f"192.0.2.{number}").status_code == 400
    assert enter(mine, user.email).status_code == 429
    assert enter(app.test_client(), user.email, address=AWAY).status_code == 429


def test_the_limit_of_an_address_holds_for_a_known_browser(app: Flask) -> None:
    user, mine = make_user(), app.test_client()
    enter(mine, user.email)
    leave(mine)
    stranger = app.test_client()
    for number in range(10):
        enter(stranger, f"u{number}@school.example", "wrong password", AWAY)
    assert enter(mine, user.email, address=AWAY).status_code == 429
    assert enter(mine, user.email, address=HOME).status_code == 302


def test_the_cookie_of_another_account_makes_no_known_browser(app: Flask) -> None:
    user, other, browser = make_user(), make_user(), app.test_client()
    enter(browser, other.email)
    leave(browser)
    stranger = app.test_client()
    for number in range(10):
        enter(stranger, user.email, "wrong password", f"192.0.2.{number}")
    assert enter(browser, user.email).status_code == 429


def test_the_own_password_is_typed_in_the_bucket_of_the_browser(app: Flask) -> None:
    user, mine = make_user(), app.test_client()
    enter(mine, user.email)
    stranger = app.test_client()
    for number in range(10):
        enter(stranger, user.email, "wrong password", f"192.0.2.{number}")
    new = "a new and longer password"
    form = {"old_password": PASSWORD, "new_password": new, "repeat_password": new}
    answer = mine.post("/account/password", data={**form, "csrf_token": csrf_of(mine, "/account")})
    assert answer.status_code == 302
