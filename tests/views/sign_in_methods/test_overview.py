"""The page of sign-in methods over HTTP, and staff who need a second step before anything else opens."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.factories import PASSWORD, bearer, give_app, give_recovery_codes, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.settings import overridden
from tests.views.sign_in_methods.steps import PAGE, let_the_proof_age, send, set_up


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
