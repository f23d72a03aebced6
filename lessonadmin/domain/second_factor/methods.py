"""What users do about their own sign-in methods: set up, remove, new recovery codes.

Each change needs a recent proof that it is they (`ProofNeeded`), holds the account, ends every other session and pending sign-in, leaves
an audit row, and its owner is told. No password, new or temporary, changes any of it.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.accounts import account_notices, own_account, passwords, sessions, sign_in
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid, Missing
from lessonadmin.domain.models import User
from lessonadmin.domain.second_factor import (
    authenticator_app,
    challenges,
    factors,
    passkeys,
    pending,
    recovery_codes,
)


class ProofNeeded(Forbidden):
    def __init__(self) -> None:
        super().__init__("proof_needed", "Confirm your password first.")


def prove_by_password(
    user: User, *, password: str, session_id: uuid.UUID, address: str, browser: str = ""
) -> None:
    """For ten minutes this session may change sign-in methods. A wrong password counts as a wrong try to sign in."""
    with own_account.proving(user, address, browser) as try_id, transaction(Actor.user(user.id)):
        _hold(user)
        if not passwords.proves(user.password_hash, password):
            raise Invalid.field("password", "This is not your current password.")
        sign_in.forgive(try_id)
        sessions.note_proof(session_id)


def is_proved(session_id: uuid.UUID) -> bool:
    """May this session change sign-in methods now?"""
    return sessions.is_proved(session_id)


def secret_to_show(user: User, session_id: uuid.UUID) -> bytes | None:
    """Of the app that is being set up; None if none is."""
    if not sessions.is_proved(session_id):
        raise ProofNeeded
    return authenticator_app.unconfirmed_secret(user)


def begin_app(user: User, session_id: uuid.UUID) -> None:
    """A new secret for an app, to be confirmed by a code of it."""
    _need_proof(user, session_id)
    if factors.of(user.id).app:
        raise Conflict("has_app", "Your account has an authenticator app already. Remove it first.")
    authenticator_app.begin(user)


def confirm_app(user: User, session_id: uuid.UUID, code: str) -> list[str]:
    """The app counts from now on. Recovery codes, readable this once, if they are the first; else none."""
    _need_proof(user, session_id)
    if not authenticator_app.confirm(user, code):
        sentence = "This code is not right. Type the one that the app shows now."
        raise Invalid.field("code", sentence)
    return _added(user, session_id, "An authenticator app was added to your account.", "user.app_added")


def remove_app(user: User, session_id: uuid.UUID) -> None:
    with _changing(user, session_id, "The authenticator app was removed from your account."):
        if not authenticator_app.remove(user):
            raise Conflict("no_app", "Your account has no authenticator app.")
        audit_log.record("user.app_removed", user)


def begin_passkey(user: User, session_id: uuid.UUID, *, address: str) -> tuple[str, str]:
    """What the browser is asked to make, as JSON, and the secret of the challenge for its cookie."""
    _need_proof(user, session_id)
    secret, challenge = challenges.begin("add", address=address, user_id=user.id)
    return passkeys.options_to_add(user, challenge), secret


def add_passkey(user: User, session_id: uuid.UUID, secret: str, answer: str, *, name: str) -> list[str]:
    """The passkey counts from now on. Recovery codes, readable this once, if it is the first factor; else none."""
    _need_proof(user, session_id)
    challenge = challenges.take(secret, "add", user_id=user.id)
    if challenge is None:
        raise passkeys.Refused
    made = passkeys.add(user, answer, challenge, name=name)
    said = f"A passkey was added to your account: “{made.name}”."
    return _added(user, session_id, said, "user.passkey_added", passkey_id=made.id, name=made.name)


def rename_passkey(user: User, session_id: uuid.UUID, passkey_id: uuid.UUID, name: str) -> None:
    _need_proof(user, session_id)
    if not passkeys.rename(user, passkey_id, name):
        raise Missing
    audit_log.record("user.passkey_renamed", user, passkey_id=passkey_id, name=name)


def remove_passkey(user: User, session_id: uuid.UUID, passkey_id: uuid.UUID) -> None:
    _need_proof(user, session_id)
    name = passkeys.remove(user, passkey_id)
    if name is None:
        raise Missing
    with _changing(user, session_id, f"A passkey was removed from your account: “{name}”."):
        audit_log.record("user.passkey_removed", user, passkey_id=passkey_id, name=name)


def new_recovery_codes(user: User, session_id: uuid.UUID) -> list[str]:
    """Ten new ones, readable this once."""
    with _changing(user, session_id, "Your recovery codes were replaced by new ones."):
        if not factors.of(user.id).any:
            raise Conflict("no_factor", "Set up an authenticator app or a passkey first.")
        audit_log.record("user.recovery_codes_made", user)
        return recovery_codes.make(user)


def _added(user: User, session_id: uuid.UUID, sentence: str, action: str, **detail: object) -> list[str]:
    """What follows when an account, which is held, has got one more factor."""
    codes = []
    with _changing(user, session_id, sentence):
        audit_log.record(action, user, **detail)
        if not factors.of(user.id).recovery_codes:
            codes = recovery_codes.make(user)
            audit_log.record("user.recovery_codes_made", user)
    return codes


@contextmanager
def _changing(user: User, session_id: uuid.UUID, sentence: str) -> Iterator[None]:
    """Around a change of the factors of an account, in the session that makes it."""
    _need_proof(user, session_id)
    yield
    has_one = factors.of(user.id).any
    if not has_one:
        recovery_codes.remove(user)
    sessions.note_second_factor(session_id, has_one)
    sessions.end_all(user, but=session_id)
    pending.end_all(user.id)
    account_notices.sign_in_methods_changed(user, sentence)


def _need_proof(user: User, session_id: uuid.UUID) -> None:
    _hold(user)
    if not sessions.is_proved(session_id):
        raise ProofNeeded


def _hold(user: User) -> None:
    """The account, unchanged by others until this transaction ends: a sign-in that is being made waits, and is then ended."""
    db.session.flush()
    db.session.refresh(user, with_for_update={"key_share": True})
