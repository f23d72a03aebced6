"""Passkeys over HTTP: added on the page of sign-in methods, used on the sign-in page and as the second step."""

import json

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.accounts import users
from lessonadmin.domain.models import User
from tests.authenticator import Authenticator
from tests.factories import PASSWORD, give_passkey, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.settings import overridden
from tests.views.sign_in_methods.steps import PAGE, ask, let_the_proof_age

STEP = "/login/second-step"


def sign_in_by(browser: FlaskClient, device: Authenticator, **more: str) -> TestResponse:
    options = ask(browser, "/login/passkey/options", "/login")
    form = {"csrf_token": csrf_of(browser), "credential": device.sign(options), **more}
    return browser.post("/login/passkey", data=form)


def test_a_passkey_is_added_used_and_removed(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    browser, device = signed_in(user), Authenticator()
    options = ask(browser, f"{PAGE}/passkeys/options", PAGE)
    form = {"csrf_token": csrf_of(browser, PAGE), "name": "My laptop", "credential": device.make(options)}
    added = browser.post(f"{PAGE}/passkeys", data=form)
    assert len((page_of(added).one("button", **{"data-js": "copy"})["data-copy"] or "").split()) == 10
    page = page_of(browser.get(PAGE))
    assert "My laptop" in page.text("main")
    assert "never used" in page.text("main")

    done = sign_in_by(client, device, next="/lessons?q=bread")
    assert done.location == "/lessons?q=bread"
    assert client.get("/lessons").status_code == 200
    assert "never used" not in page_of(client.get(PAGE)).text("main")

    (remove,) = [one["action"] for one in page.all("form") if (one["action"] or "").endswith("/remove")]
    token = csrf_of(client, PAGE)
    assert (
        client.post(
            remove.replace("/remove", "/name"), data={"csrf_token": token, "name": "Old one"}
        ).location
        == PAGE
    )
    assert "Old one" in page_of(client.get(PAGE)).text("main")
    assert client.post(remove, data={"csrf_token": token}).location == PAGE
    assert "None yet." in page_of(client.get(PAGE)).text("main")
    assert sign_in_by(app.test_client(), device).status_code == 400


def test_a_passkey_is_the_second_step(client: FlaskClient) -> None:
    user = make_user()
    device = give_passkey(user)
    form = {"email": user.email, "password": PASSWORD, "csrf_token": csrf_of(client)}
    assert client.post("/login", data=form).location == STEP
    page = page_of(client.get(STEP))
    assert "Use a passkey" in page.text("main")
    assert "Code from your authenticator app" not in page.text("main")
    options = ask(client, f"{STEP}/passkey/options", STEP)
    assert len(json.loads(options)["allowCredentials"]) == 1
    wrong = {"csrf_token": csrf_of(client, STEP), "credential": Authenticator().sign(options)}
    refused = client.post(f"{STEP}/passkey", data=wrong)
    assert refused.status_code == 400
    assert "The passkey was not accepted." in page_of(refused).text("main")
    options = ask(client, f"{STEP}/passkey/options", STEP)
    right = {"csrf_token": csrf_of(client, STEP), "credential": device.sign(options)}
    assert client.post(f"{STEP}/passkey", data=right).location == "/"
    assert client.get("/lessons").status_code == 200


def test_an_answer_belongs_to_the_browser_that_asked(app: Flask, client: FlaskClient) -> None:
    device = give_passkey(make_user())
    options = ask(client, "/login/passkey/options", "/login")
    other = app.test_client()
    form = {"csrf_token": csrf_of(other), "credential": device.sign(options)}
    assert other.post("/login/passkey", data=form).status_code == 400
    assert other.get("/lessons").location.startswith("/login")


def test_a_replayed_post_opens_no_second_session(app: Flask, client: FlaskClient) -> None:
    device = give_passkey(make_user(), counts=False)
    options = ask(client, "/login/passkey/options", "/login")
    cookie = client.get_cookie("session")
    form = {"csrf_token": csrf_of(client), "credential": device.sign(options)}
    assert cookie is not None
    assert client.post("/login/passkey", data=form).status_code == 302
    replay = app.test_client()
    replay.set_cookie("session", cookie.value)
    assert replay.post("/login/passkey", data=form).status_code == 400
    assert replay.get("/lessons").location.startswith("/login")


def test_every_refusal_at_the_sign_in_page_is_the_same(client: FlaskClient) -> None:
    disabled = make_user()
    device = give_passkey(disabled)
    with client.application.app_context(), transaction(CLI):
        users.set_active(db.session.get_one(User, disabled.id), False)
    pages = {page_of(sign_in_by(client, one)).text("main") for one in (device, Authenticator())}
    assert len(pages) == 1


def test_without_a_recent_proof_no_passkey_is_asked_for(session: Session, app: Flask) -> None:
    browser = signed_in(make_user())
    let_the_proof_age(session)
    refused = browser.post(
        f"{PAGE}/passkeys/options", headers={"X-CSRFToken": csrf_of(browser, PAGE)}, json={}
    )
    assert refused.status_code == 403
    assert refused.get_json()["error"]["type"] == "proof_needed"


def test_a_site_without_a_name_offers_none(client: FlaskClient) -> None:
    with overridden(public_url="http://192.0.2.1"):
        page = page_of(client.get("/login", headers={"Host": "192.0.2.1"}))
        assert "passkey" not in page.text("main")
    assert "Use a passkey instead" in page_of(client.get("/login")).text("main")
