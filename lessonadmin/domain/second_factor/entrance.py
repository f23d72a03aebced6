"""What opens a session: the only caller of `sessions.begin` for people.

A passkey that has verified its user opens a session. A right first step (a password) opens a session for an account without a second factor, and for any other
a pending sign-in, whose second step opens it. A second factor that the first step has proved already is not asked for again.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from lessonadmin.db import UNKNOWN_USER, Actor, db, transaction
from lessonadmin.domain.accounts import account_notices, known_browsers, sessions, sign_in
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import User
from lessonadmin.domain.models.accounts import SignInWay
from lessonadmin.domain.second_factor import (
    authenticator_app,
    challenges,
    factors,
    passkeys,
    pending,
    recovery_codes,
)
from lessonadmin.security import security_events

Second = Literal["app", "recovery_code", "passkey"]


class WrongCode(Invalid):
    def __init__(self, field: str, sentence: str) -> None:
        super().__init__("wrong_code", sentence, fields={field: sentence})


@dataclass(frozen=True)
class Browser:
    """Where a sign-in comes from; `session_id` is the session that this browser has, which ends with a new one;
    `secret` is what its cookie holds, by which it is known at the next sign-in."""

    address: str
    user_agent: str
    session_id: uuid.UUID | None = None
    secret: str = ""


@dataclass(frozen=True)
class Arrival:
    """What a first step leads to. `secret` is that of the session, or, if it is `pending`, of the sign-in that waits."""

    secret: str
    pending: bool


def by_password(*, email: str, password: str, browser: Browser) -> Arrival:
    """TooMany, or WrongCredentials, if it opens nothing."""
    return sign_in.sign_in(
        email=email,
        password=password,
        address=browser.address,
        browser=browser.secret,
        then=lambda user: arrive(user, way="password", browser=browser),
    )


def arrive(user: User, *, way: SignInWay, browser: Browser, proved: bool = False) -> Arrival:
    """The first step of this account, whose row is held, was right; `proved`: it proved a second factor as well."""
    if not proved and factors.of(user.id).any:
        return Arrival(pending.begin(user, way=way), pending=True)
    return Arrival(_open(user, way=way, browser=browser, second="", proved=proved), pending=False)


def by_passkey(secret: str, answer: str, *, browser: Browser) -> str:
    """A passkey alone, which has verified its user, opens a session: the secret of that. `secret` is that of the challenge."""
    challenge = _used_up(secret, "sign_in")
    user_id = passkeys.owner_of(answer)
    if challenge is None or user_id is None:
        security_events.record("passkey_refused")
        raise passkeys.Refused
    with _refusals_told(user_id), transaction(Actor.user(user_id)):
        user = db.session.get(User, user_id, populate_existing=True, with_for_update={"read": True})
        if user is None or not user.active or user.is_invited:
            raise passkeys.Refused
        passkeys.prove(user, answer, challenge, alone=True)
        return _open(user, way="passkey", browser=browser, second="", proved=True)


def options_for_passkey(*, address: str) -> tuple[str, str]:
    """What a browser is asked to sign, as JSON, before it is known whose it is, and the secret for its cookie."""
    secret, challenge = challenges.begin("sign_in", address=address)
    return passkeys.options_to_prove(challenge), secret


def options_for_second_step(secret: str, *, address: str) -> tuple[str, str]:
    """The same for the account of a pending sign-in: by one of its own passkeys."""
    user = pending.whose(secret)
    of_challenge, challenge = challenges.begin("second_step", address=address, user_id=user.id)
    return passkeys.options_to_prove(challenge, known=passkeys.of(user.id)), of_challenge


def by_code(secret: str, code: str, *, browser: Browser) -> str:
    """The second step by a code of the app: the secret of the session."""

    def check(user: User) -> None:
        if not authenticator_app.takes(user, code):
            sentence = "This code is not right. Type the one that the app shows now; each works once."
            raise WrongCode("code", sentence)

    return _second_step(secret, "app", check, browser)


def by_recovery_code(secret: str, code: str, *, browser: Browser) -> str:
    def check(user: User) -> None:
        if not recovery_codes.takes(user, code):
            raise WrongCode("recovery_code", "This is none of your unused recovery codes.")

    return _second_step(secret, "recovery_code", check, browser)


def by_passkey_after_password(secret: str, of_challenge: str, answer: str, *, browser: Browser) -> str:
    user_id = pending.whose(secret).id
    challenge = _used_up(of_challenge, "second_step", user_id)

    def check(user: User) -> None:
        if challenge is None:
            raise passkeys.Refused
        passkeys.prove(user, answer, challenge, alone=False)

    with _refusals_told(user_id, recorded=True):
        return _second_step(secret, "passkey", check, browser)


def _used_up(secret: str, purpose: challenges.Purpose, user_id: uuid.UUID | None = None) -> bytes | None:
    """In a transaction of its own: a challenge is used up by an answer that is refused, too."""
    with transaction(UNKNOWN_USER):
        return challenges.take(secret, purpose, user_id=user_id)


@contextmanager
def _refusals_told(user_id: uuid.UUID, *, recorded: bool = False) -> Iterator[None]:
    """Around an answer of a passkey. `recorded`: a refusal is a counted try, which has recorded it."""
    try:
        yield
    except passkeys.Copied as refused:
        security_events.record("passkey_copied", user_id=user_id)
        with transaction(Actor.user(user_id)):
            _tell_of_copy(db.session.get_one(User, user_id), refused.name)
        raise
    except passkeys.Refused:
        if not recorded:
            security_events.record("passkey_refused", user_id=user_id)
        raise


def _tell_of_copy(user: User, name: str) -> None:
    audit_log.record("user.passkey_copied", user, name=name)
    sentence = f"Your passkey “{name}” was refused: its counter says that there is a copy of it. Remove it."
    account_notices.sign_in_methods_changed(user, sentence)


def _second_step(secret: str, second: Second, check: Callable[[User], None], browser: Browser) -> str:
    user = pending.whose(secret)
    with sign_in.counted_try(email=user.email, address=browser.address, browser=browser.secret) as try_id:
        with transaction(Actor.user(user.id)):
            answer = pending.count_answer(secret)
        try:
            with transaction(Actor.user(user.id)):
                sign_in.forgive(try_id)
                user, way = pending.take(secret)
                check(user)
                return _open(user, way=way, browser=browser, second=second, proved=True)
        except WrongCode:
            if answer == pending.MAX_ANSWERS:
                with transaction(Actor.user(user.id)):
                    _tell_of_wrong_codes(user)
            raise


def _tell_of_wrong_codes(user: User) -> None:
    audit_log.record("user.second_step_failed", user, answers=pending.MAX_ANSWERS)
    sentence = "Your password was typed rightly, and then a wrong code five times."
    account_notices.sign_in_methods_changed(user, sentence)


def _open(user: User, *, way: SignInWay, browser: Browser, second: str, proved: bool) -> str:
    if user.is_invited:  # whatever way proved the person, the invitation comes first
        raise sign_in.WrongCredentials
    if browser.session_id is not None:
        sessions.replace(browser.session_id)
    secret = sessions.begin(
        user, address=browser.address, user_agent=browser.user_agent, way=way, second_factor=proved
    )
    audit_log.record("user.signed_in", user, address=browser.address, way=way, second=second or None)
    if second == "recovery_code":
        _tell_of_recovery_code(user)
    if browser.secret:
        known_browsers.remember(user, browser.secret, address=browser.address, user_agent=browser.user_agent)
    return secret


def _tell_of_recovery_code(user: User) -> None:
    left = factors.of(user.id).recovery_codes
    account_notices.sign_in_methods_changed(
        user,
        f"A recovery code was used to sign in. {left or 'None'} of your recovery codes {'is' if left == 1 else 'are'} left.",
    )
