"""Notices to a user whose password, role, state or sign-in methods were changed, or whose tokens were revoked. Changes nothing itself.

Such a notice also leaves by mail for users who want no other mail, and for disabled ones: it is how they find out that
another person uses their account.
"""

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


def _who() -> str:
    by = actor()
    author = db.session.get(User, by.id) if by.type == "user" and by.id is not None else None
    if author is None:
        return "An administrator"
    return f"{author.name} ({author.email})" if author.name else author.email


def _tell(user: User, message: str) -> None:
    audit_log.notify_user(KIND, user.id, message)
