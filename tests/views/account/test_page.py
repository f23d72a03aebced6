"""The page of the account and the choice of mail: who is asked what."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lessonadmin.domain.models.notifications import MAY_BE_MUTED
from tests.factories import bearer, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("app")

NEW = "a new and longer password"


def post(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


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


def test_students_turn_each_kind_of_notification_off_and_mail(app: Flask) -> None:
    browser = signed_in(make_user(role="student"))

    def on(name: str = "notices") -> list[str]:
        found = page_of(browser.get("/account")).all("input", name=name)
        return [one["value"] or "" for one in found if "checked" in one]

    assert on() == list(MAY_BE_MUTED)
    assert on("mail_notices") == []
    assert post(browser, "/account/notices", notices="lesson_withdrawn").status_code == 302
    assert on() == ["lesson_withdrawn"]
    with overridden(mail_url="smtp://127.0.0.1:1"):
        assert on("mail_notices") == ["1"], "where there is no mail, no answer about it is none"
        post(browser, "/account/notices", notices="course_new_lesson")
        assert (on(), on("mail_notices")) == (["course_new_lesson"], [])
        post(browser, "/account/notices", mail_notices="1")
        assert (on(), on("mail_notices")) == ([], ["1"])


def test_instructors_are_asked_about_mail_alone() -> None:
    with overridden(mail_url="smtp://127.0.0.1:1"):
        page = page_of(signed_in(make_user()).get("/account"))
    assert page.all("input", name="notices") == []
    assert len(page.all("input", name="mail_notices")) == 1


def test_a_student_without_tokens_reads_nothing_about_them_or_about_uploads() -> None:
    student = make_user(role="student")
    browser = signed_in(student)
    pages = [page_of(browser.get(path)).text("main").lower() for path in ("/account", "/account/sessions")]
    shown = " ".join(pages)
    assert "sign out everywhere" in shown
    assert [word for word in ("token", "upload", "bearer") if word in shown] == []
    bearer(student)
    assert "api tokens" in page_of(signed_in(student).get("/account")).text("main").lower()
