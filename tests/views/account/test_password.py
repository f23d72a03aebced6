"""A new password by the present one: each slip beside its own field, and wrong ones are counted."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import PASSWORD, make_user, signed_in
from tests.pages import csrf_of, page_of

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
