"""Invitations: an account that its person opens for the first time by a link, and by nothing else until then.

The link lives for seven days and opens once. It can be sent again, which ends the former one, and withdrawn. The name and
the password are the person's own choice; no other person ever knows the password.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select

from lessonadmin import config
from lessonadmin.db import UNKNOWN_USER, acting_for, actor, db, transaction
from lessonadmin.domain.accounts import links, users
from lessonadmin.domain.accounts.administration import to_manage
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import User
from lessonadmin.queue import enqueue_after_commit

State = Literal["waits_for_mail", "open", "expired", "ended", "not_sent"]


@dataclass(frozen=True)
class Invitation:
    """How the invitation of an account stands that was not accepted yet."""

    state: State
    email: str
    sent_at: datetime | None = None
    ends_at: datetime | None = None
    by_mail: bool = False
    error: str = ""


def invite(*, email: str, role: str, name: str = "") -> tuple[User, str | None]:
    """A new account with an invitation; without a mail server also the secret of its link, this once."""
    user = users.create_user(email=email, role=role, name=name, invited=True)
    return user, _send(user)


def send_again(by: User | None, user: User) -> str | None:
    """Another link in the place of the former; the secret if it has to be handed over."""
    user = to_manage(by, user.id)
    _check_open(user)
    if not user.active:
        raise Conflict("account_disabled", "The account is disabled; enable it first.")
    return _send(user)


def withdraw(by: User | None, user: User) -> None:
    """The link opens nothing any more. The account stays, closed, and can be invited again or deleted."""
    user = to_manage(by, user.id)
    _check_open(user)
    if links.end_open(user, "invitation"):
        audit_log.record("user.invitation_withdrawn", user)


def _send(user: User) -> str | None:
    audit_log.record("user.invited", user)
    if config.current().mail_url is None:
        return links.to_hand_over(user, "invitation", made_by=actor().id, life=links.LIVES["invitation"])
    links.by_mail(user, "invitation", email=user.email, made_by=actor().id)
    enqueue_after_commit("lessonadmin.jobs.notices.send_links")
    return None


def _check_open(user: User) -> None:
    if not user.is_invited:
        raise Conflict("not_invited", f"{user.email} has no invitation that waits.")


def state_of(user: User) -> Invitation | None:
    """None for an account that is open."""
    if not user.is_invited:
        return None
    link = links.latest(user, "invitation")
    if link is None:
        return Invitation("not_sent", user.email)
    now = db.session.scalar(select(func.clock_timestamp()))
    state: State = "open"
    if link.ended_at is not None:
        state = "ended"
    elif link.expires_at is None or (link.mail_wanted and link.mailed_at is None):
        state = "waits_for_mail" if link.mail_wanted else "not_sent"
    elif now is not None and link.expires_at <= now:
        state = "expired"
    return Invitation(
        state,
        link.email,
        link.mailed_at or link.created_at,
        link.expires_at,
        link.mail_wanted or link.mailed_at is not None,
        link.mail_error or "",
    )


def look(secret: str) -> User:
    """Who is invited by this link; LinkEnded if it opens nothing any more."""
    return links.look(secret, "invitation")[0]


def accept(secret: str, *, name: str, new: str) -> None:
    """Open the account, once. A password that is refused leaves the invitation as it is."""
    with transaction(UNKNOWN_USER):
        user, _ = links.use(secret, "invitation")
        acting_for(user.id)
        users.accept_invitation(user, name=name, new=new)
