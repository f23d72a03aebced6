"""Notices about an account: each says what was changed and by whom, also when that is no user."""

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, JOB, Actor, db, transaction
from lessonadmin.domain.account_life import forgotten_password
from lessonadmin.domain.accounts import (
    account_notices,
    administration,
    known_browsers,
    people,
    sessions,
    tokens,
    users,
)
from lessonadmin.domain.models import Notification, User
from tests.factories import PASSWORD, make_user
from tests.settings import overridden

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


@pytest.mark.parametrize("by", [CLI, JOB, Actor.user(uuid.uuid4())])
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


def _role(admin: User, user: User) -> None:
    administration.set_role(admin, user.id, "student")


def _disable(admin: User, user: User) -> None:
    administration.set_active(admin, user.id, False)


def _enable(admin: User, user: User) -> None:
    user.active = False
    administration.set_active(admin, user.id, True)


def _own_password(_: User, user: User) -> None:
    users.change_password(user, old=PASSWORD, new="bread and butter on Sundays", keep=None)


def _revoke_one(admin: User, user: User) -> None:
    administration.revoke_token(admin, user.id, tokens.live(user)[0].id)


# Every change of the access to an account -> words of what its owner is told. A change that is added is added here.
CHANGES: dict[str, tuple[Callable[[User, User], object], str]] = {
    "another role": (_role, "changed your role from instructor to student"),
    "disabled": (_disable, "disabled your account"),
    "enabled": (_enable, "enabled your account"),
    "a temporary password": (lambda a, u: administration.reset_password(a, u.id), "new, temporary password"),
    "a link for a new password": (forgotten_password.make_link, "a link by which a new password can be set"),
    "a new password by a link": (
        lambda _, u: users.set_password_by_link(u, "bread and butter on Sundays"),
        "A new password was set",
    ),
    "the own password": (_own_password, "Your password was changed"),
    "a token": (lambda _, u: tokens.create(u, name="nightly"), "An API token (“nightly”) was created"),
    "a token revoked": (_revoke_one, "revoked an API token of yours"),
    "all tokens revoked": (
        lambda a, u: administration.revoke_tokens(a, u.id),
        "revoked 2 API tokens of yours",
    ),
    "an address asked for": (
        lambda _, u: account_notices.email_change_asked(u, new="new@home.example"),
        "is to become new@home.example",
    ),
    "another address": (
        lambda a, u: administration.set_email(a, u.id, "new@home.example"),
        "new@home.example",
    ),
    "another name": (
        lambda a, u: administration.rename(a, u.id, "Zoe"),
        "changed the name of your account to Zoe",
    ),
    "one session ended by staff": (lambda a, u: people.end_sessions(a, u.id), "ended one of your sessions"),
    "all sessions ended by an admin": (
        lambda a, u: administration.end_sessions(a, u.id),
        "ended one of your sessions",
    ),
    "a browser that is new": (
        lambda _, u: known_browsers.remember(u, "three", address="203.0.113.9", user_agent="Firefox/130"),
        "from a browser that it was not used in before",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_access_tells_the_owner_in_the_app_and_by_mail(change: str) -> None:
    act, words = CHANGES[change]
    admin, user = make_user(role="admin"), make_user()
    with overridden(mail_url="smtp://127.0.0.1:1"):
        with transaction(CLI):
            tokens.create(user)
            tokens.create(user)
            sessions.begin(user, address="", user_agent="")
            known_browsers.remember(user, "one", address="192.0.2.1", user_agent="")
        db.session.execute(delete(Notification))
        db.session.commit()
        with transaction(Actor.user(admin.id)):
            act(admin, user)
    rows = db.session.scalars(select(Notification).where(Notification.user_id == user.id)).all()
    assert any(words in row.message for row in rows), [row.message for row in rows]
    assert all(row.mail_wanted and row.kind == "account" for row in rows)
    assert not db.session.scalar(select(Notification.id).where(Notification.user_id == admin.id))


def test_what_users_do_about_their_own_sessions_is_not_told_to_them() -> None:
    user = make_user()
    with transaction(Actor.user(user.id)):
        sessions.begin(user, address="", user_agent="")
        sessions.end_all(user)
        users.rename(user, "Zoe")
    assert db.session.scalar(select(Notification.id)) is None


def test_a_mail_elsewhere_forgets_the_address_when_there_is_no_mail() -> None:
    user = make_user()
    with transaction(CLI):
        account_notices.deleted(user, email="gone@school.example")
    assert db.session.scalar(select(Notification.id)) is None
    with transaction(CLI):
        account_notices.email_changed(user, before="gone@school.example")
    assert set(db.session.scalars(select(Notification.mail_to))) == {None}
