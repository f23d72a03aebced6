"""Name and address over HTTP: each slip beside its own field, and what waits can be seen and cancelled."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin.domain.accounts import users
from tests import postbox
from tests.factories import PASSWORD, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox.running() as running, overridden(mail_url=running.url):
        yield running


def post(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


def test_the_name_changes_at_once(app: Flask) -> None:
    user = make_user(name="Ada")
    browser = signed_in(user)
    assert post(browser, "/account/name", display_name=" Ada  Lovelace ").status_code == 302
    page = page_of(browser.get("/account"))
    assert page.one("input", name="display_name")["value"] == "Ada Lovelace"
    assert "Your name is changed" in page.text()
    post(browser, "/account/name", display_name="Ada Lovelace")
    assert "Your name is changed" not in page_of(browser.get("/account")).text()


def test_a_name_that_is_too_long_is_kept_in_the_form() -> None:
    answer = post(signed_in(make_user()), "/account/name", display_name="x" * 101)
    assert answer.status_code == 400
    assert page_of(answer).one("input", name="display_name")["value"] == "x" * 101


def test_a_new_address_waits_for_its_mail_and_can_be_cancelled(box: Postbox) -> None:
    user = make_user(email="old@school.example")
    browser = signed_in(user)
    post(browser, "/account/email", email="new@home.example", current_password=PASSWORD)
    page = page_of(browser.get("/account"))
    assert "new@home.example is not confirmed yet" in page.text()
    post(browser, "/account/email/cancel")
    assert "not confirmed yet" not in page_of(browser.get("/account")).text()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"email": "no address", "current_password": PASSWORD}, "email"),
        ({"email": "new@home.example", "current_password": "wrong password"}, "current_password"),
        ({"email": "new@home.example"}, "current_password"),
    ],
)
def test_a_slip_stands_beside_its_field(box: Postbox, fields: dict[str, str], wrong: str) -> None:
    answer = post(signed_in(make_user()), "/account/email", **fields)
    page = page_of(answer)
    assert answer.status_code == 400
    assert [a["name"] for a in page.all("input") if a.get("aria-invalid")] == [wrong]
    assert page.one("input", name="email")["value"] == fields["email"]
    assert PASSWORD not in page.html


def test_a_taken_address_is_answered_as_a_free_one(box: Postbox) -> None:
    make_user(email="taken@school.example")
    answers = [
        post(signed_in(make_user()), "/account/email", email=email, current_password=PASSWORD)
        for email in ("taken@school.example", "free@school.example")
    ]
    assert [(one.status_code, one.location) for one in answers] == [(302, "/account#email")] * 2


def test_without_mail_the_page_says_that_an_admin_does_it(app: Flask) -> None:
    user = make_user(email="old@school.example")
    browser = signed_in(user)
    page = page_of(browser.get("/account"))
    assert "An administrator changes it for you" in page.text()
    assert page.all("input", name="email") == []
    answer = post(browser, "/account/email", email="new@home.example", current_password=PASSWORD)
    assert answer.status_code == 409
    with app.app_context():
        assert users.find_by_email("old@school.example") is not None
