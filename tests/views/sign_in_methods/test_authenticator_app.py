"""The page of sign-in methods over HTTP, and staff who need a second step before anything else opens."""

from base64 import b32decode
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.factories import PASSWORD, bearer, code_now, give_app, give_recovery_codes, make_user, signed_in
from tests.pages import Page, csrf_of, page_of
from tests.settings import overridden

PAGE = "/account/security"


def send(browser: FlaskClient, path: str = "", **fields: str) -> TestResponse:
    return browser.post(PAGE + path, data={"csrf_token": csrf_of(browser, PAGE), **fields})


def key_on(page: Page) -> bytes:
    shown = page.one("button", **{"data-js": "copy"})["data-copy"] or ""
    plain = shown.replace(" ", "")
    return b32decode(plain + "=" * (-len(plain) % 8))


def set_up(browser: FlaskClient) -> Page:
    """Set up an app as a user does; the answer is the page after it."""
    begun = send(browser, "/app")
    assert begun.location == f"{PAGE}/app"
    secret = key_on(page_of(browser.get(begun.location)))
    return page_of(send(browser, "/app/confirm", code=code_now(secret)))


def codes_on(page: Page) -> list[str]:
    return (page.one("button", **{"data-js": "copy"})["data-copy"] or "").split()


def let_the_proof_age(session: Session) -> None:
    session.execute(text("UPDATE user_sessions SET proved_at = proved_at - interval '11 minutes'"))
    session.commit()


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


def test_without_a_recent_proof_the_password_is_asked_for(session: Session, app: Flask) -> None:
    user = make_user()
    browser = signed_in(user)
    let_the_proof_age(session)
    page = page_of(browser.get(PAGE))
    assert "Confirm that it is you" in page.text("main")
    assert not page.all("form", action=f"{PAGE}/app")
    for path in ("/app", "/app/confirm", "/app/remove", "/recovery-codes"):
        assert send(browser, path, code="123456").location == PAGE
    assert browser.get(f"{PAGE}/app").location == PAGE
    wrong = send(browser, "/confirm", password="wrong password")
    assert wrong.status_code == 400
    assert "This is not your current password." in page_of(wrong).text("main")
    assert send(browser, "/confirm", password=PASSWORD).location == PAGE
    assert page_of(browser.get(PAGE)).all("form", action=f"{PAGE}/app")


def test_removing_and_new_codes(app: Flask, session: Session) -> None:
    user = make_user()
    browser, other = signed_in(user), signed_in(user)
    set_up(browser)
    assert other.get("/account").location.startswith("/login"), "every other browser is signed out"
    assert len(codes_on(page_of(send(browser, "/recovery-codes")))) == 10
    assert send(browser, "/app/remove").location == PAGE
    assert "Not set up." in page_of(browser.get(PAGE)).text("main")


def test_few_codes_are_warned_of(app: Flask, session: Session) -> None:
    user = make_user()
    give_app(user)
    give_recovery_codes(user)
    session.execute(
        text(
            "UPDATE recovery_codes SET used_at = clock_timestamp() WHERE id IN (SELECT id FROM recovery_codes LIMIT 7)"
        )
    )
    session.commit()
    assert "Only 3 recovery codes left." in page_of(signed_in(user).get(PAGE)).text("main")


@pytest.fixture
def required(app: Flask) -> Iterator[None]:
    with overridden(staff_second_factor="required"):
        yield


@pytest.mark.usefixtures("required")
class TestWhereItIsRequired:
    """STAFF_SECOND_FACTOR=required."""

    @pytest.mark.parametrize("role", ["support", "admin"])
    def test_staff_without_one_are_led_to_it_and_can_do_nothing_else(self, role: str) -> None:
        browser = signed_in(make_user(role=role))
        for path in ("/", "/admin/", "/lessons", "/account", "/notifications", "/api/docs"):
            answer = browser.get(path)
            assert answer.status_code == 403 if path.startswith("/api") else answer.location.startswith(PAGE)
        page = page_of(browser.get(PAGE))
        assert "Staff need a second step to sign in here." in page.text("main")
        assert "Support panel" not in page.text("header")
        refused = browser.get("/api/lessons").get_json()["error"]
        assert refused["type"] == "second_factor_required"
        token = csrf_of(browser, PAGE)
        assert (
            browser.post("/account/tokens", data={"csrf_token": token, "password": PASSWORD}).location == PAGE
        )
        set_up(browser)
        assert browser.get("/admin/").status_code == 200

    def test_removing_it_closes_everything_again(self) -> None:
        browser = signed_in(make_user(role="admin"))
        set_up(browser)
        send(browser, "/app/remove")
        assert browser.get("/admin/").location.startswith(PAGE)

    def test_a_session_that_proved_none_opens_nothing_although_the_account_has_one(self) -> None:
        user = make_user(role="admin")
        browser = signed_in(user)
        give_app(user)
        assert browser.get("/admin/").location.startswith(PAGE)

    @pytest.mark.parametrize("role", ["student", "instructor"])
    def test_others_need_none(self, role: str) -> None:
        assert signed_in(make_user(role=role)).get("/account").status_code == 200

    def test_signing_out_is_open(self) -> None:
        browser = signed_in(make_user(role="admin"))
        assert browser.post("/logout", data={"csrf_token": csrf_of(browser, PAGE)}).location == "/login"

    def test_a_temporary_password_comes_first(self, session: Session) -> None:
        user = make_user(role="admin")
        session.execute(
            text("UPDATE users SET password_temporary_until = clock_timestamp() + interval '1 day'")
        )
        session.commit()
        browser = signed_in(user)
        assert browser.get("/admin/").location.startswith("/account?")
        assert browser.get(PAGE).location.startswith("/account?")

    def test_tokens_wait_for_it_and_those_of_scripts_do_not(self, client: FlaskClient) -> None:
        staff, script = make_user(role="support"), make_user(role="support", password_hash=None)
        instructor = make_user()
        headers = bearer(staff)
        refused = client.get("/api/lessons", headers=headers)
        assert refused.status_code == 403
        assert refused.get_json()["error"]["type"] == "second_factor_required"
        assert client.get("/api/lessons", headers=bearer(script)).status_code == 200
        assert client.get("/api/lessons", headers=bearer(instructor)).status_code == 200
        give_app(staff)
        assert client.get("/api/lessons", headers=headers).status_code == 200


def test_where_it_is_optional_staff_need_none(app: Flask, client: FlaskClient) -> None:
    staff = make_user(role="admin")
    assert signed_in(staff).get("/admin/").status_code == 200
    assert client.get("/api/lessons", headers=bearer(staff)).status_code == 200
