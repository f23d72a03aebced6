"""People, over HTTP: support finds them, sees why they cannot sign in, ends sessions and unlocks; never a role or a password."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.domain.accounts import sign_in
from lessonadmin.domain.second_factor import entrance
from lessonadmin.domain.second_factor.entrance import Browser
from tests.admin.posting import said
from tests.admin.samples import browser
from tests.factories import in_context, make_course, make_lesson, make_purchase, make_user, signed_in
from tests.pages import Page, csrf_of, page_of

LIST = "/admin/person/"


def page_about(staff: FlaskClient, user: Any) -> Page:
    return page_of(staff.get(f"{LIST}details/?id={user.id}"))


def press(staff: FlaskClient, path: str, **fields: object) -> Any:
    return staff.post(LIST + path, data={"csrf_token": csrf_of(staff, "/account"), **fields})


def lock(user: Any) -> None:
    with in_context():
        for number in range(sign_in.WRONG_TRIES):
            with pytest.raises(sign_in.WrongCredentials):
                entrance.by_password(
                    email=user.email, password="wrong", browser=Browser(f"192.0.2.{number}", "")
                )


@pytest.mark.parametrize("text", ["ada@school.example", "lovelace", "ada"])
def test_support_finds_a_person_by_name_and_address(app: Flask, text: str) -> None:
    ada = make_user(name="Ada Lovelace", email="ada@school.example")
    make_user(name="Bea", email="bea@school.example")
    page = page_of(browser("support").get(f"{LIST}?search={text}"))
    assert "ada@school.example" in page.text("tbody")
    assert "bea@school.example" not in page.text("tbody")
    assert page.all("a", href=f"{LIST}details/?id={ada.id}")


def test_the_list_says_what_they_have_and_when_they_signed_in(app: Flask) -> None:
    ada, stu = make_user(email="ada@school.example"), make_user(role="student", email="stu@school.example")
    make_purchase(make_lesson(creator=ada), stu)
    signed_in(stu)
    text = page_of(browser("support").get(LIST)).text("tbody")
    assert "1 lesson" in text
    assert "1 purchase" in text
    assert "just now" in text


def test_a_page_shows_what_a_ticket_asks_for(app: Flask) -> None:
    ada, stu = make_user(), make_user(role="student", name="Stu", email="stu@school.example")
    lesson = make_lesson(creator=ada, title="Circles", price_cents=1234)
    make_course(instructor=ada)
    purchase = make_purchase(lesson, stu)
    signed_in(stu)
    page = page_about(browser("support"), stu)
    for words in (
        "stu@school.example",
        "Can sign in",
        "Active",
        "Circles",
        "12.34",
        "none within five minutes",
    ):
        assert words in page.text(), words
    for address in (
        f"/admin/purchase/details/?id={purchase.id}",
        f"/admin/purchase/?flt0_buyer_is={stu.id}",
        f"/admin/audit/?flt0_who_is={stu.id}",
        f"/admin/audit/?flt0_target_id_is={stu.id}",
    ):
        assert page.all("a", href=address), address
    theirs = page_about(browser("support"), ada)
    assert theirs.all("a", href=f"/admin/lesson/?flt0_owner_is={ada.id}")
    assert "1 lesson" in theirs.text()


def test_no_form_of_the_page_changes_a_role_or_a_password(app: Flask) -> None:
    ada = make_user()
    lock(ada)
    signed_in(ada)
    for role, to_account in (("support", False), ("admin", True)):
        page = page_about(browser(role), ada)
        targets = {
            form["action"] for form in page.all("form") if (form.get("action") or "").startswith("/admin/p")
        }
        assert targets == {f"{LIST}sessions/end", f"{LIST}unlock"}
        assert bool(page.all("a", href=f"/admin/user/details/?id={ada.id}")) == to_account


def test_a_disabled_account_says_so(app: Flask) -> None:
    page = page_about(browser("support"), make_user(active=False))
    assert "Disabled: cannot sign in." in page.text()


def test_a_locked_sign_in_is_seen_and_unlocked(app: Flask) -> None:
    ada, support = make_user(), browser("support")
    lock(ada)
    assert "Locked 10 wrong tries within five minutes" in page_about(support, ada).text()
    press(support, "unlock", id=ada.id, reason="She called")
    assert "Sign-in is unlocked." in said(support)
    assert "none within five minutes" in page_about(support, ada).text()
    assert "Unlocked sign-in" in page_of(support.get("/admin/audit/")).text("tbody")


def test_sessions_are_ended_one_by_one_and_all(app: Flask) -> None:
    ada, support = make_user(), browser("support")
    browsers = [signed_in(ada) for _ in range(3)]
    named = [field["value"] for field in page_about(support, ada).all("input", name="session_id")]
    assert len(named) == 3
    press(support, "sessions/end", id=ada.id, session_id=named[0])
    assert "The session is ended." in said(support)
    assert sum(one.get("/lessons").status_code == 200 for one in browsers) == 2
    press(support, "sessions/end", id=ada.id)
    assert sum(one.get("/lessons").status_code == 200 for one in browsers) == 0
    assert "Not signed in anywhere." in page_about(support, ada).text()


def test_the_account_of_an_admin_is_not_for_support(app: Flask) -> None:
    admin, support = make_user(role="admin"), browser("support")
    theirs = signed_in(admin)
    press(support, "sessions/end", id=admin.id)
    assert "Only an admin does this" in said(support)
    assert theirs.get("/admin/").status_code == 200


@pytest.mark.parametrize("fields", [{"id": "x"}, {"id": ""}, {"session_id": "x"}])
def test_a_form_that_names_nothing_does_nothing(app: Flask, fields: dict[str, str]) -> None:
    ada, support = make_user(), browser("support")
    theirs = signed_in(ada)
    assert press(support, "sessions/end", **{"id": str(ada.id), **fields}).status_code == 404
    assert theirs.get("/lessons").status_code == 200


@pytest.mark.parametrize("role", ["student", "instructor"])
def test_others_see_no_people(app: Flask, role: str) -> None:
    ada = make_user()
    caller = browser(role)
    assert caller.get(LIST).status_code == 404
    assert caller.get(f"{LIST}details/?id={ada.id}").status_code == 404
    assert press(caller, "unlock", id=ada.id).status_code == 404
