"""Deletion of an account: what names the person is removed at once and for good, what must stay leads to no person.

The row stays, without address, name, password and search words, since purchases, audit rows, notes and uploads lead to it; it
reads “Deleted account” everywhere. Lessons and courses are transferred before, and the last admin stays. Audit rows are never
changed: since they name accounts by id, they lead to that row.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, delete, func

from lessonadmin.db import Actor, Base, db, transaction
from lessonadmin.domain.accounts import (
    account_notices,
    handover,
    own_account,
    passwords,
    sessions,
    sign_in,
    tokens,
    users,
)
from lessonadmin.domain.accounts.administration import keep_an_admin, to_manage
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid
from lessonadmin.domain.models import User
from lessonadmin.domain.videos import withdrawal

NAME = "Deleted account"
WORD = "delete"  # typed to confirm
THEIR_OWN = ("student", "instructor")  # roles that delete their own account; staff ask an admin


@dataclass(frozen=True)
class Obstacle:
    """What has to be transferred first."""

    lessons: int
    courses: int


def _owned() -> list[Column[Any]]:
    """Of every table whose rows would go with the row of a user: sessions, tokens, notices, second steps and the like."""
    return [
        key.parent
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column is User.__table__.c.id and key.ondelete == "CASCADE"
    ]


def obstacle(user: User) -> Obstacle | None:
    found = handover.preview(user.id)
    return Obstacle(found.lessons, found.courses) if found.lessons or found.courses else None


def delete_own(user: User, *, password: str, typed: str, address: str, browser: str = "") -> None:
    """By the person, with the present password and the typed word."""
    if user.role not in THEIR_OWN:
        raise Forbidden("forbidden", "An administrator deletes the accounts of staff.")
    if typed.strip().lower() != WORD:
        raise Invalid.field("typed", f"Type “{WORD}” to confirm.")
    _check_content(user)
    with own_account.proving(user, address, browser) as try_id, transaction(Actor.user(user.id)):
        users.lock(user)
        if not passwords.proves(user.password_hash, password):
            raise Invalid.field("password", "This is not your current password.")
        _delete(user)
        sign_in.forgive(try_id)


def delete_other(by: User | None, user_id: uuid.UUID) -> User:
    """By an admin, for anyone but themselves and the last admin; by the command line for anyone but the last admin."""
    user = to_manage(by, user_id)
    keep_an_admin(user)
    users.lock(user)
    _delete(user)
    return user


def _check_content(user: User) -> None:
    found = obstacle(user)
    if found is not None:
        parts = [
            f"{count} {word}{'' if count == 1 else 's'}"
            for count, word in ((found.lessons, "lesson"), (found.courses, "course"))
            if count
        ]
        raise Conflict(
            "has_content",
            f"This account has {' and '.join(parts)}. Transfer them to another instructor first.",
        )


def _delete(user: User) -> None:
    """Under the lock of the account, which a lesson that is being made for it needs, too."""
    _check_content(user)
    email = user.email
    user.active = False
    db.session.flush()  # first, so that a session that is being opened is there to be ended
    sessions.end_all(user)
    tokens.end_all(user, because="account deleted")
    withdrawal.withdraw_uploads_of(user, why="the account was deleted")
    for column in _owned():
        db.session.execute(delete(column.table).where(column == user.id))
    sign_in.forget_wrong_tries(email)
    user.email, user.name = f"deleted-{user.id}@deleted.invalid", NAME
    user.password_hash = user.password_temporary_until = user.invited_at = None
    user.mail_notices, user.muted_notices = False, []
    user.deleted_at = func.clock_timestamp()
    db.session.flush()
    audit_log.record("user.deleted", user)
    account_notices.deleted(user, email=email)
