"""Bearer tokens over HTTP: shown once, limited, told of before they end, revoked."""

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

pytestmark = pytest.mark.usefixtures("app")

NEW = "a new and longer password"


def post(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


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
