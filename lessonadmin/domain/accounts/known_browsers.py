"""Browsers in which an account signed in before: strangers who guess cannot keep them out, and a new one is told of.

A browser keeps a random text in a cookie, this table its hash beside the account. Such a row proves nothing and opens
nothing: it only decides in which bucket a wrong password counts, and whether a sign-in is worth a notice.
"""

import hashlib
import uuid
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db, new_id
from lessonadmin.domain.accounts import account_notices
from lessonadmin.domain.models import KnownBrowser, User
from lessonadmin.security.addresses import limit_key
from lessonadmin.text.user_agents import browser

LIFE = timedelta(days=90)


def _hashed(secret: str) -> str:
    return hashlib.sha256(b"browser:" + secret.encode("utf-8", "surrogatepass")).hexdigest()


def find(*, email: str, secret: str) -> uuid.UUID | None:
    """The row of this browser, if the account that this address names signed in there within 90 days."""
    return db.session.scalar(
        select(KnownBrowser.id)
        .join(User, User.id == KnownBrowser.user_id)
        .where(
            func.lower(User.email) == email,
            KnownBrowser.secret_hash == _hashed(secret),
            KnownBrowser.last_used_at > func.clock_timestamp() - LIFE,
        )
    )


def remember(user: User, secret: str, *, address: str, user_agent: str) -> None:
    """The account signs in here now. The user is told if it never did before, unless it is the first browser of all.

    A browser that lost its cookie and is otherwise the same, from the same network, is none that is worth a notice.
    """
    name, network = browser(user_agent), limit_key(address)
    first, seen = _others(user, secret, name=name, network=network)
    row = {
        "user_agent": user_agent[:300],
        "network": network,
        "last_used_at": func.clock_timestamp(),
    }
    known = (
        insert(KnownBrowser)
        .values(id=new_id(), user_id=user.id, secret_hash=_hashed(secret), **row)
        .on_conflict_do_update(index_elements=["user_id", "secret_hash"], set_=row)
    )
    db.session.execute(known)
    if not first and not seen:
        account_notices.new_browser(user, browser=name, address=address)


def _others(user: User, secret: str, *, name: str, network: str) -> tuple[bool, bool]:
    """Did the account never sign in anywhere? Is this one of its browsers?"""
    recent = (KnownBrowser.last_used_at > func.clock_timestamp() - LIFE).label("recent")
    rows = db.session.execute(
        select(KnownBrowser.secret_hash, KnownBrowser.user_agent, KnownBrowser.network, recent).where(
            KnownBrowser.user_id == user.id
        )
    ).all()
    mine = _hashed(secret)
    seen = any(
        row.recent and (row.secret_hash == mine or (browser(row.user_agent), row.network) == (name, network))
        for row in rows
    )
    return not rows, seen
