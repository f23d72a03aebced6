"""What opens a session: the only caller of `sessions.begin` for people.

A right first step (a password, an answer of single sign-on) opens a session for an account without a second factor, and for any other
a pending sign-in, whose second step opens it. A second factor that the first step has proved already is not asked for again.
"""

import uuid
from dataclasses import dataclass
from typing import Literal

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.accounts import account_notices, sessions, sign_in
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.models import User
from lessonadmin.domain.models.accounts import SignInWay
from lessonadmin.domain.second_factor import authenticator_app, factors, pending, recovery_codes

Second = Literal["app", "recovery_code"]


class WrongCode(Invalid):
    def __init__(self, field: str, sentence: str) -> None:
        super().__init__("wrong_code", sentence, fields={field: sentence})


@dataclass(frozen=True)
class Browser:
    """Where a sign-in comes from; `session_id` is the session that this browser has, which ends with a new one."""

    address: str
    user_agent: str
    session_id: uuid.UUID | None = None


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
        then=lambda user: arrive(user, way="password", browser=browser),
    )


def arrive(user: User, *, way: SignInWay, browser: Browser, proved: bool = False) -> Arrival:
    """The first step of this account, whose row is held, was right; `proved`: it proved a second factor as well."""
    if not proved and factors.of(user.id).any:
        return Arrival(pending.begin(user, way=way), pending=True)
    return Arrival(_open(user, way=way, browser=browser, second="", proved=proved), pending=False)


def by_code(secret: str, code: str, *, browser: Browser) -> str:
    """The second step by a code of the app: the secret of the session."""
    return _second_step(secret, "app", code, browser)


def by_recovery_code(secret: str, code: str, *, browser: Browser) -> str:
    return _second_step(secret, "recovery_code", code, browser)


def _second_step(secret: str, second: Second, code: str, browser: Browser) -> str:
    user = pending.whose(secret)
    with sign_in.counted_try(email=user.email, address=browser.address) as try_id:
        with transaction(Actor.user(user.id)):
            answer = pending.count_answer(secret)
        try:
            with transaction(Actor.user(user.id)):
                sign_in.forgive(try_id)
                user, way = pending.take(secret)
                _check(user, second, code)
                return _open(user, way=way, browser=browser, second=second, proved=True)
        except WrongCode:
            if answer == pending.MAX_ANSWERS:
                with transaction(Actor.user(user.id)):
                    _tell_of_wrong_codes(user)
            raise


def _check(user: User, second: Second, code: str) -> None:
    if second == "app":
        if not authenticator_app.takes(user, code):
            raise WrongCode(
                "code", "This code is not right. Type the one that the app shows now; each works once."
            )
    elif not recovery_codes.takes(user, code):
        raise WrongCode("recovery_code", "This is none of your unused recovery codes.")


def _tell_of_wrong_codes(user: User) -> None:
    audit_log.record("user.second_step_failed", user, answers=pending.MAX_ANSWERS)
    sentence = "Your password was typed rightly, and then a wrong code five times."
    account_notices.sign_in_methods_changed(user, sentence)


def _open(user: User, *, way: SignInWay, browser: Browser, second: str, proved: bool) -> str:
    if browser.session_id is not None:
        sessions.replace(browser.session_id)
    secret = sessions.begin(
        user, address=browser.address, user_agent=browser.user_agent, way=way, second_factor=proved
    )
    audit_log.record("user.signed_in", user, address=browser.address, way=way, second=second or None)
    if second == "recovery_code":
        _tell_of_recovery_code(user)
    return secret


def _tell_of_recovery_code(user: User) -> None:
    left = factors.of(user.id).recovery_codes
    account_notices.sign_in_methods_changed(
        user,
        f"A recovery code was used to sign in. {left or 'None'} of your recovery codes {'is' if left == 1 else 'are'} left.",
    )
