"""One's own account: password, sessions, tokens; each form with its errors beside its own fields."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, text, update
from werkzeug.test import TestResponse

from lessonadmin.db import db
from lessonadmin.domain.accounts import tokens
from lessonadmin.domain.models import ApiToken, SignInFailure
from tests.factories import PASSWORD, bearer, keep, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("app")

NEW = "a new and longer password"


def post(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


def test_a_new_password_signs_out_the_others_and_keeps_this_one(app: Flask) -> None:
    user = make_user()
    here, there = signed_in(user), signed_in(user)
    answer = post(here, "/account/password", old_password=PASSWORD, new_password=NEW, repeat_password=NEW)
    assert answer.status_code == 302
    assert "Your password is changed" in page_of(here.get("/account")).text()
    assert there.get("/account").status_code == 302
    fresh = app.test_client()
    data = {"email": user.email, "password": NEW, "csrf_token": csrf_of(fresh)}
    assert fresh.post("/login", data=data).status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "wrong"),
    [
        ("wrong password", NEW, NEW, "old_password"),
        ("", NEW, NEW, "old_password"),
        (PASSWORD, NEW, NEW + "x", "repeat_password"),
        (PASSWORD, "short", "short", "new_password"),
        (PASSWORD, "x" * 201, "x" * 201, "new_password"),
        (PASSWORD, "", "", "new_password"),
    ],
)
def test_a_wrong_password_form_names_the_field(old: str, new: str, again: str, wrong: str) -> None:
    browser = signed_in(make_user())
    answer = post(browser, "/account/password", old_password=old, new_password=new, repeat_password=again)
    page = page_of(answer)
    assert answer.status_code == 400
    assert page.text("title").startswith("Error: ")
    assert [a["name"] for a in page.all("input") if a.get("aria-invalid")] == [wrong]
    assert PASSWORD not in page.html


def test_guessing_the_old_password_is_limited_like_signing_in() -> None:
    browser = signed_in(make_user())
    form = {"old_password": "wrong password", "new_password": NEW, "repeat_password": NEW}
    token = csrf_of(browser, "/account")
    for _ in range(10):
        assert browser.post("/account/password", data={**form, "csrf_token": token}).status_code == 400
    form["old_password"] = PASSWORD
    answer = browser.post("/account/password", data={**form, "csrf_token": token})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "300"
    page_of(answer)


def test_a_token_is_shown_once_and_works_until_it_is_revoked(client: FlaskClient) -> None:
    browser = signed_in(make_user())
    page = page_of(post(browser, "/account/tokens", name="nightly <import>", scope="read", password=PASSWORD))
    secret = next(a["data-copy"] for a in page.all("button") if a.get("aria-label") == "Copy the new token")
    header = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/lessons", headers=header).status_code == 200
    again = page_of(browser.get("/account"))
    assert secret not in again.html
    assert "nightly <import>" in again.text()
    assert "Read only" in again.text("li")
    assert "from 127.0.0.1" in again.text("li")
    form = next(a for a in again.all("form") if "/revoke" in (a["action"] or ""))
    assert post(browser, form["action"] or "").status_code == 302
    assert client.get("/api/lessons", headers=header).status_code == 401


@pytest.mark.parametrize(
    ("form", "wrong", "counts"),
    [
        ({"name": "x" * 81, "password": PASSWORD}, "name", 0),
        ({"name": "nightly", "scope": "write", "password": "wrong password"}, "password", 1),
        ({"name": "nightly", "scope": "write"}, "password", 1),
    ],
)
def test_a_token_that_is_refused_says_so_beside_its_field_and_loses_nothing(
    app: Flask, form: dict[str, str], wrong: str, counts: int
) -> None:
    user = make_user()
    answer = post(signed_in(user), "/account/tokens", **form)
    page = page_of(answer)
    assert answer.status_code == 400
    assert [a["name"] for a in page.all("input") if a.get("aria-invalid")] == [wrong]
    assert page.one("input", name="name")["value"] == form["name"]
    chosen = [a["value"] for a in page.all("input", name="scope") if "checked" in a]
    assert chosen == [form.get("scope", "read")]
    assert form.get("password", PASSWORD) not in page.html
    with app.app_context():
        assert tokens.live(user) == []
        assert db.session.query(SignInFailure).count() == counts


def test_guessing_the_password_for_a_token_is_limited_like_signing_in() -> None:
    browser = signed_in(make_user())
    form = {"csrf_token": csrf_of(browser, "/account"), "password": "wrong password"}
    for _ in range(10):
        assert browser.post("/account/tokens", data=form).status_code == 400
    answer = browser.post("/account/tokens", data={**form, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")


def test_an_account_without_a_password_is_told_how_to_get_a_token() -> None:
    user = make_user()
    browser = signed_in(user)
    user.password_hash = None
    keep(user)
    assert f"users token {user.email}" in page_of(browser.get("/account")).text("code")
    answer = post(browser, "/account/tokens", password=PASSWORD)
    assert answer.status_code == 400
    assert page_of(answer).all("input", name="scope") == []


def test_there_is_a_most_and_all_can_be_revoked(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    headers = [bearer(user) for _ in range(tokens.MAX_LIVE)]
    browser = signed_in(user)
    assert "which is the most" in page_of(browser.get("/account")).text("p")
    answer = post(browser, "/account/tokens", password=PASSWORD)
    assert answer.status_code == 409
    assert "Revoke one" in page_of(answer).text("p")
    post(browser, "/account/tokens/revoke")
    assert "20 tokens revoked" in page_of(browser.get("/account")).text()
    assert client.get("/api/lessons", headers=headers[0]).status_code == 401
    assert post(browser, "/account/tokens", password=PASSWORD).status_code == 200
    with app.app_context():
        assert len(tokens.live(user)) == 1


def test_a_token_that_ends_soon_is_told_of(app: Flask) -> None:
    user = make_user()
    bearer(user)
    browser = signed_in(user)
    assert "within 14 days" not in page_of(browser.get("/account")).text()
    with app.app_context():
        db.session.execute(update(ApiToken).values(expires_at=func.now() + text("interval '13 days'")))
        db.session.commit()
    assert "1 token will end within 14 days" in page_of(browser.get("/account")).text()


def test_token_and_session_of_another_user_answer_as_if_there_were_none() -> None:
    user, other = make_user(), make_user()
    bearer(other)
    mine, theirs = signed_in(user), signed_in(other)
    page = page_of(theirs.get("/account"))
    revoke = next(a["action"] for a in page.all("form") if "/revoke" in (a["action"] or ""))
    assert post(mine, revoke or "").status_code == 404
    assert post(mine, f"/account/tokens/{uuid.uuid4()}/revoke").status_code == 404
    assert post(mine, "/account/sessions/end", session_id="not an id").status_code == 404
    assert post(mine, "/account/sessions/end", session_id=str(uuid.uuid4())).status_code == 302
    assert theirs.get("/account").status_code == 200


def test_one_session_or_all_others_can_be_ended() -> None:
    user = make_user()
    here, second, third = signed_in(user), signed_in(user), signed_in(user)
    page = page_of(here.get("/account"))
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
    page = page_of(signed_in(make_user()).get("/account"))
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
    page = page_of(signed_in(user).get("/account"))
    assert "Safari on macOS" in page.text("li")
    assert "From 198.51.100.7" in page.text("li")
    assert "This browser" in page.text("li")
    assert len(page.all("time")) == 4


def test_mail_is_a_choice_that_stays(app: Flask) -> None:
    browser = signed_in(make_user())
    assert "Mail is not set up" in page_of(browser.get("/account")).text("p")
    with overridden(mail_url="smtp://127.0.0.1:1"):
        assert "checked" in page_of(browser.get("/account")).one("input", name="mail_notices")
        assert post(browser, "/account/mail").status_code == 302
        page = page_of(browser.get("/account"))
        assert "no more mails" in page.text()
        assert "checked" not in page.one("input", name="mail_notices")
        post(browser, "/account/mail", mail_notices="1")
        assert "checked" in page_of(browser.get("/account")).one("input", name="mail_notices")


def test_students_who_are_told_nothing_are_asked_nothing_about_mail() -> None:
    with overridden(mail_url="smtp://127.0.0.1:1"):
        page = page_of(signed_in(make_user(role="student")).get("/account"))
    assert page.all("input", name="mail_notices") == []


def test_a_student_without_tokens_reads_nothing_about_them_or_about_uploads() -> None:
    student = make_user(role="student")
    shown = page_of(signed_in(student).get("/account")).text("main").lower()
    assert "sign out everywhere" in shown
    assert [word for word in ("token", "upload", "bearer") if word in shown] == []
    bearer(student)
    assert "api tokens" in page_of(signed_in(student).get("/account")).text("main").lower()
