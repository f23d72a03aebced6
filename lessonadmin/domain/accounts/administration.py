"""Accounts as an admin changes them for others: role, enabled or not, a new password, the end of bearer tokens.

An admin never changes the own account, and at least one admin always stays. The command line (`by` is None) stands above
the roles, but keeps an admin, too.
"""

import uuid

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.accounts import account_notices, sessions, tokens, users
from lessonadmin.domain.errors import Conflict, Forbidden, Missing
from lessonadmin.domain.models import User


def set_role(by: User | None, user_id: uuid.UUID, role: str) -> User:
    user = to_manage(by, user_id)
    if role != "admin":
        keep_an_admin(user)
    users.set_role(user, role)
    return user


def set_active(by: User | None, user_id: uuid.UUID, active: bool) -> User:
    """Disabling ends every session and bearer token of theirs at once; enabling brings none back."""
    user = to_manage(by, user_id)
    if not active:
        keep_an_admin(user)
    users.set_active(user, active)
    return user


def reset_password(by: User | None, user_id: uuid.UUID) -> tuple[User, str]:
    """A new password, readable this once; every session and bearer token of theirs ends."""
    user = to_manage(by, user_id)
    return user, users.reset_password(user)


def rename(by: User | None, user_id: uuid.UUID, name: str) -> User:
    """Another name for another person, who is told."""
    user = to_manage(by, user_id)
    if users.rename(user, name):
        account_notices.renamed(user)
    return user


def set_email(by: User | None, user_id: uuid.UUID, email: str) -> User:
    """Another address for another person, at once; both addresses are told."""
    user = to_manage(by, user_id)
    if user.email != email.strip():
        users.set_email(user, email)
    return user


def end_sessions(by: User | None, user_id: uuid.UUID) -> int:
    """Sign them out everywhere; how many sessions that were."""
    user = to_manage(by, user_id)
    ended = sessions.end_all(user)
    if ended:
        account_notices.sessions_ended(user, ended)
    return ended


def revoke_token(by: User, user_id: uuid.UUID, token_id: uuid.UUID) -> None:
    """One bearer token of theirs."""
    user = to_manage(by, user_id)
    if not tokens.revoke(user, token_id):
        raise Missing
    account_notices.tokens_revoked(user, 1)


def revoke_tokens(by: User | None, user_id: uuid.UUID) -> int:
    """All bearer tokens of theirs; how many there were."""
    user = to_manage(by, user_id)
    ended = tokens.end_all(user, because="all revoked")
    if ended:
        account_notices.tokens_revoked(user, ended)
    return ended


def to_manage(by: User | None, user_id: uuid.UUID) -> User:
    """The account of another user, held until this transaction ends, for an admin who is one still."""
    if by is not None and by.role != "admin":
        raise Forbidden("forbidden", "Only admins manage accounts.")
    if by is not None and by.id == user_id:
        raise Conflict("own_account", "This is your own account; another admin has to do that.")
    # Every admin is locked in one order, so that two admins cannot take the right from each other at the same moment.
    # Rows that only name an account (a notice, a lesson) may still be written by a transaction that holds a lesson.
    db.session.execute(
        select(User.id).where(User.role == "admin").order_by(User.id).with_for_update(key_share=True)
    )
    if by is not None:
        db.session.refresh(by)
        if by.role != "admin" or not by.active:
            raise Forbidden("forbidden", "Only admins manage accounts.")
    user = db.session.get(User, user_id, populate_existing=True, with_for_update={"key_share": True})
    if user is None or user.is_deleted:
        raise Missing
    return user


def keep_an_admin(user: User) -> None:
    """Refuse what would leave the school without one."""
    others = select(User.id).where(User.role == "admin", User.active, User.id != user.id).limit(1)
    if user.role == "admin" and db.session.scalar(others) is None:
        raise Conflict("last_admin", "This is the last admin; make another account an admin first.")
