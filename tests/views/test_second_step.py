"""The second step over HTTP: what the cookie of a pending sign-in opens, and what it does not."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.accounts import users
from lessonadmin.domain.models import User
from tests.factories import PASSWORD, code_now, give_app, give_recovery_codes, make_user, signed_in
from tests.pages import csrf_of, page_of

STEP = "/login/second-step"


def type_password(browser: FlaskClient, user: User, **more: str) -> TestResponse:
    form = {"email": user.email, "password": PASSWORD, "csrf_token": csrf_of(browser), **more}
    return browser.post("/login", data=form)


def answer(browser: FlaskClient, **typed: str) -> TestResponse:
    return browser.post(STEP, data={"csrf_token": csrf_of(browser, STEP), **typed})


def test_the_way_through_leads_where_one_wanted(client: FlaskClient) -> None:
    user = make_user()
    secret = give_app(user)
    arrived = type_password(client, user, next="/lessons?q=bread")
    assert (arrived.status_code, arrived.location) == (302, f"{STEP}?next=/lessons?q%3Dbread")
    page = page_of(client.get(arrived.location))
    assert user.email in page.text("main")
    assert "Account" not in page.text("header"), "no user is signed in yet"
    target = {one["value"] for one in page.all("input", name="next")}
    assert target == {"/lessons?q=bread"}
    done = answer(client, code=code_now(secret), next="/lessons?q=bread")
    assert (done.status_code, done.location) == (302, "/lessons?q=bread")
    assert client.get("/lessons").status_code == 200
    assert client.get(STEP).location == "/", "there is no second step any more"
    assert client.get("/lessons").status_code == 200, "and looking for it signs no user out"


@pytest.mark.parametrize(
    "path", ["/lessons", "/account", "/account/security", "/api/lessons", "/admin/", "/"]
)
def test_a_pending_sign_in_opens_no_page(client: FlaskClient, path: str) -> None:
    user = make_user(role="admin")
    give_app(user)
    type_password(client, user)
    refused = client.get(path)
    assert refused.status_code == 401 if path.startswith("/api") else refused.location.startswith("/login")


def test_a_wrong_code_is_said_and_a_recovery_code_opens(client: FlaskClient) -> None:
    user = make_user()
    give_app(user)
    codes = give_recovery_codes(user)
    type_password(client, user)
    for typed, said in (
        ({"code": "abcdef"}, "This code is not right."),
        ({"recovery_code": "none of them"}, "This is none of your unused recovery codes."),
        ({}, "Enter the code that your app shows, or a recovery code."),
    ):
        refused = answer(client, **typed)
        assert refused.status_code == 400
        assert said in page_of(refused).text("main")
    assert answer(client, recovery_code=codes[0]).location == "/"
    assert client.get("/lessons").status_code == 200


def test_another_browser_has_no_part_in_it(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    secret = give_app(user)
    type_password(client, user)
    other = app.test_client()
    assert other.get(STEP).location == "/login"
    form = {"csrf_token": csrf_of(other), "code": code_now(secret)}
    assert other.post(STEP, data=form).location == "/login"
    assert other.get("/lessons").location.startswith("/login")


def test_a_stolen_cookie_is_worth_nothing_once_its_owner_went_on(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    secret = give_app(user)
    codes = give_recovery_codes(user)
    type_password(client, user)
    thief = app.test_client()
    stolen = client.get_cookie("session")
    assert stolen is not None
    thief.set_cookie("session", stolen.value)
    token = csrf_of(thief, STEP)
    assert thief.get("/lessons").location.startswith("/login")
    assert answer(client, code=code_now(secret)).location == "/"
    assert thief.post(STEP, data={"csrf_token": token, "recovery_code": codes[0]}).location == "/login"
    assert thief.get("/lessons").location.startswith("/login")


def test_a_cookie_of_before_the_sign_in_is_worth_nothing_after_it(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    secret = give_app(user)
    client.get("/login")
    planted = app.test_client()
    fixed = client.get_cookie("session")
    assert fixed is not None
    planted.set_cookie("session", fixed.value)
    type_password(client, user)
    answer(client, code=code_now(secret))
    assert client.get("/lessons").status_code == 200
    assert planted.get("/lessons").location.startswith("/login")
    assert planted.get(STEP).location == "/login"


def test_an_account_that_was_disabled_meanwhile_is_sent_back(client: FlaskClient) -> None:
    user = make_user()
    secret = give_app(user)
    type_password(client, user)
    token = csrf_of(client, STEP)
    with client.application.app_context(), transaction(CLI):
        users.set_active(db.session.get_one(User, user.id), False)
    refused = client.post(STEP, data={"csrf_token": token, "code": code_now(secret)})
    assert refused.location == "/login"
    assert "Please sign in again." in page_of(client.get("/login")).text()
    assert client.get("/lessons").location.startswith("/login")


def test_who_was_signed_in_is_not_any_more_once_another_account_begins(client: FlaskClient) -> None:
    before, user = make_user(), make_user()
    give_app(user)
    browser = signed_in(before)
    form = {"email": user.email, "password": PASSWORD, "csrf_token": csrf_of(browser, "/account")}
    assert browser.post("/login", data=form).location.startswith(STEP)
    assert browser.get("/lessons").location.startswith("/login")


def test_cancelling_leads_back_to_the_sign_in_page(client: FlaskClient) -> None:
    user = make_user()
    secret = give_app(user)
    type_password(client, user)
    token = csrf_of(client, STEP)
    assert client.post(f"{STEP}/cancel", data={"csrf_token": token}).location == "/login"
    form = {"csrf_token": csrf_of(client), "code": code_now(secret)}
    assert client.post(STEP, data=form).location == "/login"


def test_too_many_wrong_codes_wait(client: FlaskClient) -> None:
    user = make_user()
    give_app(user)
    for _ in range(2):
        type_password(client, user)
        seen = [answer(client, code="abcdef").status_code for _ in range(4)]
        assert seen == [400] * 4
    type_password(client, user)
    assert [answer(client, code="abcdef").status_code for _ in range(3)] == [400, 400, 429]


def test_before_the_password_nothing_tells_who_has_a_second_step(client: FlaskClient) -> None:
    plain, protected = make_user(), make_user()
    give_app(protected)
    pages = []
    for user in (plain, protected):
        form = {"email": user.email, "password": "wrong password", "csrf_token": csrf_of(client)}
        refused = client.post("/login", data=form)
        pages.append((refused.status_code, page_of(refused).text("main")))
    assert pages[0] == pages[1]
