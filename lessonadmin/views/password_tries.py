"""Every place where a password is typed goes through here, so that tries are counted the same everywhere.

A try is written down before the password is looked at and judged in a transaction of its own: nothing that goes
wrong later takes it back.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from lessonadmin import security_events
from lessonadmin.db import Actor, transaction
from lessonadmin.domain import people, sign_in
from lessonadmin.domain.errors import Invalid, TooMany

ANYONE = Actor("user")  # who it is remains to be proved
PATIENCE_SECONDS = 8.0


@contextmanager
def counted(*, email: str, address: str) -> Iterator[uuid.UUID]:
    """A try that counts as wrong unless the block forgives it; TooMany after too many."""
    try:
        try_id = _begin(email, address)
    except TooMany:
        security_events.record("locked_out", email=email)
        raise
    try:
        yield try_id
    except BaseException as error:
        with transaction(ANYONE):
            sign_in.fail(try_id)
        if isinstance(error, Invalid):
            over = isinstance(error, people.TemporaryPasswordEnded)
            security_events.record("temporary_password_ended" if over else "sign_in_failed", email=email)
        raise


def _begin(email: str, address: str) -> uuid.UUID:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with transaction(ANYONE):
                return sign_in.begin_try(email=email, address=address)
        except sign_in.Busy:
            if time.monotonic() > give_up:
                raise TooMany("Too many tries at once. Please try again.", retry_after=5) from None
            time.sleep(0.1)
