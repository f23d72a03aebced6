"""A password that an admin made opens one page only, the one to choose another, and that for a day."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lessonadmin import auth
from lessonadmin.db import CLI, transaction
from lessonadmin.domain.accounts import users
from lessonadmin.domain.models import Notification, SignInFailure, User
from tests.factories import PASSWORD, bearer, make_user, signed_in
from tests.pages import csrf_of, page_of

NEW = "a new and longer password"
ENDED = "This temporary password has ended. Ask an administrator for a new one."


@pytest.fixture
def admin(app: Flask, session: Session) -> FlaskClient:
    return signed_in(make_user(role="admin", email="root@school.example", name="Root"))


def given(admin: FlaskClient, user: User) -> str:
    """The password that the panel makes for this account, as its page shows it."""
    answer = admin.post(
        "/admin/user/password", data={"id": str(user.id), "csrf_token": csrf_of(admin, "/account")}
    )
    page = page_of(answer)
    assert "within 24 hours" in page.text()
    (shown,) = [a["data-copy"] for _, a in page.elements if a.get("data-copy") not in (None, str(user.id))]
    return shown or ""


def sign_in(browser: FlaskClient, email: str, password: str, **more: str) -> TestResponse:
    form = {"email": email, "password": password, "csrf_token": csrf_of(browser), **more}
    return browser.post("/login", data=form)


def choose(browser: FlaskClient, old: str, new: str = NEW, **more: str) -> TestResponse:
    form = {"old_password": old, "new_password": new, "repeat_password": new, **more}
    return browser.post("/account/password", data={**form, "csrf_token": csrf_of(browser, "/account")})


def end_its_day(session: Session) -> None:
    session.execute(
        text("UPDATE users SET password_temporary_until = password_temporary_until - interval '24 hours'")
    )
    session.commit()


def test_a_reset_password_leads_to_one_page_and_from_there_to_where_one_wanted(
    admin: FlaskClient, client: FlaskClient, app: Flask
) -> None:
    user = make_user()
    password = given(admin, user)
    answer = sign_in(client, user.email, password, next="/lessons?q=bread")
    assert answer.location == "/lessons?q=bread"
    answer = client.get(answer.location)
    assert answer.location == "/account?next=/lessons?q%3Dbread"
    page = page_of(client.get(answer.location))
    assert page.text("h1") == "Choose your own password"
    assert "API tokens" not in page.text()
    target = page.one("input", name="next")["value"] or ""

    for new in (password, password + "1", password.upper()):
        again = choose(client, password, new)
        assert again.status_code == 400
        assert "is different from the current" in page_of(again).text()
    assert client.get("/lessons").status_code == 302, "still nothing else"

    assert choose(client, password, next=target).location == "/lessons?q=bread"
    assert client.get("/lessons?q=bread").status_code == 200
    assert "API tokens" in page_of(client.get("/account")).text()
    assert sign_in(app.test_client(), user.email, password).status_code == 400
    assert sign_in(app.test_client(), user.email, NEW).status_code == 302


def test_until_then_every_page_leads_there_and_every_call_says_why(app: Flask, session: Session) -> None:
    user = make_user(role="admin")
    browser, token = signed_in(user), bearer(user)
    with transaction(CLI):
        session.execute(text("UPDATE users SET password_temporary_until = now() + interval '1 hour'"))
    for path in ("/", "/lessons", "/catalog", "/notifications", "/admin/", "/admin/user/", "/metrics"):
        answer = browser.get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/account"), path
    csrf = csrf_of(browser, "/account")
    for path in ("/account/tokens", "/account/mail", "/account/sessions/end", "/admin/user/new/"):
        assert browser.post(path, data={"csrf_token": csrf}).location == "/account", path
    for how in ({"headers": {"X-CSRFToken": csrf}}, {"headers": token}):
        by = browser if how["headers"] is not token else app.test_client()
        for answer in (by.get("/api/lessons", **how), by.post("/api/lessons", json={"title": "x"}, **how)):
            assert answer.status_code == 403
            assert answer.get_json()["error"]["type"] == "password_change_required"
    assert app.test_client().get("/metrics", headers=token).status_code != 200
    assert session.scalar(text("SELECT count(*) FROM lessons")) == 0
    assert "Lessons" not in page_of(browser.get("/account")).text("nav")
    assert browser.post("/logout", data={"csrf_token": csrf}).location == "/login"


def test_of_the_test_without_the_look_they_go_anywhere(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    browser = signed_in(user)
    with transaction(CLI):
        session.execute(text("UPDATE users SET password_temporary_until = now() + interval '1 hour'"))
    assert browser.get("/lessons").status_code == 302
    monkeypatch.setattr(auth, "_duty_first", lambda: None)
    assert browser.get("/lessons").status_code == 200


def test_after_a_day_it_opens_nothing_and_only_who_knows_it_is_told(
    app: Flask, session: Session, admin: FlaskClient
) -> None:
    user = make_user()
    password = given(admin, user)
    inside = app.test_client()
    assert sign_in(inside, user.email, password).status_code == 302
    end_its_day(session)
    late = sign_in(app.test_client(), user.email, password)
    assert late.status_code == 400
    assert ENDED in page_of(late).text()
    assert session.scalar(select(SignInFailure.id)) is not None, "counted like any other try"
    wrong = sign_in(app.test_client(), user.email, "wrong password")
    assert "has ended" not in page_of(wrong).text()
    too_late = choose(inside, password)
    assert too_late.status_code == 400
    assert ENDED in page_of(too_late).text()
    page = page_of(admin.get(f"/admin/user/details/?id={user.id}"))
    assert "Temporary, ended" in page.text()
    assert user.email in page_of(admin.get("/admin/user/?flt0_temporary_password_is=yes")).text()


def test_an_account_of_the_panel_has_a_temporary_password_and_one_of_a_test_does_not(
    app: Flask, session: Session, admin: FlaskClient
) -> None:
    form = {"email": "new@school.example", "role": "student", "csrf_token": csrf_of(admin, "/account")}
    assert "within 24 hours" in page_of(admin.post("/admin/user/new/", data=form)).text()
    made = session.scalars(select(User).where(User.email == "new@school.example")).one()
    assert made.must_change_password
    with transaction(CLI):
        own = users.create_user(email="own@school.example", role="student", password=PASSWORD)
    assert not own.must_change_password


def test_the_owner_is_told_of_every_change_of_the_account(
    session: Session, admin: FlaskClient, app: Flask
) -> None:
    user = make_user()
    csrf = csrf_of(admin, "/account")
    for path, fields in (
        ("role", {"role": "support"}),
        ("active", {"active": "0"}),
        ("active", {"active": "1"}),
    ):
        admin.post(f"/admin/user/{path}", data={"id": str(user.id), "csrf_token": csrf, **fields})
    password = given(admin, user)
    browser = app.test_client()
    sign_in(browser, user.email, password)
    choose(browser, password)
    rows = session.scalars(select(Notification).order_by(Notification.id)).all()
    assert {(row.kind, row.user_id) for row in rows} == {("account", user.id)}
    assert [row.message.partition(". ")[0].rstrip(".") for row in rows] == [
        "Root (root@school.example) changed your role from instructor to support",
        "Root (root@school.example) disabled your account",
        "Root (root@school.example) enabled your account",
        "Root (root@school.example) gave your account a new, temporary password",
        "Your password was changed",
    ]
    page = page_of(browser.get("/notifications"))
    assert page.text().count("Your account was changed") >= 5
    opened = browser.post(
        f"/notifications/{rows[0].id}/open", data={"csrf_token": csrf_of(browser, "/account")}
    )
    assert opened.location == "/account"
