"""Recovery codes: ten for an account, each opens once what a lost phone would have opened. Stored as hashes only.

A code has 79 random bits, so a fast hash is enough. Of two requests with the same code one wins.
"""

import hashlib
import re
import secrets
import uuid

from sqlalchemy import delete, func, update

from lessonadmin.db import db
from lessonadmin.domain.models import RecoveryCode, User

COUNT = 10
GROUPS, LETTERS = 4, 4
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # none that look alike


def make(user: User) -> list[str]:
    """Ten new ones, readable this once; the former ones open nothing any more."""
    remove(user)
    codes = [_made_up() for _ in range(COUNT)]
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=_hashed(user.id, code)) for code in codes)
    db.session.flush()
    return codes


def takes(user: User, code: str) -> bool:
    """Is this a code of theirs that was not used yet? It is used now."""
    used = db.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == _hashed(user.id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=func.clock_timestamp())
        .returning(RecoveryCode.id)
    )
    return used.first() is not None


def remove(user: User) -> None:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def _made_up() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)) for _ in range(GROUPS))


def _hashed(user_id: uuid.UUID, code: str) -> str:
    """However it was typed: capitals, gaps and hyphens do not count."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(f"{user_id}:{plain}".encode("utf-8", "surrogatepass")).hexdigest()
