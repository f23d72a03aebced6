"""Where bearer tokens are taken, and what each kind of them may do there."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, update

from lessonadmin import auth
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.accounts import users
from lessonadmin.domain.models import ApiToken, User
from lessonadmin.views.api.endpoints import ENDPOINTS
from tests.factories import bearer, make_lesson, make_user, signed_in
from tests.pages import csrf_of


def error_of(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["type"]  # type: ignore[attr-defined]  # a test answer


@pytest.mark.parametrize(
    "path", ["/", "/account", "/lessons", "/catalog", "/notifications", "/admin/", "/admin/user/"]
)
def test_a_page_takes_no_token(client: FlaskClient, path: str) -> None:
    headers = bearer(make_user(role="admin"))
    assert client.get("/api/lessons", headers=headers).status_code == 200
    answer = client.get(path, headers=headers)
    assert answer.status_code == 302
    assert answer.location.startswith("/login")


def test_a_token_makes_no_account_no_token_and_no_password(app: Flask, client: FlaskClient) -> None:
    headers = bearer(make_user(role="admin"))
    forms = {
        "/admin/user/new/": {"email": "evil@school.example", "role": "admin"},
        "/account/tokens": {"name": "another"},
        "/account/password": {"old_password": "x"},
    }
    answers = {path: client.post(path, data=form, headers=headers).location for path, form in forms.items()}
    assert answers == dict.fromkeys(forms, "/login")
    with app.app_context():
        assert db.session.query(User).count() == 1
        assert db.session.query(ApiToken).count() == 1


def test_a_page_asks_the_cookie_and_csrf_whatever_the_header_says(app: Flask) -> None:
    user = make_user()
    browser, headers = signed_in(user), bearer(user)
    assert browser.get("/account", headers=headers).status_code == 200
    assert browser.post("/account/mail", headers=headers).status_code == 400
    assert browser.post("/account/mail", data={"csrf_token": csrf_of(browser, "/account")}).status_code == 302


def test_only_addresses_of_the_api_and_the_metrics_take_tokens(app: Flask) -> None:
    """And none of them has to do with accounts."""
    closed = ("user", "account", "token", "password", "session", "login", "admin")
    found = {
        rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in auth.TAKES_TOKENS
    }
    assert {"/metrics", "/api/lessons"} <= found
    assert [one for one in found - {"/metrics"} if not one.startswith("/api/")] == []
    assert [one for one in found if any(word in one for word in closed)] == []


def test_a_token_that_reads_changes_nothing(client: FlaskClient) -> None:
    instructor = make_user()
    headers = bearer(instructor, scope="read")
    lesson = make_lesson(creator=instructor, title="Mine")
    assert client.get("/api/lessons", headers=headers).status_code == 200
    assert client.head("/api/lessons", headers=headers).status_code == 200
    assert client.get(f"/api/lessons/{lesson.id}", headers=headers).get_json()["title"] == "Mine"
    assert (
        client.get(f"/api/mux/check-asset-status?lesson_id={lesson.id}", headers=headers).status_code == 200
    )
    refused = [
        client.post("/api/lessons", json={"title": "x"}, headers=headers),
        client.patch(f"/api/lessons/{lesson.id}", json={"title": "x"}, headers=headers),
        client.delete(f"/api/lessons/{lesson.id}", headers=headers),
        client.get(f"/api/mux/check-upload-status?lesson_id={lesson.id}", headers=headers),
    ]
    assert [error_of(one) for one in refused] == [(403, "insufficient_scope")] * 4
    assert client.get(f"/api/lessons/{lesson.id}", headers=headers).get_json()["title"] == "Mine"
    changed = client.patch(f"/api/lessons/{lesson.id}", json={"title": "New"}, headers=bearer(instructor))
    assert changed.status_code == 200


def test_every_call_that_is_no_get_and_the_one_that_asks_mux_needs_write() -> None:
    free = {one.name for one in ENDPOINTS if not one.changes}
    assert free == {one.name for one in ENDPOINTS if one.method == "GET"} - {"check_upload_status"}


@pytest.mark.parametrize("scope", ["read", "write"])
def test_metrics_take_the_token_of_staff(client: FlaskClient, scope: str) -> None:
    assert client.get("/metrics", headers=bearer(make_user(role="support"), scope=scope)).status_code == 200
    assert client.get("/metrics", headers=bearer(make_user(), scope=scope)).status_code == 401


def test_a_caller_with_a_token_past_its_date_is_told_and_no_other_caller_is(
    app: Flask, client: FlaskClient
) -> None:
    user = make_user()
    headers = bearer(user)
    with app.app_context():
        db.session.execute(update(ApiToken).values(expires_at=func.clock_timestamp()))
        db.session.commit()
    answer = client.get("/api/lessons", headers=headers)
    assert error_of(answer) == (401, "not_signed_in")
    assert "reached its date" in answer.get_json()["error"]["message"]
    with app.app_context(), transaction(CLI):
        users.set_active(db.session.get_one(User, user.id), False)
    said = [client.get("/api/lessons", headers=one) for one in (headers, {"Authorization": "Bearer x"}, {})]
    assert [one.get_json()["error"]["message"] for one in said] == ["Please sign in first."] * 3
