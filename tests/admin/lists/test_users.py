"""Accounts, over HTTP: admins make, disable, change and hand over; no other role sees that there are any."""

import re
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.accounts import tokens
from lessonadmin.domain.models import AccountLink, AuditLog, Notification, User
from tests.admin.posting import fresh, said
from tests.factories import (
    PASSWORD,
    bearer,
    give_app,
    in_context,
    make_course,
    make_lesson,
    make_tracking,
    make_user,
    signed_in,
)
from tests.pages import csrf_of, page_of
from tests.settings import overridden

LIST = "/admin/user/"


@pytest.fixture
def admin(app: Flask, session: object) -> FlaskClient:
    return signed_in(make_user(role="admin", email="root@school.example"))


def press(browser: FlaskClient, path: str, **fields: str) -> Any:
    return browser.post(LIST + path, data={"csrf_token": csrf_of(browser, "/account"), **fields})


def signs_in(app: Flask, email: str, password: str) -> bool:
    browser = app.test_client()
    data = {"email": email, "password": password, "csrf_token": csrf_of(browser, "/login")}
    return bool(browser.post("/login", data=data).status_code == 302)


def password_in(answer: Any) -> str:
    found = re.search(r'data-copy="([^"]+)"', answer.text.partition("new-password")[2] + answer.text)
    assert found is not None
    return found[1]


def test_an_account_is_made_and_its_password_shown_once(admin: FlaskClient, app: Flask) -> None:
    answer = press(admin, "new/", email="New@School.example", name="Nia", role="instructor")
    assert answer.status_code == 200
    page = page_of(answer)
    assert "Account created." in page.text()
    made = db.session.scalars(select(User).where(User.email == "New@School.example")).one()
    shown = [
        attrs["data-copy"] for _, attrs in page.elements if attrs.get("data-copy") not in (None, str(made.id))
    ]
    assert len(shown) == 1
    assert signs_in(app, made.email, shown[0] or "")
    assert shown[0] not in admin.get(f"{LIST}details/?id={made.id}").text
    assert shown[0] not in str([row.detail for row in db.session.scalars(select(AuditLog))])


@pytest.mark.parametrize(
    ("email", "role", "name"),
    [("", "student", ""), ("x", "student", ""), ("root@school.example", "student", ""), ("a@b.example", "king", ""), ("a@b.example", "student", "x" * 500), ("a\x00@b.example", "student", "")],
)  # fmt: skip
def test_what_is_wrong_with_a_new_account_is_said(
    admin: FlaskClient, email: str, role: str, name: str
) -> None:
    before = len(db.session.scalars(select(User)).all())
    answer = press(admin, "new/", email=email, role=role, name=name)
    assert answer.status_code == 400
    page_of(answer)
    assert len(db.session.scalars(select(User)).all()) == before


def test_disabling_ends_every_session_at_once(admin: FlaskClient, app: Flask) -> None:
    user = make_user()
    theirs = signed_in(user)
    assert theirs.get("/account").status_code == 200
    press(admin, "active", id=str(user.id), active="0", reason="left the school")
    assert theirs.get("/account").status_code == 302
    assert not signs_in(app, user.email, PASSWORD)
    row = db.session.scalars(select(AuditLog).where(AuditLog.action == "user.disabled")).one()
    assert row.detail["reason"] == "left the school"
    press(admin, "active", id=str(user.id), active="1")
    assert signs_in(app, user.email, PASSWORD)


def test_a_role_is_changed_with_its_reason(admin: FlaskClient) -> None:
    user = make_user()
    theirs = signed_in(user)
    press(admin, "role", id=str(user.id), role="support", reason="joined the desk")
    assert fresh(user).role == "support"
    assert theirs.get("/account").status_code == 302, "has to sign in again"
    row = db.session.scalars(select(AuditLog).where(AuditLog.action == "user.role_changed")).one()
    assert row.detail["reason"] == "joined the desk"
    assert (row.detail["before"], row.detail["after"]) == ("instructor", "support")
    press(admin, "role", id=str(user.id), role="king")
    assert fresh(user).role == "support"


def test_a_new_password_replaces_the_old_one(admin: FlaskClient, app: Flask) -> None:
    user = make_user()
    page = page_of(press(admin, "password", id=str(user.id), reason="forgot it"))
    (shown,) = [a["data-copy"] for _, a in page.elements if a.get("data-copy") not in (None, str(user.id))]
    assert not signs_in(app, user.email, PASSWORD)
    assert signs_in(app, user.email, shown or "")
    row = db.session.scalars(select(AuditLog).where(AuditLog.action == "user.password_reset")).one()
    assert row.detail["reason"] == "forgot it"


def test_the_tokens_of_an_account_are_seen_and_revoked(
    admin: FlaskClient, app: Flask, client: FlaskClient
) -> None:
    user = make_user()
    headers = [bearer(user, scope="read") for _ in range(3)]
    assert client.get("/api/lessons", headers=headers[0]).status_code == 200
    page = page_of(admin.get(f"{LIST}details/?id={user.id}"))
    assert page.text("li").count("Read only") == 3
    assert page.text("li").count("last used just now from 127.0.0.1") == 1
    first = page.all("input", name="token_id")[0]["value"] or ""
    press(admin, "tokens/revoke", id=str(user.id), token_id=first, reason="lost laptop")
    assert "no longer opens anything" in said(admin)
    left = [client.get("/api/lessons", headers=one).status_code for one in headers]
    assert sorted(left) == [200, 200, 401]
    press(admin, "tokens/revoke", id=str(user.id))
    assert "No token of theirs" in said(admin)
    assert [client.get("/api/lessons", headers=one).status_code for one in headers] == [401] * 3
    rows = db.session.scalars(select(AuditLog).where(AuditLog.action == "user.token_revoked")).all()
    assert sorted(row.detail["because"] for row in rows) == ["all revoked", "all revoked", "revoked"]
    (one,) = [row for row in rows if row.detail["because"] == "revoked"]
    assert (one.detail["token_id"], one.detail["reason"]) == (first, "lost laptop")
    assert one.actor_id != user.id
    told = db.session.scalars(select(Notification.message).where(Notification.user_id == user.id)).all()
    revoked = [
        words.partition(" revoked ")[2].partition(".")[0] for words in sorted(told) if " revoked " in words
    ]
    assert revoked == [
        "2 API tokens of yours",
        "an API token of yours",
    ]


def test_a_token_of_another_user_is_not_revoked_by_another_account(
    admin: FlaskClient, client: FlaskClient
) -> None:
    user, other = make_user(), make_user()
    headers = bearer(other)
    with in_context():
        token_id = str(tokens.live(other)[0].id)
    for wrong in (token_id, str(uuid.uuid4()), "not an id"):
        assert press(admin, "tokens/revoke", id=str(user.id), token_id=wrong).status_code == 404
    assert client.get("/api/lessons", headers=headers).status_code == 200


def test_everything_is_handed_over_and_nothing_left(admin: FlaskClient) -> None:
    one, other = make_user(), make_user(email="other@school.example")
    lesson, course = make_lesson(creator=one), make_course(instructor=one)
    page = page_of(admin.get(f"{LIST}details/?id={one.id}"))
    assert "Transfer 1 lesson and 1 course" in page.text()
    for to in ("nobody@school.example", one.email, "", "a\x00b"):
        assert press(admin, "handover", id=str(one.id), to=to).status_code == 400, to
    press(admin, "handover", id=str(one.id), to="Other@school.example", reason="left")
    assert "1 lesson and 1 course now belong to other@school.example." in said(admin)
    assert (fresh(lesson).creator_id, fresh(course).instructor_id) == (other.id, other.id)
    assert signed_in(one).get(f"/lessons/{lesson.id}/edit").status_code == 404


def test_before_a_transfer_the_page_asks_and_names_both_and_the_counts(admin: FlaskClient) -> None:
    one, other = make_user(), make_user(email="other@school.example", name="Olga Other")
    lesson = make_lesson(creator=one)
    wrong = press(admin, "handover", id=str(one.id), to="nobody@school.example", ask="1")
    assert wrong.status_code == 400
    assert page_of(wrong).one("input", name="to")["aria-invalid"] == "true", "the error is at its field"
    asked = page_of(press(admin, "handover", id=str(one.id), to=other.email, reason="left", ask="1"))
    question = f"Transfer 1 lesson from {one.email} to Olga Other (other@school.example)?"
    assert question in asked.text("strong")
    assert fresh(lesson).creator_id == one.id, "nothing is done before the answer"
    assert asked.one("input", name="reason", type="hidden")["value"] == "left"
    press(admin, "handover", id=str(one.id), to=other.email, reason="left")
    assert fresh(lesson).creator_id == other.id


def test_what_will_be_cancelled_is_said_before_the_press(admin: FlaskClient) -> None:
    one, other = make_user(), make_user()
    for _ in range(2):
        make_tracking(make_lesson(creator=one), started_by=one.id)
    make_tracking(make_lesson(creator=one), status="processing", mux_asset_id="a")
    page = admin.get(f"{LIST}details/?id={one.id}").text
    words = "2 uploads that have not arrived will be cancelled."
    assert page.count(words) == 3, "for a student, for disabling, for handing over"
    assert f"As a student: {words}" in page
    assert "not arrived" not in admin.get(f"{LIST}details/?id={other.id}").text
    press(admin, "handover", id=str(one.id), to=other.email)
    assert "2 uploads that had not arrived were cancelled." in str(said(admin))


def test_no_admin_changes_their_own_account_here(admin: FlaskClient) -> None:
    me = db.session.scalars(select(User).where(User.email == "root@school.example")).one()
    for path, fields in (("role", {"role": "student"}), ("active", {"active": "0"}), ("password", {})):
        press(admin, path, id=str(me.id), **fields)
        assert (fresh(me).role, fresh(me).active) == ("admin", True), path
    assert admin.get("/account").status_code == 200


@pytest.mark.parametrize("role", ["student", "instructor", "support"])
@pytest.mark.parametrize("path", ["role", "active", "password", "handover", "new/"])
def test_only_admins(app: Flask, session: object, role: str, path: str) -> None:
    user, other = make_user(), signed_in(make_user(role=role))
    answer = press(other, path, id=str(user.id), role="admin", active="0", to="x", email="x@y.example")
    assert answer.status_code == (403 if role == "support" else 404)
    assert (fresh(user).role, fresh(user).active) == ("instructor", True)


@pytest.mark.parametrize("path", ["role", "active", "password", "handover"])
def test_an_account_that_is_not_there(admin: FlaskClient, path: str) -> None:
    for id_ in ("x", "", str(uuid.uuid4())):
        assert press(admin, path, id=id_, role="student", active="0", to="x").status_code == 404


def test_staff_without_a_second_step_are_listed_and_an_admin_removes_one(
    admin: FlaskClient, app: Flask
) -> None:
    plain, protected = make_user(role="support"), make_user(role="support")
    give_app(protected)
    page = page_of(admin.get(f"{LIST}?view=one-step"))
    assert plain.email in page.text("tbody")
    assert protected.email not in page.text("tbody")
    assert protected.email in page_of(admin.get(f"{LIST}?flt0_second_step_is=yes")).text("tbody")
    details = f"{LIST}details/?id={protected.id}"
    assert "Authenticator app" in page_of(admin.get(details)).text("main")
    press(admin, "second-factor/reset", id=str(protected.id), reason="lost phone")
    assert "The second step is removed, and they are signed out everywhere." in said(admin)
    assert "Remove second step" not in page_of(admin.get(details)).text("main")
    press(admin, "second-factor/reset", id=str(protected.id))
    assert "has no second factor" in said(admin)


def test_support_removes_no_second_step(app: Flask) -> None:
    protected = make_user()
    give_app(protected)
    support = signed_in(make_user(role="support"))
    assert press(support, "second-factor/reset", id=str(protected.id)).status_code in (403, 404)
    assert "Authenticator app" in page_of(support.get(f"/admin/person/details/?id={protected.id}")).text(
        "main"
    )


def link_in(answer: Any) -> str:
    """The link that a page shows once."""
    found = re.search(r'data-copy="http://localhost(/[^"]+)"', answer.text)
    assert found is not None
    return found[1]


def test_an_account_is_made_by_an_invitation(admin: FlaskClient, app: Flask) -> None:
    page = page_of(admin.get(LIST + "new/"))
    assert "checked" in page.one("input", name="how", value="invite")
    answer = press(admin, "new/", email="new@school.example", name="Nia", role="support", how="invite")
    assert answer.status_code == 200
    path = link_in(answer)
    outside = app.test_client()
    assert "a member of support" in page_of(outside.get(path)).text()
    made = db.session.scalars(select(User).where(User.email == "new@school.example")).one()
    shown = page_of(admin.get(f"{LIST}details/?id={made.id}"))
    assert path not in shown.html
    assert "Link created" in shown.text()
    assert "nothing else opens this account" in shown.text()
    again = link_in(press(admin, "invitation", id=str(made.id)))
    assert [outside.get(one).status_code for one in (path, again)] == [410, 200]
    press(admin, "invitation", id=str(made.id), withdraw="1")
    assert outside.get(again).status_code == 410
    assert "Withdrawn" in page_of(admin.get(f"{LIST}details/?id={made.id}")).text()


def test_with_a_mail_server_an_admin_sees_no_link(admin: FlaskClient) -> None:
    user = make_user()
    with overridden(mail_url="smtp://127.0.0.1:1"):
        answer = press(admin, "new/", email="new@school.example", role="student", how="invite")
        assert answer.status_code == 302
        page = page_of(admin.get(answer.location))
        assert "is invited by mail" in page.text()
        assert "Waits for the mail server" in page.text()
        assert press(admin, "link", id=str(user.id)).status_code == 302
    with in_context():
        assert db.session.query(AccountLink).filter(AccountLink.mail_wanted).count() == 2


def test_without_one_a_link_for_a_new_password_is_shown_once(admin: FlaskClient, app: Flask) -> None:
    user = make_user()
    answer = press(admin, "link", id=str(user.id))
    assert "Whoever" not in page_of(answer).text()
    assert app.test_client().get(link_in(answer)).status_code == 200
    assert signs_in(app, user.email, PASSWORD), "until it is used, nothing changes"


def test_name_and_address_of_another_person(admin: FlaskClient) -> None:
    user, other = make_user(email="old@school.example", name="Ada"), make_user()
    press(admin, "identity", id=str(user.id), name="Zoe", email="new@school.example", reason="married")
    changed = fresh(user)
    assert (changed.name, changed.email) == ("Zoe", "new@school.example")
    press(admin, "identity", id=str(user.id), name="Never", email=other.email)
    assert "already" in said(admin)
    assert fresh(user).name == "Zoe", "all or nothing"
    rows = db.session.scalars(select(AuditLog).where(AuditLog.target_id == user.id).order_by(AuditLog.id))
    assert [(row.action, row.detail["reason"]) for row in rows] == [
        ("user.renamed", "married"),
        ("user.email_changed", "married"),
    ]


def test_a_deletion_is_typed_and_final(admin: FlaskClient) -> None:
    user = make_user(role="student", email="ada@school.example")
    answer = press(admin, "delete", id=str(user.id), typed="ada")
    assert answer.status_code == 400
    page_of(answer)
    assert not fresh(user).is_deleted
    press(admin, "delete", id=str(user.id), typed="Ada@School.example ", reason="asked for it")
    assert "The account is deleted" in said(admin)
    assert fresh(user).is_deleted
    page = page_of(admin.get(f"{LIST}details/?id={user.id}"))
    assert "Deleted account" in page.text()
    assert [form["action"] for form in page.all("form") if "/admin/user/" in (form["action"] or "")] == []
    assert "deleted.invalid" not in admin.get(LIST).get_data(as_text=True)
    for path in ("role", "active", "password", "link", "invitation", "identity", "delete", "tokens/revoke"):
        fields = {
            "id": str(user.id),
            "role": "admin",
            "typed": fresh(user).email,
            "name": "Eve",
            "email": "e@x.y",
        }
        assert press(admin, path, **fields).status_code in (302, 404)
    assert (fresh(user).name, fresh(user).active, fresh(user).role) == ("Deleted account", False, "student")


def test_content_is_transferred_before_a_deletion(admin: FlaskClient) -> None:
    user = make_user()
    make_lesson(creator=user)
    assert "First transfer 1 lesson" in page_of(admin.get(f"{LIST}details/?id={user.id}")).text()
    press(admin, "delete", id=str(user.id), typed=user.email)
    assert "Transfer them to another instructor first" in said(admin)
    assert not fresh(user).is_deleted


def test_an_admin_finds_no_button_to_delete_the_own_account(admin: FlaskClient) -> None:
    root = db.session.scalars(select(User).where(User.email == "root@school.example")).one()
    assert "Delete account" not in page_of(admin.get(f"{LIST}details/?id={root.id}")).text()
    press(admin, "delete", id=str(root.id), typed=root.email)
    assert not fresh(root).is_deleted
