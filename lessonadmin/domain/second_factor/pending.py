"""Sign-ins that wait for their second step: for five minutes, in one browser, for one account as it was at the first step.

A pending sign-in opens nothing but the page of the second step. It ends when it is used, after five answers, and when the
account's password, role or factors change meanwhile.
"""

import hashlib
import secrets
import uuid
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, func, select, update

from lessonadmin.db import db
from lessonadmin.domain.accounts.sessions import hashed
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import PendingSignIn, User
from lessonadmin.domain.models.accounts import SignInWay

LIFE = timedelta(minutes=5)
MAX_ANSWERS = 5


class Ended(Problem):
    """There is no such pending sign-in any more: the first step has to be made again."""

    def __init__(self) -> None:
        super().__init__(
            "sign_in_ended",
            "That took too long, or your account was changed meanwhile. Please sign in again.",
        )


def begin(user: User, *, way: SignInWay) -> str:
    """A new one for an account whose row is held; its secret can be read this once."""
    secret = secrets.token_urlsafe(32)
    row = PendingSignIn(user_id=user.id, secret_hash=hashed(secret), way=way, account_state=_state_of(user))
    db.session.add(row)
    db.session.flush()
    return secret


def whose(secret: str) -> User:
    """The account that waits; Ended if none does."""
    waiting = select(User).join(PendingSignIn, PendingSignIn.user_id == User.id)
    user = db.session.scalar(waiting.where(*_alive(secret), _may_answer(), User.active))
    if user is None:
        raise Ended
    return user


def count_answer(secret: str) -> int:
    """One answer more, before it is looked at: of many at once no more than five are. Which one it is; Ended after five."""
    counted = update(PendingSignIn).where(*_alive(secret), _may_answer())
    number: int | None = db.session.scalar(
        counted.values(answers=PendingSignIn.answers + 1).returning(PendingSignIn.answers)
    )
    if number is None:
        raise Ended
    return number


def take(secret: str) -> tuple[User, SignInWay]:
    """Use it up, with the account held as it is now. Ended if another request was first, or the account is not what it was."""
    user_id = db.session.scalar(select(PendingSignIn.user_id).where(*_alive(secret)))
    # the account first, as everything that changes its factors does: the two never wait for each other
    user = user_id and db.session.get(User, user_id, populate_existing=True, with_for_update={"read": True})
    gone = db.session.execute(
        delete(PendingSignIn).where(*_alive(secret)).returning(PendingSignIn.way, PendingSignIn.account_state)
    ).first()
    if not user or gone is None or not user.active or _state_of(user) != gone.account_state:
        raise Ended
    return user, gone.way


def give_up(secret: str) -> None:
    """Its user wants to begin anew."""
    db.session.execute(delete(PendingSignIn).where(PendingSignIn.secret_hash == hashed(secret)))


def end_all(user_id: uuid.UUID) -> None:
    """Every one of this account: its factors change."""
    db.session.execute(delete(PendingSignIn).where(PendingSignIn.user_id == user_id))


def _alive(secret: str) -> tuple[ColumnElement[bool], ...]:
    return (
        PendingSignIn.secret_hash == hashed(secret),
        PendingSignIn.created_at > func.clock_timestamp() - LIFE,
    )


def _may_answer() -> ColumnElement[bool]:
    return PendingSignIn.answers < MAX_ANSWERS


def _state_of(user: User) -> str:
    """What must not change between the two steps."""
    return hashlib.sha256(f"{user.password_hash}|{user.role}".encode()).hexdigest()
