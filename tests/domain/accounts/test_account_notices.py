"""Notices about an account: each says what was changed and by whom, also when that is no user."""

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, JOB, Actor, db, transaction
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.models import Notification, User
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("session")


def told(user: User) -> tuple[str, str]:
    """Kind and words of the only notice that there is."""
    return tuple(  # type: ignore[return-value]  # two columns, two texts
        db.session.execute(
            select(Notification.kind, Notification.message).where(Notification.user_id == user.id)
        ).one()
    )


@pytest.mark.parametrize(
    ("tell", "words"),
    [
        (account_notices.password_reset, "An administrator gave your account a new, temporary password."),
        (account_notices.password_changed, "Your password was changed."),
        (
            lambda user: account_notices.role_changed(user, before="support", after="student"),
            "An administrator changed your role from support to student.",
        ),
        (account_notices.state_changed, "An administrator enabled your account."),
        (
            lambda user: account_notices.tokens_revoked(user, 1),
            "An administrator revoked an API token of yours. Scripts that use it are refused.",
        ),
        (
            lambda user: account_notices.tokens_revoked(user, 3),
            "An administrator revoked 3 API tokens of yours. Scripts that use them are refused.",
        ),
    ],
    ids=["reset", "password", "role", "enabled", "a token", "tokens"],
)
def test_each_says_what_was_changed(tell: Callable[[User], None], words: str) -> None:
    user = make_user()
    with transaction(CLI):
        tell(user)
    kind, message = told(user)
    assert kind == "account"
    assert message.startswith(words)


def test_a_disabled_account_is_told_that_it_is_disabled() -> None:
    user = make_user(active=False)
    with transaction(CLI):
        account_notices.state_changed(user)
    assert told(user)[1] == "An administrator disabled your account."


@pytest.mark.parametrize(
    ("name", "words"),
    [("Ada Lovelace", "Ada Lovelace (ada@school.example)"), ("", "ada@school.example")],
)
def test_the_user_who_did_it_is_named(name: str, words: str) -> None:
    author, user = make_user(role="admin", email="ada@school.example", name=name), make_user()
    with transaction(Actor.user(author.id)):
        account_notices.state_changed(user)
    assert told(user)[1] == f"{words} enabled your account."


@pytest.mark.parametrize("by", [CLI, JOB, Actor("user"), Actor.user(uuid.uuid4())])
def test_who_is_no_user_is_an_administrator(by: Actor) -> None:
    user = make_user()
    with transaction(by):
        account_notices.state_changed(user)
    assert told(user)[1].startswith("An administrator ")


def test_a_notice_changes_nothing_of_the_account(session: Session) -> None:
    user = make_user()
    before = user.updated_at
    with transaction(CLI):
        account_notices.password_reset(user)
        assert not session.dirty
    session.refresh(user)
    assert (user.updated_at, user.must_change_password) == (before, False)
