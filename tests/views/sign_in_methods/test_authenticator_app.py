"""An authenticator app over HTTP: set up by a picture and a code, and removed."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.factories import code_now, make_user, signed_in
from tests.pages import page_of
from tests.views.sign_in_methods.steps import PAGE, codes_on, key_on, send, set_up


def test_an_app_is_set_up_and_the_codes_are_shown_once(client: FlaskClient, app: Flask) -> None:
    user = make_user()
    browser = signed_in(user)
    assert "Sign-in methods" in page_of(browser.get("/account")).text("main")
    begun = send(browser, "/app")
    page = page_of(browser.get(begun.location))
    picture = page.one("img", **{"class": "qr"})
    assert (picture["src"] or "").startswith("data:image/svg+xml")
    assert "data:" in browser.get(begun.location).headers["Content-Security-Policy"].split("img-src")[1]
    refused = send(browser, "/app/confirm", code="abcdef")
    assert refused.status_code == 400
    assert key_on(page_of(refused)) == key_on(page), "the same key after a wrong code"
    shown = page_of(send(browser, "/app/confirm", code=code_now(key_on(page))))
    codes = codes_on(shown)
    assert len(codes) == 10
    assert "10 unused codes" in page_of(browser.get(PAGE)).text("main")
    assert not any(code in browser.get(PAGE).text for code in codes)
    assert browser.get(f"{PAGE}/app").status_code == 404, "the key is never shown again"


def test_removing_and_new_codes(app: Flask, session: Session) -> None:
    user = make_user()
    browser, other = signed_in(user), signed_in(user)
    set_up(browser)
    assert other.get("/account").location.startswith("/login"), "every other browser is signed out"
    assert len(codes_on(page_of(send(browser, "/recovery-codes")))) == 10
    assert send(browser, "/app/remove").location == PAGE
    assert "Not set up." in page_of(browser.get(PAGE)).text("main")
