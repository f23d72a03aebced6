"""Challenges for passkeys and for single sign-on: random, kept here, for one browser, one purpose, and one answer within minutes.

A challenge is used up by the first answer to it, right or wrong. Anyone may ask for one, so an address has a hundred at most.
"""

import secrets
import uuid
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, func, select

from lessonadmin.db import db
from lessonadmin.domain.accounts.sessions import hashed
from lessonadmin.domain.errors import TooMany
from lessonadmin.domain.models import PasskeyChallenge
from lessonadmin.security.addresses import limit_key

Purpose = Literal["sign_in", "second_step", "add", "single_sign_on"]
LIFE = timedelta(minutes=5)
LIFE_ELSEWHERE = timedelta(minutes=15)  # at a provider people may have to find their phone first
MAX_OPEN = 100
BYTES = 32


def begin(purpose: Purpose, *, address: str, user_id: uuid.UUID | None = None) -> tuple[str, bytes]:
    """A new one: the secret for the browser's cookie, and what is to be signed."""
    key = limit_key(address)
    open_ones = select(func.count()).where(
        PasskeyChallenge.address == key, PasskeyChallenge.created_at > func.clock_timestamp() - LIFE
    )
    if (db.session.scalar(open_ones) or 0) >= MAX_OPEN:
        raise TooMany(
            "Too many tries to sign in. Please wait five minutes.", retry_after=int(LIFE.total_seconds())
        )
    secret, challenge = secrets.token_urlsafe(32), secrets.token_bytes(BYTES)
    row = PasskeyChallenge(
        secret_hash=hashed(secret), challenge=challenge, purpose=purpose, user_id=user_id, address=key
    )
    db.session.add(row)
    db.session.flush()
    return secret, challenge


def take(secret: str, purpose: Purpose, *, user_id: uuid.UUID | None = None) -> bytes | None:
    """What had to be signed; it is used up. None if it is unknown, too old, or was made for something else."""
    life = LIFE_ELSEWHERE if purpose == "single_sign_on" else LIFE
    gone = db.session.execute(
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.secret_hash == hashed(secret),
            PasskeyChallenge.purpose == purpose,
            PasskeyChallenge.user_id.is_not_distinct_from(user_id),
            PasskeyChallenge.created_at > func.clock_timestamp() - life,
        )
        .returning(PasskeyChallenge.challenge)
    ).first()
    return None if gone is None else gone[0]
