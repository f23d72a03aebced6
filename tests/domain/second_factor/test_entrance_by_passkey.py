"""A passkey alone, and a passkey after a password: what opens, and every attack that does not."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.accounts import administration, sessions, users
from lessonadmin.domain.models import AuditLog, Notification, SignInFailure, User, UserSession
from lessonadmin.domain.second_factor import entrance, passkeys, pending
from lessonadmin.domain.second_factor.entrance import Browser
from lessonadmin.security import security_events
from tests.authenticator import PRESENT, Authenticator
from tests.domain.second_factor.test_entrance import at_once
from tests.factories import PASSWORD, give_app, give_passkey, make_user

HERE = Browser("192.0.2.1", "Chrome/1 Linux")


def ask() -> tuple[str, str]:
    with transaction(CLI):
        return entrance.options_for_passkey(address=HERE.address)


def sign_in_by(device: Authenticator, **lies: object) -> str:
    options, secret = ask()
    return entrance.by_passkey(secret, device.sign(options, **lies), browser=HERE)


def password_of(user: User) -> str:
    """The secret of the pending sign-in."""
    arrival = entrance.by_password(email=user.email, password=PASSWORD, browser=HERE)
    assert arrival.pending
    return arrival.secret


def ask_after(waiting: str) -> tuple[str, str]:
    with transaction(CLI):
        return entrance.options_for_second_step(waiting, address=HERE.address)


def open_sessions(session: Session) -> int:
    return (
        session.scalar(select(func.count()).select_from(UserSession).where(UserSession.ended_at.is_(None)))
        or 0
    )


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    kinds: list[str] = []
    monkeypatch.setattr(security_events, "record", lambda kind, **_: kinds.append(kind))
    return kinds


def test_a_passkey_alone_is_a_whole_sign_in(session: Session) -> None:
    user = make_user(role="admin")
    device = give_passkey(user)
    give_app(user)
    known = sessions.by_session(sign_in_by(device))
    assert known is not None
    assert (known[0].id, known[1].way, known[1].second_factor) == (user.id, "passkey", True)
    row = session.scalars(select(AuditLog).where(AuditLog.action == "user.signed_in")).one()
    assert (row.actor_id, row.detail["way"], row.detail.get("second")) == (user.id, "passkey", None)


def test_what_is_asked_depends_on_no_account(session: Session) -> None:
    before, _ = ask()
    give_passkey(make_user())
    after, _ = ask()
    assert '"allowCredentials": []' in before
    assert before.replace(challenge_in(before), "") == after.replace(challenge_in(after), "")


def challenge_in(options: str) -> str:
    return options.partition('"challenge": "')[2].partition('"')[0]


def test_an_answer_is_good_once(session: Session, recorded: list[str]) -> None:
    device = give_passkey(make_user(), counts=False)
    options, secret = ask()
    answer = device.sign(options)
    assert entrance.by_passkey(secret, answer, browser=HERE)
    with pytest.raises(passkeys.Refused):
        entrance.by_passkey(secret, answer, browser=HERE)
    assert recorded == ["passkey_refused"]
    assert open_sessions(session) == 1


def test_two_parallel_posts_of_one_answer_open_one_session(app: Flask, session: Session) -> None:
    device = give_passkey(make_user(), counts=False)
    options, secret = ask()
    answer = device.sign(options)
    found = at_once(app, 4, lambda: entrance.by_passkey(secret, answer, browser=HERE))
    assert found == ["opened", "passkey_refused", "passkey_refused", "passkey_refused"]
    assert open_sessions(session) == 1


def test_a_refused_answer_uses_the_challenge_up_too(session: Session) -> None:
    device = give_passkey(make_user())
    options, secret = ask()
    with pytest.raises(passkeys.Refused):
        entrance.by_passkey(secret, device.sign(options, origin="https://evil.example"), browser=HERE)
    with pytest.raises(passkeys.Refused):
        entrance.by_passkey(secret, device.sign(options), browser=HERE)
    assert sign_in_by(device)


def test_an_answer_to_the_challenge_of_another_browser_opens_nothing(session: Session) -> None:
    device = give_passkey(make_user())
    theirs, _ = ask()
    _, mine = ask()
    with pytest.raises(passkeys.Refused):
        entrance.by_passkey(mine, device.sign(theirs), browser=HERE)


def test_an_answer_for_the_account_of_another_user_opens_nothing(session: Session) -> None:
    thief, victim = give_passkey(make_user()), give_passkey(make_user())
    with pytest.raises(passkeys.Refused):
        sign_in_by(thief, handle=victim.handle)
    thief.credential_id = victim.credential_id
    with pytest.raises(passkeys.Refused):
        sign_in_by(thief, handle=victim.handle)
    assert open_sessions(session) == 0


def test_a_key_that_did_not_verify_its_user_is_no_sign_in(session: Session) -> None:
    device = give_passkey(make_user())
    with pytest.raises(passkeys.Refused):
        sign_in_by(device, flags=PRESENT)
    assert sign_in_by(device)


def test_a_disabled_account_stays_out(session: Session) -> None:
    user = make_user()
    device = give_passkey(user)
    with transaction(CLI):
        users.set_active(user, False)
    with pytest.raises(passkeys.Refused):
        sign_in_by(device)
    assert open_sessions(session) == 0


def test_a_copied_key_is_refused_recorded_and_its_owner_told(session: Session, recorded: list[str]) -> None:
    user = make_user()
    device = give_passkey(user, name="Key ring")
    sign_in_by(device)
    with pytest.raises(passkeys.Copied):
        sign_in_by(device, counter=1)
    assert recorded == ["passkey_copied"]
    assert open_sessions(session) == 1
    (notice,) = session.scalars(select(Notification.message).where(Notification.user_id == user.id))
    assert "Your passkey “Key ring” was refused" in notice
    assert session.scalars(select(AuditLog).where(AuditLog.action == "user.passkey_copied")).one()


def test_a_locked_account_can_still_use_its_passkey(session: Session) -> None:
    user = make_user()
    device = give_passkey(user)
    session.add_all(SignInFailure(email_hash="x", address="192.0.2.1") for _ in range(10))
    session.commit()
    assert sign_in_by(device), "who types wrong passwords for an account locks its owner out of nothing more"


def test_after_the_password_a_passkey_opens(session: Session) -> None:
    user = make_user()
    device = give_passkey(user)
    waiting = password_of(user)
    options, secret = ask_after(waiting)
    answer = device.sign(options, flags=PRESENT)
    known = sessions.by_session(entrance.by_passkey_after_password(waiting, secret, answer, browser=HERE))
    assert known is not None
    assert (known[0].id, known[1].way, known[1].second_factor) == (user.id, "password", True)
    with pytest.raises(pending.Ended):
        entrance.by_passkey_after_password(waiting, secret, answer, browser=HERE)


def test_after_the_password_of_one_account_the_passkey_of_another_opens_nothing(
    session: Session, recorded: list[str]
) -> None:
    victim, thief = make_user(), make_user()
    give_passkey(victim)
    device = give_passkey(thief)
    waiting = password_of(victim)
    options, secret = ask_after(waiting)
    with pytest.raises(passkeys.Refused):
        entrance.by_passkey_after_password(waiting, secret, device.sign(options), browser=HERE)
    assert recorded == ["passkey_refused"]
    assert session.scalar(select(func.count()).select_from(SignInFailure)) == 1, "it counts as a wrong try"
    assert open_sessions(session) == 0


def test_the_challenge_of_one_purpose_or_account_serves_no_other(session: Session) -> None:
    first, second = make_user(), make_user()
    device = give_passkey(first, counts=False)
    other = give_passkey(second, counts=False)
    waiting = password_of(first)
    for options, secret in (ask(), ask_after(password_of(second))):
        with pytest.raises(passkeys.Refused):
            entrance.by_passkey_after_password(waiting, secret, device.sign(options), browser=HERE)
    options, secret = ask_after(waiting)
    with pytest.raises(passkeys.Refused):
        entrance.by_passkey(secret, device.sign(options), browser=HERE)
    assert sign_in_by(other)


def disable(user: User) -> None:
    users.set_active(user, False)


def change_password(user: User) -> None:
    users.change_password(user, old=PASSWORD, new="an entirely different one", keep=None)


def become_staff(user: User) -> None:
    administration.set_role(None, user.id, "admin")


def lose_the_key(user: User) -> None:
    passkeys.remove_all(user)


@pytest.mark.parametrize("meanwhile", [disable, change_password, become_staff, lose_the_key])
def test_what_changed_between_the_two_steps_closes_the_second(
    session: Session, meanwhile: Callable[[User], None]
) -> None:
    user = make_user()
    device = give_passkey(user)
    give_app(user)
    waiting = password_of(user)
    options, secret = ask_after(waiting)
    with transaction(CLI):
        meanwhile(user)
    with pytest.raises((pending.Ended, passkeys.Refused)):
        entrance.by_passkey_after_password(waiting, secret, device.sign(options), browser=HERE)
    assert open_sessions(session) == 0
