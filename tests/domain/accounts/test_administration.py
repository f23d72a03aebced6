"""Accounts in the hands of admins: never the own one, never the last admin, and only by those who are admins now."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.accounts import administration, passwords, tokens
from lessonadmin.domain.errors import Conflict, Forbidden, Missing
from lessonadmin.domain.models import AuditLog, Notification, User
from lessonadmin.domain.models.accounts import ROLES
from tests.blocked import wait_until_waited_for
from tests.factories import make_token, make_user

pytestmark = pytest.mark.usefixtures("session")
Change = Callable[[User, uuid.UUID], Any]
CHANGES: dict[str, Change] = {
    "role": lambda by, user_id: administration.set_role(by, user_id, "student"),
    "disable": lambda by, user_id: administration.set_active(by, user_id, False),
    "password": administration.reset_password,
    "one token": lambda by, user_id: administration.revoke_token(by, user_id, uuid.uuid4()),
    "all tokens": administration.revoke_tokens,
}
TAKES_AN_ADMIN: dict[str, Callable[[User | None, uuid.UUID], User]] = {
    "role": lambda by, user_id: administration.set_role(by, user_id, "support"),
    "disable": lambda by, user_id: administration.set_active(by, user_id, False),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
each_that_takes_an_admin = pytest.mark.parametrize("take", TAKES_AN_ADMIN.values(), ids=TAKES_AN_ADMIN)


def nothing_is_written() -> bool:
    return db.session.scalar(select(func.count()).select_from(AuditLog)) == 0


def now(user: User) -> User:
    db.session.rollback()
    return db.session.get_one(User, user.id, populate_existing=True)


@each_change
def test_an_admin_never_changes_the_own_account(change: Change) -> None:
    me = make_user(role="admin")
    make_user(role="admin")
    with pytest.raises(Conflict) as refusal, transaction(Actor.user(me.id)):
        change(me, me.id)
    assert refusal.value.type == "own_account"
    assert nothing_is_written()


@each_change
@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_only_admins_manage_accounts(role: str, change: Change) -> None:
    by, user = make_user(role=role), make_user()
    for user_id in (user.id, by.id, uuid.uuid4()):
        with pytest.raises(Forbidden), transaction(Actor.user(by.id)):
            change(by, user_id)
    assert nothing_is_written()


@each_change
@pytest.mark.parametrize("loss", [{"role": "support"}, {"active": False}], ids=["role", "disabled"])
def test_who_was_an_admin_a_moment_ago_is_none(loss: dict[str, Any], change: Change) -> None:
    """The admin that the request began with is read again under the lock."""
    by, user = make_user(role="admin"), make_user()
    elsewhere = update(User).where(User.id == by.id).values(loss)
    db.session.execute(elsewhere.execution_options(synchronize_session=False))
    db.session.commit()
    assert (by.role, by.active) == ("admin", True), "as it was read before"
    with pytest.raises(Forbidden), transaction(Actor.user(by.id)):
        change(by, user.id)
    assert nothing_is_written()


@each_change
def test_an_account_that_is_not_there_is_missing(change: Change) -> None:
    by = make_user(role="admin")
    with pytest.raises(Missing), transaction(Actor.user(by.id)):
        change(by, uuid.uuid4())


@each_that_takes_an_admin
def test_the_last_admin_stays_one_also_for_the_command_line(
    take: Callable[[User | None, uuid.UUID], User],
) -> None:
    last, other = make_user(role="admin"), make_user(role="admin", active=False)
    make_user(role="support")
    with pytest.raises(Conflict) as refusal, transaction(CLI):
        take(None, last.id)
    assert refusal.value.type == "last_admin"
    assert (now(last).role, now(last).active) == ("admin", True)
    with transaction(CLI):
        administration.set_active(None, other.id, True)
    with transaction(CLI):
        take(None, last.id)
    assert (now(last).role, now(last).active) != ("admin", True)


def test_the_last_admin_may_be_named_admin_and_enabled_again() -> None:
    last = make_user(role="admin")
    with transaction(CLI):
        administration.set_role(None, last.id, "admin")
        administration.set_active(None, last.id, True)
    assert nothing_is_written(), "it was so"


@each_that_takes_an_admin
def test_two_admins_cannot_take_the_right_from_each_other(
    app: Flask, take: Callable[[User | None, uuid.UUID], User]
) -> None:
    first, second = make_user(role="admin"), make_user(role="admin")
    outcome: list[str] = []

    def other() -> None:
        with app.app_context():
            try:
                with transaction(Actor.user(second.id)):
                    take(db.session.get_one(User, second.id), first.id)
                outcome.append("done")
            except Forbidden:
                outcome.append("refused")
            finally:
                db.session.remove()

    thread = threading.Thread(target=other)
    with transaction(Actor.user(first.id)):
        take(first, second.id)
        thread.start()
        wait_until_waited_for(db.session())
    thread.join(30)
    assert outcome == ["refused"]
    assert (now(first).role, now(first).active) == ("admin", True)


def test_a_new_password_opens_the_account_and_has_to_be_changed() -> None:
    by, user = make_user(role="admin"), make_user()
    token = make_token(user)
    with transaction(Actor.user(by.id)):
        found, password = administration.reset_password(by, user.id)
    assert found.id == user.id
    assert passwords.proves(now(user).password_hash, password)
    assert now(user).must_change_password
    assert tokens.whose(token) is None


def test_one_token_is_revoked_and_its_owner_is_told() -> None:
    by, user = make_user(role="admin"), make_user()
    kept, lost = make_token(user), make_token(user)
    token_id = tokens.live(user)[0].id
    with transaction(Actor.user(by.id)):
        administration.revoke_token(by, user.id, token_id)
    assert (tokens.whose(lost), tokens.whose(kept) is None) == (None, False)
    told = db.session.scalars(
        select(Notification.message).where(Notification.message.contains(" revoked "))
    ).one()
    assert "revoked an API token of yours" in told


def test_a_token_of_another_account_or_one_that_ended_is_missing() -> None:
    by, user, other = make_user(role="admin"), make_user(), make_user()
    token = make_token(other)
    token_id = tokens.live(other)[0].id
    with pytest.raises(Missing), transaction(Actor.user(by.id)):
        administration.revoke_token(by, user.id, token_id)
    assert tokens.whose(token) is not None
    with transaction(Actor.user(by.id)):
        administration.revoke_token(by, other.id, token_id)
    with pytest.raises(Missing), transaction(Actor.user(by.id)):
        administration.revoke_token(by, other.id, token_id)
    assert (
        len(db.session.scalars(select(Notification).where(Notification.message.contains(" revoked "))).all())
        == 1
    )


@pytest.mark.parametrize("count", [0, 2])
def test_all_tokens_are_revoked_and_counted_and_none_is_no_notice(count: int) -> None:
    by, user = make_user(role="admin"), make_user()
    made = [make_token(user) for _ in range(count)]
    kept = make_token(make_user())
    with transaction(Actor.user(by.id)):
        assert administration.revoke_tokens(by, user.id) == count
    assert [tokens.whose(token) for token in made] == [None] * count
    assert tokens.whose(kept) is not None
    told = db.session.scalars(select(Notification).where(Notification.message.contains(" revoked "))).all()
    assert len(told) == (1 if count else 0)
