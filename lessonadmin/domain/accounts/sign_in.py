"""Signing in by a password: tries, their limit, and whose password it is. What a right one opens, `second_factor.entrance` says.

Ten wrong tries in five minutes, for an account and for an address, are remembered in PostgreSQL. A browser in which the
account signed in before has ten of its own, so that strangers cannot keep it out; they count for the account, too. Wherever a password is
typed, `counted_try` counts the try before the password is looked at, in a transaction of its own: a hundred at once get
no further than ten, and nothing that goes wrong later takes a try back. Unknown, wrong and disabled are the same answer
in the same time.
"""

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, text, update

from lessonadmin import config
from lessonadmin.db import UNKNOWN_USER, Actor, db, new_id, transaction, transaction_time
from lessonadmin.domain.accounts import known_browsers, passwords, users
from lessonadmin.domain.errors import Invalid, TooMany
from lessonadmin.domain.models import SignInFailure, User
from lessonadmin.security import security_events
from lessonadmin.security.addresses import limit_key

WRONG_TRIES = 10
WRONG_WINDOW = timedelta(minutes=5)
# A try whose password is being looked at carries a time this far ahead; if its process dies, it ages into a wrong one.
UNDECIDED = timedelta(seconds=20)
MAX_EMAIL_LENGTH = 250
MAX_WAIT_SECONDS = 8.0  # for tries that are looked at right now
MAX_PROOFS = 3  # of a password that was changed meanwhile, if only to a new hash of the same
# What a wrong try is recorded as, by the type of the problem; any other is `sign_in_failed`.
EVENTS = {
    "temporary_password_ended": "temporary_password_ended",  # the name of a reason # nosec B105
    "wrong_code": "wrong_code",
    "passkey_refused": "passkey_refused",
}
OLD_HASH = text("users.password_hash LIKE 'scrypt:%'")  # as its index says it


Opened = TypeVar("Opened")


class WrongCredentials(Invalid):
    def __init__(self) -> None:
        super().__init__("wrong_credentials", "The e-mail address or the password is not right.")


class Overtaken(Exception):
    """The account's password or state became another while this one was looked at: it has to be looked at again."""


class Busy(Exception):
    """Ten tries are being looked at right now: whether this one is too many is known in a moment."""


@contextmanager
def counted_try(*, email: str, address: str, browser: str = "") -> Iterator[uuid.UUID]:
    """A try that counts as wrong unless the block forgives it; TooMany after too many. `browser` is the secret of its cookie."""
    try:
        try_id = _begin_when_known(email, address, browser)
    except TooMany:
        security_events.record("locked_out", email=email)
        raise
    try:
        yield try_id
    except BaseException as error:
        with transaction(UNKNOWN_USER):
            fail(try_id)
        if isinstance(error, Invalid):
            security_events.record(EVENTS.get(error.type, "sign_in_failed"), email=email)
        raise


def _begin_when_known(email: str, address: str, browser: str) -> uuid.UUID:
    """Wait for the tries that are undecided, for a while."""
    give_up = time.monotonic() + MAX_WAIT_SECONDS
    while True:
        try:
            with transaction(UNKNOWN_USER):
                return begin_try(email=email, address=address, browser=browser)
        except Busy:
            if time.monotonic() > give_up:
                raise TooMany("Too many tries at once. Please try again.", retry_after=5) from None
            time.sleep(0.1)


def begin_try(*, email: str, address: str, browser: str = "") -> uuid.UUID:
    """Count this try as wrong until it has proved right. TooMany after ten; Busy while others are undecided."""
    key = _hash_of(email)
    address = limit_key(address)
    _one_at_a_time(f"email:{key}", f"address:{address}")
    known = known_browsers.find(email=_typed(email), secret=browser) if browser else None
    own: tuple[Any, object] = (SignInFailure.email_hash, key)
    if known is not None:
        own = (SignInFailure.browser_id, known)
    for column, value in (own, (SignInFailure.address, address)):
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
            id=try_id,
            email_hash=key,
            address=address,
            browser_id=known,
            at=func.clock_timestamp() + UNDECIDED,
        )
    )
    return try_id


def _typed(email: str) -> str:
    return email.strip().lower()[:MAX_EMAIL_LENGTH]


def _hash_of(email: str) -> str:
    """What is remembered of an address that was typed. People type passwords there, so it cannot be read back."""
    key = config.current().secret_key.encode()
    return hmac.new(
        key, b"sign-in:" + _typed(email).encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()


def _one_at_a_time(*names: str) -> None:
    # In one order for all callers, so that two tries never wait for each other.
    for name in sorted(names):
        db.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


@dataclass(frozen=True)
class Proof:
    """An account whose password was typed rightly, and the hash that proved it; `better` takes its place."""

    user: User
    hash: str
    better: str | None


def prove(*, email: str, password: str) -> Proof | None:
    """The account that this address and password open. Takes as long for every other outcome."""
    user = db.session.scalar(select(User).where(func.lower(User.email) == _typed(email)))
    stored = user.password_hash if user is not None else None
    right = passwords.proves(stored, password)
    if user is None or stored is None or not right or not user.active:
        if _has_old_hashes():
            passwords.waste_the_time_of_the_other_kind(stored)
        return None
    return Proof(user, stored, passwords.hashed(password) if passwords.needs_rehash(stored) else None)


def _has_old_hashes() -> bool:
    return bool(db.session.scalar(select(exists().select_from(User).where(OLD_HASH))))


def fail(try_id: uuid.UUID) -> None:
    """The try was wrong: from now on it counts for five minutes."""
    db.session.execute(
        update(SignInFailure).where(SignInFailure.id == try_id).values(at=func.clock_timestamp())
    )


def forgive(try_id: uuid.UUID) -> None:
    """The try was right: it never counts."""
    db.session.execute(delete(SignInFailure).where(SignInFailure.id == try_id))


@dataclass(frozen=True)
class WrongTries:
    """Wrong tries for one account within the window."""

    count: int
    last: datetime | None

    @property
    def must_wait(self) -> bool:
        return self.count >= WRONG_TRIES


def wrong_tries(email: str) -> WrongTries:
    """How often a wrong password was typed for this address lately."""
    count, last = db.session.execute(
        select(func.count(), func.max(SignInFailure.at)).where(
            *_decided(email), SignInFailure.at > func.clock_timestamp() - WRONG_WINDOW
        )
    ).one()
    return WrongTries(count, last)


def forget_wrong_tries(email: str) -> int:
    """The next try for this address need not wait; how many were forgotten. Tries that are looked at right now stay."""
    gone = db.session.execute(delete(SignInFailure).where(*_decided(email)).returning(SignInFailure.id))
    return len(gone.all())


def _decided(email: str) -> tuple[ColumnElement[bool], ...]:
    return SignInFailure.email_hash == _hash_of(email), SignInFailure.at <= func.clock_timestamp()


def sign_in(
    *, email: str, password: str, address: str, then: Callable[[User], Opened], browser: str = ""
) -> Opened:
    """What `then` makes of the account that a password opens, in the transaction in which the password is still the right one.
    TooMany, or WrongCredentials, if it opens none. `browser` is the secret of its cookie."""
    with counted_try(email=email, address=address, browser=browser) as try_id:
        for _ in range(MAX_PROOFS):
            proof = prove(email=email, password=password)
            if proof is None:
                break
            try:
                with transaction(Actor.user(proof.user.id)):
                    forgive(try_id)
                    hold(proof)
                    return then(proof.user)
            except Overtaken:
                continue
        raise WrongCredentials


def hold(proof: Proof) -> None:
    """The account as it is now, unchanged by others until this transaction ends.

    The password was looked at a moment ago. If it was changed or the account disabled since, it opens nothing
    (Overtaken): a transaction that does that waits for this transaction and then ends its session, or is done and found here.
    """
    user, reading = proof.user, proof.better is None
    db.session.flush()
    db.session.refresh(user, with_for_update={"read": reading, "key_share": not reading})
    if not user.active or user.is_invited or user.password_hash != proof.hash:
        raise Overtaken
    if user.password_temporary_until is not None and user.password_temporary_until <= transaction_time():
        raise users.TemporaryPasswordEnded
    if proof.better is not None:
        user.password_hash = proof.better
        db.session.flush()
