"""Links that prove who opens them: making one, opening it, its use, its end. Of a secret only the hash is stored.

A link opens once, and a request for another of its kind ends it. One that leaves by mail gets its secret when the
mail is written (`issue`), so the time that it lives counts from then. Using one holds the row of the account: of two at
the same moment one comes too late, and so does one whose account was disabled or has another password since.
"""

import secrets
import uuid
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from lessonadmin.db import db
from lessonadmin.domain.accounts.sessions import hashed
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import AccountLink, User
from lessonadmin.domain.models.accounts import LinkKind

LIVES: dict[LinkKind, timedelta] = {
    "password_reset": timedelta(minutes=30),
    "invitation": timedelta(days=7),
    "new_address": timedelta(hours=24),
}
HANDED_OVER = timedelta(hours=24)  # a new password by a link that an admin gives out

UNUSED: ColumnElement[bool] = and_(AccountLink.used_at.is_(None), AccountLink.ended_at.is_(None))


class LinkEnded(Invalid):
    """Used, replaced, withdrawn, too old, or never made: all the same to the person who opens it."""

    def __init__(self) -> None:
        super().__init__("link_ended", "This link does not open anything any more.")


def by_mail(
    user: User, kind: LinkKind, *, email: str, made_by: uuid.UUID | None = None, address: str = ""
) -> AccountLink:
    """A link that a job sends to this address; every other one of its kind ends."""
    end_open(user, kind)
    link = AccountLink(
        user_id=user.id, kind=kind, email=email, made_by=made_by, address=address, mail_wanted=True
    )
    db.session.add(link)
    db.session.flush()
    return link


def to_hand_over(user: User, kind: LinkKind, *, made_by: uuid.UUID | None, life: timedelta) -> str:
    """The secret of a new link, readable this once; every other one of its kind ends."""
    end_open(user, kind)
    link = AccountLink(user_id=user.id, kind=kind, email=user.email, made_by=made_by)
    db.session.add(link)
    secret = _give_secret(link)
    link.expires_at = func.clock_timestamp() + life
    db.session.flush()
    return secret


def issue(link_id: uuid.UUID) -> tuple[AccountLink, str] | None:
    """A link that is about to leave by mail, with its secret, which replaces one that did not arrive; None if it has ended."""
    link = db.session.scalar(
        select(AccountLink)
        .where(AccountLink.id == link_id, UNUSED)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if link is None:
        return None
    secret = _give_secret(link)
    link.expires_at = func.clock_timestamp() + LIVES[link.kind]  # type: ignore[index]  # as its table says
    db.session.flush()
    return link, secret


def _give_secret(link: AccountLink) -> str:
    secret = secrets.token_urlsafe(32)
    link.secret_hash = hashed(secret)
    return secret


def _opens(secret: str, kind: LinkKind) -> ColumnElement[bool]:
    return and_(
        AccountLink.secret_hash == hashed(secret),
        AccountLink.kind == kind,
        UNUSED,
        AccountLink.expires_at > func.clock_timestamp(),
    )


def look(secret: str, kind: LinkKind) -> tuple[User, AccountLink]:
    """Whose link this is, for its page. Changes nothing: programs that check mails open links as well."""
    row = db.session.execute(
        select(User, AccountLink)
        .join(AccountLink, AccountLink.user_id == User.id)
        .where(_opens(secret, kind), User.active, User.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        raise LinkEnded
    return row[0], row[1]


def use(secret: str, kind: LinkKind) -> tuple[User, AccountLink]:
    """The same, and it never opens again if this transaction is committed. The account is locked first, as everywhere."""
    user_id = db.session.scalar(select(AccountLink.user_id).where(_opens(secret, kind)))
    if user_id is None:
        raise LinkEnded
    user = db.session.get_one(User, user_id, populate_existing=True, with_for_update=True)
    link = db.session.scalar(
        update(AccountLink)
        .where(_opens(secret, kind))
        .values(used_at=func.clock_timestamp())
        .returning(AccountLink)
        .execution_options(populate_existing=True)
    )
    if link is None or not user.active or user.is_deleted:
        raise LinkEnded
    return user, link


def end_open(user: User, *kinds: LinkKind) -> int:
    """No link of these kinds opens anything any more, without kinds none at all. How many that were."""
    ending = update(AccountLink).where(AccountLink.user_id == user.id, UNUSED)
    if kinds:
        ending = ending.where(AccountLink.kind.in_(kinds))
    ended = db.session.execute(ending.values(ended_at=func.clock_timestamp()).returning(AccountLink.id))
    return len(ended.all())


def latest(user: User, kind: LinkKind) -> AccountLink | None:
    """The newest of its kind, whatever became of it."""
    return db.session.scalar(
        select(AccountLink)
        .where(AccountLink.user_id == user.id, AccountLink.kind == kind)
        .order_by(AccountLink.id.desc())
        .limit(1)
    )


def open_one(user: User, kind: LinkKind) -> AccountLink | None:
    """The one that still opens something, or is about to leave by mail."""
    alive = or_(AccountLink.expires_at.is_(None), AccountLink.expires_at > func.clock_timestamp())
    return db.session.scalar(
        select(AccountLink)
        .where(AccountLink.user_id == user.id, AccountLink.kind == kind, UNUSED, alive)
        .limit(1)
    )
