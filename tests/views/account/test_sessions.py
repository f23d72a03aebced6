"""Which browsers are signed in, and ending them."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import PASSWORD, bearer, make_user, signed_in
from tests.pages import csrf_of, page_of

pytestmark = pytest.mark.usefixtures("app")

NEW = "a new and longer password"


def post(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


def test_one_session_or_all_others_can_be_ended() -> None:
    user = make_user()
    here, second, third = signed_in(user), signed_in(user), signed_in(user)
    page = page_of(here.get("/account/sessions"))
    one = page.all("input", name="session_id")
    assert len(one) == 2, "not this browser's own"
    post(here, "/account/sessions/end", session_id=one[0]["value"] or "")
    assert sorted(b.get("/account").status_code for b in (second, third)) == [200, 302]
    post(here, "/account/sessions/end")
    assert [b.get("/account").status_code for b in (here, second, third)] == [200, 302, 302]


def test_signing_out_everywhere_ends_this_browser_and_the_tokens_too(client: FlaskClient) -> None:
    user = make_user()
    token = bearer(user)
    here, there, other = signed_in(user), signed_in(user), signed_in(make_user())
    answer = post(here, "/account/sessions/end", here_too="1")
    assert answer.location == "/login"
    assert "signed out everywhere" in page_of(here.get("/login")).text()
    assert client.get("/api/lessons", headers=token).status_code == 401
    assert [b.get("/account").status_code for b in (here, there, other)] == [302, 302, 200]


def test_a_lone_browser_is_offered_no_others_to_sign_out() -> None:
    page = page_of(signed_in(make_user()).get("/account/sessions"))
    assert "Sign out everywhere else" not in page.text("button")
    assert page.one("button", name="here_too")


def test_browsers_are_named_with_where_and_when(app: Flask) -> None:
    user = make_user()
    agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605 (KHTML, like Gecko) Version/17 Safari/605"
    elsewhere = app.test_client()
    elsewhere.post(
        "/login",
        data={"email": user.email, "password": PASSWORD, "csrf_token": csrf_of(elsewhere)},
        headers={"User-Agent": agent},
        environ_base={"REMOTE_ADDR": "198.51.100.7"},
    )
    page = page_of(signed_in(user).get("/account/sessions"))
    assert "Safari on macOS" in page.text("li")
    assert "From 198.51.100.7" in page.text("li")
    assert "This browser" in page.text("li")
    assert len(page.all("time")) == 2 * 2 + 2, "since when and seen when, and once in the history"


def test_the_history_has_ended_sessions_too_and_no_one_elses() -> None:
    user = make_user()
    here, there = signed_in(user), signed_in(user)
    signed_in(make_user())
    post(here, "/account/sessions/end")
    assert there.get("/account").status_code == 302
    page = page_of(here.get("/account/sessions"))
    assert page.text("li").count("A browser") == 1 + 2
    assert page.text("li").count("Signed in") == 1


def test_the_page_of_the_account_says_how_many_and_leads_there() -> None:
    user = make_user()
    here = signed_in(user)
    assert "Only this browser is signed in" in page_of(here.get("/account")).text("p")
    signed_in(user)
    page = page_of(here.get("/account"))
    assert "2 browsers are signed in" in page.text("p")
    assert [a for a in page.all("a") if a.get("href") == "/account/sessions"]
