"""Signing in: tries, their limit, and what a right one opens.

Ten wrong tries in five minutes, for an account and for an address, are remembered in PostgreSQL. A try is counted
before its password is looked at, so a hundred at once get no further than ten. Unknown, wrong and disabled are the
same answer in the same time.
"""

import uuid
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, text, update
from werkzeug.security import check_password_hash

from lessonadmin.db import db, new_id
from lessonadmin.domain import journal, sessions
from lessonadmin.domain.errors import Invalid, TooMany
from lessonadmin.domain.models import SignInFailure, User

WRONG_TRIES = 10
WRONG_WINDOW = timedelta(minutes=5)
# A try whose password is being looked at carries a time this far ahead; if its process dies, it ages into a wrong one.
UNDECIDED = timedelta(seconds=20)
LONGEST_KEY = 250
LONGEST_PASSWORD = 200
# The scrypt hash of a random text that nobody kept: what an unknown address is compared with.
NOBODY_HASH = (
    "scrypt:32768:8:1$O9hwl38OsoniQ1Ee$"
    "115e84435c277ee7f68669abc4c3887226e0e3d5accf671d5e8cce2ccfd31bfa"
    "de3cc3081dee4b6e8c43d55400b28eed217b4eced41b8bab9c9da9866eccc9fc"
)


class WrongCredentials(Invalid):
    def __init__(self) -> None:
        super().__init__("wrong_credentials", "The e-mail address or the password is not right.")


class Busy(Exception):
    """Ten tries are being looked at right now: whether this one is too many is known in a moment."""


def begin_try(*, email: str, address: str) -> uuid.UUID:
    """Count this try as wrong until it has proved right. TooMany after ten; Busy while others are undecided."""
    key = _key(email)
    _one_at_a_time(f"email:{key}", f"address:{address}")
    for column, value in ((SignInFailure.email, key), (SignInFailure.address, address)):
        now = func.clock_timestamp()
        wrong, undecided = db.session.execute(
            select(
                func.count().filter(SignInFailure.at <= now),
                func.count().filter(SignInFailure.at > now),
            ).where(column == value, SignInFailure.at > now - WRONG_WINDOW)
        ).one()
        if wrong >= WRONG_TRIES:
            raise TooMany(
                "Too many wrong tries. Please wait five minutes and try again.",
                retry_after=int(WRONG_WINDOW.total_seconds()),
            )
        if wrong + undecided >= WRONG_TRIES:
            raise Busy
    try_id = new_id()
    db.session.execute(
        insert(SignInFailure).values(
            id=try_id, email=key, address=address, at=func.clock_timestamp() + UNDECIDED
        )
    )
    return try_id


def _key(email: str) -> str:
    return email.strip().lower()[:LONGEST_KEY]


def _one_at_a_time(*names: str) -> None:
    # In one order for everybody, so that two tries never wait for each other.
    for name in sorted(names):
        db.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def prove(*, email: str, password: str) -> User | None:
    """The account that this address and password open. Takes as long for every other outcome."""
    user = db.session.scalar(select(User).where(func.lower(User.email) == _key(email)))
    known = user.password_hash if user is not None and user.password_hash else NOBODY_HASH
    right = check_password_hash(known, password[:LONGEST_PASSWORD])
    if user is None or not right or not user.active or user.password_hash is None:
        return None
    return user


def fail(try_id: uuid.UUID) -> None:
    """The try was wrong: from now on it counts for five minutes."""
    db.session.execute(
        update(SignInFailure).where(SignInFailure.id == try_id).values(at=func.clock_timestamp())
    )


def forgive(try_id: uuid.UUID) -> None:
    """The try was right: it never counts."""
    db.session.execute(delete(SignInFailure).where(SignInFailure.id == try_id))


def open_session(user: User, *, address: str, user_agent: str, replaces: uuid.UUID | None = None) -> str:
    """Sign this browser in: the secret of its new session. The session that it had before ends."""
    if replaces is not None:
        sessions.end(replaces)
    secret = sessions.begin(user, address=address, user_agent=user_agent)
    journal.record("user.signed_in", user, address=address)
    return secret
