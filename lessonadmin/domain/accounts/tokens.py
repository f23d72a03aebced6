"""Bearer tokens: making them, whose one is, their list and their end. Secrets are stored as hashes only.

A token never tells its secret again and never comes back once it is revoked. Which addresses take one is decided in
`auth`. Making and ending them holds the row of the account, so a token that is made at the moment of a reset is either
seen by it and ended, or made after it, by a user who knows the new password.
"""

import secrets
import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from sqlalchemy import Select, func, select, update

from lessonadmin.db import after_commit, db
from lessonadmin.domain.accounts import account_notices, passwords, rate_limits
from lessonadmin.domain.accounts.sessions import SEEN_STEP, hashed
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import ApiToken, User
from lessonadmin.domain.models.accounts import TOKEN_SCOPES, TokenScope
from lessonadmin.security import security_events
from lessonadmin.text.texts import one_line

SCOPES = TOKEN_SCOPES
MAX_NAME_LENGTH = 80
MAX_LIVE = 20
ENDS_SOON = timedelta(days=14)
Because = Literal[
    "password changed", "password reset", "role changed", "account disabled", "signed out everywhere",
    "second factor reset", "revoked", "all revoked", "account deleted",
]  # fmt: skip


class Expired(Exception):
    """The secret was right, and its date is over. Only who has the secret hears this."""


def check_request(user: User, *, name: str, scope: str) -> tuple[str, TokenScope]:
    """What can be checked of a new token before the user proves who they are."""
    name = one_line(name)
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid.field("name", f"Use at most {MAX_NAME_LENGTH} characters for the name.")
    if scope not in SCOPES:
        raise Invalid.field("scope", "Choose one of: " + ", ".join(SCOPES) + ".")
    if len(live(user)) >= MAX_LIVE:
        raise Conflict(
            "too_many_tokens",
            f"There are {MAX_LIVE} tokens, which is the most. Revoke one that is not used.",
        )
    return name, scope


def create(user: User, *, name: str = "", scope: str = "write") -> str:
    """A new token; this is the only time that it can be read."""
    _hold(user)
    if not user.active:
        raise Conflict(
            "account_disabled", f"The account {user.email} is disabled: a token would open nothing."
        )
    if user.is_invited:
        raise Conflict(
            "invitation_open", f"The invitation of {user.email} was not accepted: a token would open nothing."
        )
    name, known_scope = check_request(user, name=name, scope=scope)
    rate_limits.make("tokens", user.id)
    secret = secrets.token_urlsafe(32)
    token = ApiToken(user_id=user.id, name=name, scope=known_scope, secret_hash=hashed(secret))
    db.session.add(token)
    db.session.flush()
    audit_log.record("user.token_created", user, token_id=token.id, name=token.name, scope=token.scope)
    account_notices.token_created(user, name=token.name, scope=token.scope)
    return secret


def create_by_password(user: User, *, password: str, name: str, scope: str) -> str:
    """The same for a user at a browser, who proves with the present password that it is their own."""
    _hold(user)
    if not passwords.proves(user.password_hash, password):
        raise Invalid.field("password", "This is not your current password.")
    return create(user, name=name, scope=scope)


def _hold(user: User) -> None:
    """The account as it is now, unchanged by others until this transaction ends."""
    db.session.flush()
    db.session.get_one(User, user.id, populate_existing=True, with_for_update={"key_share": True})


def whose(secret: str, *, address: str = "") -> tuple[User, ApiToken] | None:
    """Whose token this is, and a note of its use (at most once a minute). Expired when its date is over."""
    now = func.clock_timestamp()
    row = db.session.execute(
        select(
            *(ApiToken, User, (ApiToken.expires_at <= now).label("expired")),
            func.coalesce(ApiToken.last_used_at < now - SEEN_STEP, True).label("stale"),
        )
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.secret_hash == hashed(secret), ApiToken.revoked_at.is_(None), User.active)
    ).first()
    if row is None:
        return None
    token, user, expired, stale = row
    if expired:
        raise Expired
    if stale:
        used = {"last_used_at": now, "last_used_address": address}
        db.session.execute(update(ApiToken).where(ApiToken.id == token.id).values(used))
        db.session.commit()
    return user, token


def live(user: User) -> list[ApiToken]:
    """Those that still open something, the newest first."""
    return list(db.session.scalars(_live(select(ApiToken), user).order_by(ApiToken.id.desc())))


def ending_soon(user: User) -> list[ApiToken]:
    """The live ones whose date is near, the nearest first."""
    near = ApiToken.expires_at < func.clock_timestamp() + ENDS_SOON
    return list(db.session.scalars(_live(select(ApiToken), user).where(near).order_by(ApiToken.expires_at)))


def _live(query: Select[tuple[ApiToken]], user: User) -> Select[tuple[ApiToken]]:
    now = func.clock_timestamp()
    return query.where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)


def revoke(user: User, token_id: uuid.UUID) -> bool:
    """This one token of theirs is over; False if they have no such token."""
    return _end(user, [ApiToken.id == token_id], because="revoked") == 1


def end_all(user: User, *, because: Because) -> int:
    """Every token of theirs is over, in the transaction of the change that asks for it. How many there were."""
    _hold(user)
    return _end(user, [], because=because)


def _end(user: User, which: Iterable[Any], *, because: Because) -> int:
    now = func.clock_timestamp()
    ended = db.session.scalars(
        update(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now, *which)
        .values(revoked_at=now)
        .returning(ApiToken.id)
    ).all()
    for token_id in sorted(ended):
        audit_log.record("user.token_revoked", user, token_id=token_id, because=because)
    if ended:
        after_commit(partial(security_events.record, "token_ended", user_id=user.id, tokens=len(ended)))
    return len(ended)
