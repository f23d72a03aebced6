"""Accounts: making and changing them; and that every change that matters ends the other sessions."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, NoTransaction, db, transaction
from lessonadmin.domain.accounts import passwords, sessions, tokens, users
from lessonadmin.domain.errors import Conflict, Invalid, Problem
from lessonadmin.domain.models import AuditLog, User
from tests.factories import PASSWORD, make_token, make_user


def actions_of(user: User) -> list[str]:
    rows = db.session.scalars(select(AuditLog).where(AuditLog.target_id == user.id).order_by(AuditLog.id))
    return [row.action for row in rows]


def opened(user: User) -> str:
    with transaction(CLI):
        return sessions.begin(user, address="", user_agent="")


def alive(*secrets: str) -> list[bool]:
    return [sessions.by_session(secret) is not None for secret in secrets]


def test_an_account_is_made_whole(session: Session) -> None:
    with transaction(CLI):
        user = users.create_user(
            email="  Ada@School.example ", role="instructor", name=" Ada\tLovelace\n", password=PASSWORD
        )
    assert (user.email, user.name, user.role, user.active) == (
        "Ada@School.example",
        "Ada Lovelace",
        "instructor",
        True,
    )
    assert user.password_hash is not None
    assert PASSWORD not in user.password_hash
    assert actions_of(user) == ["user.created"]


def test_nothing_is_changed_outside_a_transaction(session: Session) -> None:
    with pytest.raises(NoTransaction):
        users.create_user(email="ada@school.example", role="student")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@school.example",
        "ada@",
        "a b@school.example",
        "ada@school.example\nx",
        "a\x00@s.example",
        "ada@@school.example",
        "a" * 65 + "@school.example",
        "a@" + "b" * 181,
    ],
)
def test_an_address_that_is_none_is_refused(session: Session, email: str) -> None:
    with pytest.raises(Invalid) as caught, transaction(CLI):
        users.create_user(email=email, role="student")
    assert list(caught.value.fields or ()) == ["email"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("role", {"role": "owner"}),
        ("role", {"role": ""}),
        ("password", {"password": ""}),
        ("password", {"password": "short"}),
        ("password", {"password": "x" * 201}),
        ("name", {"name": "x" * 101}),
    ],
)
def test_other_wrong_input_names_its_field(session: Session, field: str, given: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught, transaction(CLI):
        users.create_user(**{"email": "ada@school.example", "role": "student", **given})
    assert list(caught.value.fields or ()) == [field]
    assert users.find_by_email("ada@school.example") is None


def test_an_address_is_taken_whatever_its_case(session: Session) -> None:
    make_user(email="ada@school.example")
    with pytest.raises(Conflict, match="already"), transaction(CLI):
        users.create_user(email="ADA@School.example", role="student")


def test_two_who_make_the_same_account_at_once_are_told_so(app: Flask) -> None:
    start, outcomes = threading.Barrier(4), []

    def make() -> None:
        with app.app_context():
            start.wait()
            try:
                with transaction(CLI):
                    users.create_user(email="ada@school.example", role="student")
                outcomes.append("made")
            except Problem as problem:
                outcomes.append(problem.type)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["email_taken"] * 3 + ["made"]


def test_a_new_password_ends_every_other_session(session: Session) -> None:
    user = make_user()
    here, there = opened(user), opened(user)
    known = sessions.by_session(here)
    assert known is not None
    with transaction(Actor.user(user.id)):
        users.change_password(user, old=PASSWORD, new="another long password", keep=known[1].id)
    assert alive(here, there) == [True, False]
    assert "user.password_changed" in actions_of(user)


def test_the_old_password_must_be_right_and_the_new_one_long(session: Session) -> None:
    user = make_user()
    there = opened(user)
    for old, new, field in (
        ("wrong", "another long password", "old_password"),
        (PASSWORD, "short", "new_password"),
    ):
        with pytest.raises(Invalid) as caught, transaction(Actor.user(user.id)):
            users.change_password(user, old=old, new=new, keep=None)
        assert list(caught.value.fields or ()) == [field]
    assert alive(there) == [True]


def test_an_account_without_a_password_has_none_to_change(session: Session) -> None:
    with transaction(CLI):
        user = users.create_user(email="ada@school.example", role="student")
    with pytest.raises(users.WrongPassword), transaction(Actor.user(user.id)):
        users.change_password(user, old="", new="another long password", keep=None)


def test_a_reset_gives_a_new_password_and_ends_all_sessions(session: Session) -> None:
    user = make_user()
    there = opened(user)
    with transaction(CLI):
        password = users.reset_password(user)
    passwords.check_strength(password)
    assert alive(there) == [False]


def test_disabling_ends_sessions_and_tokens_and_enabling_brings_back_no_session(session: Session) -> None:
    user = make_user()
    there, token = opened(user), make_token(user)
    with transaction(CLI):
        users.set_active(user, False)
        users.set_active(user, False)
    assert alive(there) == [False]
    assert tokens.whose(token) is None
    with transaction(CLI):
        users.set_active(user, True)
    assert alive(there) == [False]
    assert [action for action in actions_of(user) if "abled" in action] == ["user.disabled", "user.enabled"]


def test_a_changed_role_ends_all_sessions_and_an_unchanged_one_none(session: Session) -> None:
    user = make_user(role="instructor")
    there = opened(user)
    with transaction(CLI):
        users.set_role(user, "instructor")
    assert alive(there) == [True]
    with transaction(CLI):
        users.set_role(user, "support")
    assert alive(there) == [False]
    with pytest.raises(Invalid), transaction(CLI):
        users.set_role(user, "owner")
