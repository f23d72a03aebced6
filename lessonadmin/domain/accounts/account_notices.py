"""Notices to a user whose password, role, state or sign-in methods were changed, or whose tokens were revoked. Changes nothing itself.

Such a notice also leaves by mail for users who want no other mail, and for disabled ones: it is how they find out that
another person uses their account.
"""

from lessonadmin import config
from lessonadmin.db import actor, db
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import User

KIND = "account"


def password_reset(user: User) -> None:
    _tell(
        user,
        f"{_who()} gave your account a new, temporary password. If you did not ask for it, tell another administrator.",
    )


def password_changed(user: User) -> None:
    _tell(user, "Your password was changed. If it was not you, ask an administrator for a new one at once.")


def role_changed(user: User, *, before: str, after: str) -> None:
    _tell(user, f"{_who()} changed your role from {before} to {after}.")


def state_changed(user: User) -> None:
    _tell(user, f"{_who()} {'enabled' if user.active else 'disabled'} your account.")


def tokens_revoked(user: User, count: int) -> None:
    which = "an API token" if count == 1 else f"{count} API tokens"
    _tell(
        user,
        f"{_who()} revoked {which} of yours. Scripts that use {'it' if count == 1 else 'them'} are refused.",
    )


def sign_in_methods_changed(user: User, sentence: str) -> None:
    """The sentence says what was changed, by the owner; it ends with a full stop."""
    _tell(user, f"{sentence} If it was not you, change your password at once and tell an administrator.")


def second_factor_reset(user: User) -> None:
    _tell(
        user,
        f"{_who()} removed your authenticator app, passkeys and recovery codes and signed you out everywhere. "
        "If you did not ask for it, tell another administrator.",
    )


def password_set_by_link(user: User) -> None:
    _tell(
        user,
        "A new password was set for your account by a link that was sent to you or given to you. If it was not you, ask an"
        " administrator for help at once.",
    )


def reset_link_made(user: User) -> None:
    _tell(
        user,
        f"{_who()} created a link by which a new password can be set for your account. If you did not ask for it, tell another"
        " administrator.",
    )


def email_change_asked(user: User, *, new: str) -> None:
    _tell(
        user,
        f"The address of your account is to become {new}, as soon as it is confirmed there. If it was not you, change your"
        " password: that stops it.",
    )


def email_changed(user: User, *, before: str) -> None:
    """Told at both addresses: a person who lost the account reads the old one only."""
    by_other = actor().id != user.id
    who = (
        f"{_who()} changed the address of your account"
        if by_other
        else "The address of your account was changed"
    )
    sentence = f"{who} from {before} to {user.email}. If it was not you, tell an administrator at once."
    _tell(user, f"Your account is reached at {user.email} from now on; before, it was {before}.")
    _tell(user, sentence, mail_to=before)


def renamed(user: User) -> None:
    _tell(user, f"{_who()} changed the name of your account to {user.name or 'none'}.")


def token_created(user: User, *, name: str, scope: str) -> None:
    may = "read only" if scope == "read" else "read and change"
    called = f" (“{name}”)" if name else ""
    _tell(
        user,
        f"An API token{called} was created for your account: {may}. If it was not you, revoke it and change your password.",
    )


def sessions_ended(user: User, count: int) -> None:
    which = "one of your sessions" if count == 1 else f"{count} of your sessions"
    _tell(user, f"{_who()} ended {which}. You can sign in again.")


def deleted(user: User, *, email: str) -> None:
    """The last mail; nothing of it stays once it has left, and without a mail server there is none."""
    if config.current().mail_url is None:
        return
    _tell(
        user,
        "Your account and what it held of you are deleted. This can't be undone. If it was not you, tell an administrator.",
        mail_to=email,
    )


def new_browser(user: User, *, browser: str, address: str) -> None:
    where = f" (network address {address})" if address else ""
    _tell(
        user,
        f"Your account was signed in to from a browser that it was not used in before: {browser}{where}. If it was not you,"
        " change your password.",
    )


def _who() -> str:
    by = actor()
    author = db.session.get(User, by.id) if by.type == "user" and by.id is not None else None
    if author is None:
        # of a user who is not known yet a transaction is one of single sign-on
        return "Single sign-on" if by.type == "user" and by.id is None else "An administrator"
    return f"{author.name} ({author.email})" if author.name else author.email


def _tell(user: User, message: str, *, mail_to: str | None = None) -> None:
    audit_log.notify_user(KIND, user.id, message, mail_to=mail_to)
