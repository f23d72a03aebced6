"""One's own data as a file, and the deletion of the own account: asked, typed, with the password."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import PASSWORD, make_course, make_lesson, make_user, signed_in
from tests.pages import csrf_of, page_of

pytestmark = pytest.mark.usefixtures("app")


def post(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


def test_the_file_is_json_and_a_download() -> None:
    user = make_user(name="Ädä")
    answer = post(signed_in(user), "/account/data")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"] == "attachment; filename=my-data.json"
    assert json.loads(answer.text)["account"]["name"] == "Ädä"


def test_a_student_deletes_the_account(app: Flask) -> None:
    user = make_user(role="student", email="ada@school.example")
    browser, there = signed_in(user), signed_in(user)
    page = page_of(browser.get("/account/deletion"))
    assert "This can't be undone" in page.text()
    assert browser.get("/account").status_code == 200, "to look is not to do"
    for fields in ({"typed": "delete"}, {"typed": "no", "password": PASSWORD}):
        assert post(browser, "/account/delete", **fields).status_code == 400
    answer = post(browser, "/account/delete", typed="Delete", password=PASSWORD)
    assert answer.location == "/login"
    assert "Your account is deleted" in page_of(browser.get("/login")).text()
    assert [one.get("/account").status_code for one in (browser, there)] == [302, 302]
    data = {"email": "ada@school.example", "password": PASSWORD, "csrf_token": csrf_of(browser)}
    assert browser.post("/login", data=data).status_code == 400


def test_an_instructor_with_content_is_led_to_it() -> None:
    user = make_user()
    make_course(instructor=user)
    make_lesson(creator=user)
    make_lesson(creator=user)
    browser = signed_in(user)
    page = page_of(browser.get("/account/deletion"))
    assert "You have 2 lessons and 1 course." in page.text()
    assert page.all("input", name="typed") == []
    answer = post(browser, "/account/delete", typed="delete", password=PASSWORD)
    assert answer.status_code == 409
    assert "Transfer them to another instructor first" in page_of(answer).text()


@pytest.mark.parametrize("role", ["support", "admin"])
def test_staff_are_told_whom_to_ask(role: str) -> None:
    browser = signed_in(make_user(role=role))
    assert "An administrator deletes the accounts of staff" in page_of(browser.get("/account")).text()
    assert page_of(browser.get("/account/deletion")).all("input", name="typed") == []
    assert post(browser, "/account/delete", typed="delete", password=PASSWORD).status_code == 403


def test_guessing_the_password_is_limited_like_signing_in() -> None:
    browser = signed_in(make_user(role="student"))
    for _ in range(10):
        assert post(browser, "/account/delete", typed="delete", password="wrong").status_code == 400
    answer = post(browser, "/account/delete", typed="delete", password=PASSWORD)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "300")
