"""A new password for a person who forgot it: asked for by address, set by a link that only the owner gets.

Asking answers the same for every address, known, unknown or disabled, and sends the database the same statements: whether
there is such an account is found out by the database, in the statement that writes the row. The mail leaves by a job.
"""

import hashlib
import hmac

from sqlalchemy import and_, func, insert, literal, select, true, update

from lessonadmin import config
from lessonadmin.db import UNKNOWN_USER, acting_for, actor, db, new_id, transaction
from lessonadmin.domain.accounts import account_notices, links, rate_limits, sign_in, users
from lessonadmin.domain.accounts.administration import to_manage
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import AccountLink, User
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.security.addresses import limit_key

PER_ACCOUNT = 3
PER_ADDRESS = 10
SENTENCE = "A link for a new password was asked for too often."


def ask(*, email: str, address: str) -> None:
    """A link by mail, if there is such an account; the caller is never told. TooMany after a few within an hour."""
    email = users.check_email(email)
    with transaction(UNKNOWN_USER):
        rate_limits.ask_for_link(f"address:{limit_key(address)}", most=PER_ADDRESS, sentence=SENTENCE)
        rate_limits.ask_for_link(f"account:{_hash_of(email)}", most=PER_ACCOUNT, sentence=SENTENCE)
        _write(email, address)
        enqueue_after_commit("lessonadmin.jobs.notices.send_links")


def _write(email: str, address: str) -> None:
    """A link for the account that this address opens, if any; each older one ends."""
    found = and_(
        func.lower(User.email) == email.lower(),
        User.active,
        User.deleted_at.is_(None),
        User.invited_at.is_(None),
        User.password_hash.is_not(None),
    )
    db.session.execute(
        update(AccountLink)
        .where(
            AccountLink.user_id.in_(select(User.id).where(found)),
            AccountLink.kind == "password_reset",
            links.UNUSED,
        )
        .values(ended_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    columns = ["id", "user_id", "kind", "email", "address", "mail_wanted"]
    row = select(literal(new_id()), User.id, literal("password_reset"), User.email, literal(address), true())
    db.session.execute(insert(AccountLink).from_select(columns, row.where(found), include_defaults=False))


def _hash_of(email: str) -> str:
    """What is remembered of an address that was typed, for as long as it is limited."""
    key = config.current().secret_key.encode()
    return hmac.new(key, b"forgotten:" + email.lower().encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def look(secret: str) -> User:
    """Whose password this link sets; LinkEnded if it opens nothing any more."""
    return links.look(secret, "password_reset")[0]


def set_new(secret: str, new: str) -> None:
    """Set the password, once. A password that is refused leaves the link as it is."""
    with transaction(UNKNOWN_USER):
        user, _ = links.use(secret, "password_reset")
        acting_for(user.id)
        users.set_password_by_link(user, new)
        sign_in.forget_wrong_tries(user.email)


def make_link(by: User | None, user: User) -> str | None:
    """A link that an admin asks for: it leaves by mail, and without a mail server it is given to the admin, this once."""
    user = to_manage(by, user.id)
    _check(user)
    audit_log.record("user.password_link_made", user)
    account_notices.reset_link_made(user)
    if by is not None and config.current().mail_url is not None:
        links.by_mail(user, "password_reset", email=user.email, made_by=actor().id)
        enqueue_after_commit("lessonadmin.jobs.notices.send_links")
        return None
    return links.to_hand_over(user, "password_reset", made_by=actor().id, life=links.HANDED_OVER)


def _check(user: User) -> None:
    if not user.active:
        raise Conflict(
            "account_disabled", f"The account {user.email} is disabled: a password would open nothing."
        )
    if user.is_invited:
        raise Conflict("invitation_open", f"{user.email} has an invitation. Send that again instead.")
