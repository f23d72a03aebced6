"""Another address for one's own account: asked for with the password, in force once it is confirmed at the new address.

Until then the former address signs in and gets every mail. An address that another account has is answered like any
other; no mail goes there. Of what an admin does for others, `administration.set_email` takes care.
"""

from lessonadmin import config
from lessonadmin.db import UNKNOWN_USER, Actor, acting_for, transaction
from lessonadmin.domain.accounts import (
    account_notices,
    links,
    own_account,
    passwords,
    rate_limits,
    sign_in,
    users,
)
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import User
from lessonadmin.queue import enqueue_after_commit

PER_HOUR = 5
SENTENCE = "You have asked for another address too often."


def ask(user: User, *, password: str, email: str, address: str, browser: str = "") -> None:
    """A link to the new address, by the present password. The former address is told."""
    email = users.check_email(email)
    if config.current().mail_url is None:
        raise Conflict(
            "no_mail", "This installation sends no mail. Ask an administrator to change your address."
        )
    if email.lower() == user.email.lower():
        raise Invalid.field("email", "This is your address already.")
    with transaction(Actor.user(user.id)):
        rate_limits.ask_for_link(f"user:{user.id}", most=PER_HOUR, sentence=SENTENCE)
    with own_account.proving(user, address, browser) as try_id, transaction(Actor.user(user.id)):
        users.lock(user)
        if not passwords.proves(user.password_hash, password):
            raise Invalid.field("current_password", "This is not your current password.")
        links.by_mail(user, "new_address", email=email, made_by=user.id, address=address)
        audit_log.record("user.email_change_asked", user)
        account_notices.email_change_asked(user, new=email)
        enqueue_after_commit("lessonadmin.jobs.notices.send_links")
        sign_in.forgive(try_id)


def waiting(user: User) -> str | None:
    """The address that is not confirmed yet."""
    link = links.open_one(user, "new_address")
    return link.email if link is not None else None


def cancel(user: User) -> None:
    """Stay with the present address."""
    if links.end_open(user, "new_address"):
        audit_log.record("user.email_change_cancelled", user)


def look(secret: str) -> tuple[User, str]:
    """Whose address becomes which by this link; LinkEnded if it opens nothing any more."""
    user, link = links.look(secret, "new_address")
    return user, link.email


def confirm(secret: str) -> str:
    """The new address, in force from now on. It may have been taken meanwhile: then the link has ended."""
    with transaction(UNKNOWN_USER):
        user, link = links.use(secret, "new_address")
        acting_for(user.id)
        try:
            users.set_email(user, link.email)
        except Conflict:
            raise links.LinkEnded from None
        return user.email
