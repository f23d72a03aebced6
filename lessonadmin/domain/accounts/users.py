"""Accounts: making and changing them.

Secrets leave this module once and are stored as hashes. Every change of password, role or state ends the other
sessions and all bearer tokens in the same transaction, and a new password every link that was sent before. Signing in is in `sign_in`, whose session it is in `sessions`, bearer tokens are in `tokens`.
"""

import re
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from lessonadmin import config
from lessonadmin.db import db, transaction_time
from lessonadmin.domain.accounts import account_notices, links, passwords, sessions, tokens
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import User
from lessonadmin.domain.models.accounts import ROLES
from lessonadmin.domain.models.notifications import MAY_BE_MUTED
from lessonadmin.domain.videos import withdrawal
from lessonadmin.text.texts import has_control, one_line

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}")
MAX_NAME_LENGTH = 100
TEMPORARY_LIFE = timedelta(hours=24)


class TemporaryPasswordEnded(Invalid):
    """It is the right password, and it came too late."""

    def __init__(self) -> None:
        sentence = "This temporary password has ended. Ask an administrator for a new one."
        super().__init__("temporary_password_ended", sentence)


class WrongPassword(Invalid):
    """The present password was asked for and is not this."""

    def __init__(self) -> None:
        sentence = "This is not your current password."
        super().__init__("invalid_input", sentence, fields={"old_password": sentence})


def check_email(email: str) -> str:
    email = email.strip()
    if EMAIL.fullmatch(email) is None or has_control(email):
        raise Invalid.field("email", "Enter an e-mail address such as name@school.example.")
    return email


def _check_role(role: str) -> str:
    if role not in ROLES:
        raise Invalid.field("role", "Choose one of: " + ", ".join(ROLES) + ".")
    return role


def find_by_id(user_id: uuid.UUID | None) -> User | None:
    return None if user_id is None else db.session.get(User, user_id)


def find_by_email(email: str) -> User | None:
    """Not those of deleted accounts."""
    return db.session.scalar(
        select(User).where(func.lower(User.email) == email.strip().lower(), User.deleted_at.is_(None))
    )


def _check_name(name: str) -> str:
    name = one_line(name)
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid.field("name", f"Use at most {MAX_NAME_LENGTH} characters for the name.")
    return name


def create_user(
    *,
    email: str,
    role: str,
    name: str = "",
    password: str | None = None,
    temporary: bool = False,
    invited: bool = False,
) -> User:
    """A new account; without a password it can use bearer tokens only. A temporary one has to be changed. One that is
    invited opens nothing until the invitation is accepted."""
    email = check_email(email)
    if password is not None and not temporary:
        passwords.check_strength(password, known=_known(email, name))
    user = User(
        email=email,
        name=_check_name(name),
        role=_check_role(role),
        password_hash=passwords.hashed(password) if password is not None else None,
        password_temporary_until=_end_of_temporary() if temporary and password is not None else None,
        invited_at=transaction_time() if invited else None,
    )
    taken = Conflict("email_taken", f"There is an account for {email} already.")
    if find_by_email(email) is not None:
        raise taken
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError as error:  # another request made it at the same moment
        raise taken from error
    audit_log.record("user.created", user, role=role, invited=invited or None)
    return user


def check_new_password(user: User, new: str, *, field: str) -> None:
    """Is it one that this person may choose?"""
    passwords.check_strength(new, field=field, known=_known(user.email, user.name))


def _known(email: str, name: str) -> tuple[str, ...]:
    """What an attacker knows of an account: its address, its name, and where the site is."""
    local, _, domain = email.partition("@")
    # "com" and the like are words of everyone
    site = (urlsplit(config.current().public_url).hostname or "").rpartition(".")[0]
    return email, local, domain.rpartition(".")[0], name, site


def set_password_by_link(user: User, new: str) -> None:
    """A new password by a link that was sent to the address: as a reset does it, every session and bearer token ends.

    The caller has locked the account when it used the link.
    """
    check_new_password(user, new, field="new_password")
    _set_password(user, new)
    sessions.end_all(user)
    tokens.end_all(user, because="password reset")
    audit_log.record("user.password_reset", user, by_link=True)
    account_notices.password_set_by_link(user)


def accept_invitation(user: User, *, name: str, new: str) -> None:
    """The invited person chooses a name and a password: from now on it is an account like any other."""
    user.name = _check_name(name)
    check_new_password(user, new, field="new_password")
    _set_password(user, new)
    audit_log.record("user.invitation_accepted", user)


def rename(user: User, name: str) -> bool:
    """Another name, at once; False if it is the same."""
    name = _check_name(name)
    if user.name == name:
        return False
    user.name = name
    db.session.flush()
    audit_log.record("user.renamed", user)
    return True


def set_email(user: User, email: str) -> None:
    """Another address, which signs in from now on; links that were sent to the old one end, and both addresses are told."""
    before, email = user.email, check_email(email)
    taken = Conflict("email_taken", f"There is an account for {email} already.")
    holder = find_by_email(email)
    if holder is not None and holder.id != user.id:
        raise taken
    try:
        with db.session.begin_nested():
            user.email = email
            db.session.flush()
    except IntegrityError as error:  # another account took it at the same moment
        raise taken from error
    links.end_open(user)
    audit_log.record("user.email_changed", user)
    account_notices.email_changed(user, before=before)


def change_password(user: User, *, old: str, new: str, keep: uuid.UUID | None) -> None:
    """Set a new password; every bearer token ends, and every session but the one that did it."""
    lock(user)  # from here on the hash that `old` is compared with is the one that is replaced
    if not passwords.proves(user.password_hash, old):
        raise WrongPassword
    if user.password_temporary_until is not None and user.password_temporary_until <= transaction_time():
        raise TemporaryPasswordEnded
    check_new_password(user, new, field="new_password")
    passwords.check_different(new, old, field="new_password")
    _set_password(user, new)
    sessions.end_all(user, but=keep)
    tokens.end_all(user, because="password changed")
    audit_log.record("user.password_changed", user)
    account_notices.password_changed(user)


def reset_password(user: User, *, temporary: bool = True) -> str:
    """Give the account a new random password, readable this once, and end all its sessions and tokens.

    An admin who makes a password for another user knows it, so it has to be changed at the first sign-in, within a day.
    """
    lock(user)
    password = passwords.made_up()
    _set_password(user, password, temporary=temporary)
    sessions.end_all(user)
    tokens.end_all(user, because="password reset")
    audit_log.record("user.password_reset", user)
    if temporary:
        account_notices.password_reset(user)
    return password


def _end_of_temporary() -> datetime:
    return transaction_time() + TEMPORARY_LIFE


def lock(user: User) -> None:
    """No sign-in succeeds meanwhile: a session that is being opened is seen and ended, a later one needs the new password."""
    db.session.refresh(user, with_for_update=True)


def _set_password(user: User, password: str, *, temporary: bool = False) -> None:
    user.password_hash = passwords.hashed(password)
    user.password_temporary_until = _end_of_temporary() if temporary else None
    user.invited_at = None
    links.end_open(user)
    db.session.flush()


def set_active(user: User, active: bool) -> None:
    if user.active == active:
        return
    user.active = active
    db.session.flush()  # first, so that a session that is being opened is there to be ended
    if not active:
        sessions.end_all(user)
        tokens.end_all(user, because="account disabled")
        links.end_open(user)
    audit_log.record("user.enabled" if active else "user.disabled", user)
    account_notices.state_changed(user)
    if not active:
        withdrawal.withdraw_uploads_of(user, why="the account was disabled")


def set_role(user: User, role: str) -> None:
    if user.role == _check_role(role):
        return
    before, user.role = user.role, role
    sessions.end_all(user)
    tokens.end_all(user, because="role changed")
    audit_log.record("user.role_changed", user, before=before, after=role)
    account_notices.role_changed(user, before=before, after=role)
    withdrawal.withdraw_uploads_of(user, why=f"the role was changed to {role}")


def set_mail_notices(user: User, wanted: bool) -> None:
    """Whether notices also leave by mail; in the app they stand in any case."""
    if user.mail_notices == wanted:
        return
    user.mail_notices = wanted
    db.session.flush()
    audit_log.record("user.mail_chosen", user, notices=wanted)


def choose_notices(user: User, wanted: Collection[str], *, by_mail: bool) -> None:
    """Of the kinds that may be turned off those that are not wanted are, and whether the others leave by mail."""
    mute_notices(user, [kind for kind in MAY_BE_MUTED if kind not in wanted])
    set_mail_notices(user, by_mail)


def mute_notices(user: User, kinds: Collection[str]) -> None:
    """Of these kinds the student is told nothing from now on, neither in the app nor by mail; other kinds cannot be turned off."""
    muted = [kind for kind in MAY_BE_MUTED if kind in kinds]
    if user.role != "student" or user.muted_notices == muted:
        return
    before, user.muted_notices = user.muted_notices, muted
    db.session.flush()
    audit_log.record("user.notices_chosen", user, before={"muted": before}, after={"muted": muted})


def list_users() -> list[User]:
    """Everyone, but those who were deleted."""
    return list(db.session.scalars(select(User).where(User.deleted_at.is_(None)).order_by(User.email)))
