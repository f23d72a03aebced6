"""What a right password opens, what the second step opens, and every way in which the second step is refused."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.accounts import administration, sessions, users
from lessonadmin.domain.errors import Problem, TooMany
from lessonadmin.domain.models import AuditLog, Notification, PendingSignIn, SignInFailure, User, UserSession
from lessonadmin.domain.second_factor import entrance, pending, reset
from lessonadmin.domain.second_factor.entrance import Arrival, Browser
from lessonadmin.security import security_events
from tests.factories import PASSWORD, code_now, give_app, give_recovery_codes, make_user

HERE = Browser("192.0.2.1", "Chrome/1 Linux")


def enter(user: User, browser: Browser = HERE) -> Arrival:
    return entrance.by_password(email=user.email, password=PASSWORD, browser=browser)


def with_app(**columns: object) -> tuple[User, bytes]:
    user = make_user(**columns)
    return user, give_app(user)


def wrong(secret: bytes) -> str:
    """A code that is none of those that are about now."""
    near = {code_now(secret, steps=steps) for steps in range(-2, 3)}
    return next(
        code for code in ("000000", "111111", "222222", "333333", "444444", "555555") if code not in near
    )


def open_sessions(session: Session) -> int:
    return (
        session.scalar(select(func.count()).select_from(UserSession).where(UserSession.ended_at.is_(None)))
        or 0
    )


def test_without_a_second_factor_the_password_opens(session: Session) -> None:
    user = make_user()
    arrival = enter(user)
    known = sessions.by_session(arrival.secret)
    assert not arrival.pending
    assert known is not None
    assert (known[0].id, known[1].way, known[1].second_factor) == (user.id, "password", False)


def test_with_one_the_password_opens_no_session(session: Session) -> None:
    user, _ = with_app()
    arrival = enter(user)
    assert arrival.pending
    assert sessions.by_session(arrival.secret) is None
    assert open_sessions(session) == 0
    assert session.scalars(select(AuditLog).where(AuditLog.action == "user.signed_in")).all() == []
    assert session.scalars(select(SignInFailure)).all() == [], "the password was right"
    kept = session.execute(text("SELECT to_jsonb(one)::text FROM pending_sign_ins one")).scalar_one()
    assert arrival.secret not in kept


def test_the_code_opens_it_and_says_so(session: Session) -> None:
    user, secret = with_app()
    before = sessions.by_session(make_session(user))
    assert before is not None
    browser = Browser("192.0.2.1", "Chrome/1 Linux", session_id=before[1].id)
    opened = entrance.by_code(enter(user).secret, code_now(secret), browser=browser)
    known = sessions.by_session(opened)
    assert known is not None
    assert (known[0].id, known[1].second_factor, known[1].address) == (user.id, True, "192.0.2.1")
    assert open_sessions(session) == 1, "the session that this browser had has ended"
    row = session.scalars(select(AuditLog).where(AuditLog.action == "user.signed_in")).one()
    assert (row.detail["way"], row.detail["second"]) == ("password", "app")
    assert session.scalars(select(PendingSignIn)).all() == []


def make_session(user: User) -> str:
    with transaction(CLI):
        return sessions.begin(user, address="", user_agent="")


def test_a_recovery_code_opens_it_and_the_owner_is_told(session: Session) -> None:
    user, _ = with_app()
    codes = give_recovery_codes(user)
    assert sessions.by_session(entrance.by_recovery_code(enter(user).secret, codes[0], browser=HERE))
    (notice,) = session.scalars(select(Notification.message).where(Notification.user_id == user.id))
    assert notice.startswith("A recovery code was used to sign in. 9 of your recovery codes are left.")
    with pytest.raises(entrance.WrongCode):
        entrance.by_recovery_code(enter(user).secret, codes[0], browser=HERE)


def test_a_wrong_code_counts_like_a_wrong_password(session: Session, recorded: list[str]) -> None:
    user, secret = with_app()
    arrival = enter(user)
    with pytest.raises(entrance.WrongCode):
        entrance.by_code(arrival.secret, wrong(secret), browser=HERE)
    assert session.scalar(select(func.count()).select_from(SignInFailure)) == 1
    assert recorded == ["wrong_code"]
    assert open_sessions(session) == 0
    assert entrance.by_code(arrival.secret, code_now(secret), browser=HERE), "the next one may be right"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of security events, in order."""
    kinds: list[str] = []
    monkeypatch.setattr(security_events, "record", lambda kind, **_: kinds.append(kind))
    return kinds


def test_after_five_wrong_codes_the_password_is_asked_again_and_the_owner_is_told(session: Session) -> None:
    user, secret = with_app()
    arrival = enter(user)
    for _ in range(5):
        with pytest.raises(entrance.WrongCode):
            entrance.by_code(arrival.secret, wrong(secret), browser=HERE)
    with pytest.raises(pending.Ended):
        entrance.by_code(arrival.secret, code_now(secret), browser=HERE)
    (notice,) = session.scalars(select(Notification.message).where(Notification.user_id == user.id))
    assert notice.startswith("Your password was typed rightly, and then a wrong code five times.")
    assert session.scalars(select(AuditLog).where(AuditLog.action == "user.second_step_failed")).one()


def test_ten_wrong_codes_over_several_sign_ins_lock_the_account(session: Session) -> None:
    user, secret = with_app()
    for number in range(10):
        with pytest.raises(entrance.WrongCode):
            entrance.by_code(enter(user).secret, wrong(secret), browser=Browser(f"192.0.2.{number}", ""))
    with pytest.raises(TooMany):
        enter(user, Browser("198.51.100.1", ""))


def test_a_pending_sign_in_lives_for_five_minutes(session: Session) -> None:
    user, secret = with_app()
    arrival = enter(user)
    age(session, 295)
    assert pending.whose(arrival.secret).id == user.id
    age(session, 10)
    with pytest.raises(pending.Ended):
        pending.whose(arrival.secret)
    with pytest.raises(pending.Ended):
        entrance.by_code(arrival.secret, code_now(secret), browser=HERE)


def age(session: Session, seconds: int) -> None:
    older = PendingSignIn.created_at - text(f"interval '{seconds} seconds'")
    session.execute(update(PendingSignIn).values(created_at=older))
    session.commit()


@pytest.mark.parametrize("unknown", ["", "x", "x" * 5000, "\ud800"])
def test_an_unknown_secret_is_no_pending_sign_in(session: Session, unknown: str) -> None:
    with pytest.raises(pending.Ended):
        entrance.by_code(unknown, "123456", browser=HERE)


def disable(user: User) -> None:
    users.set_active(user, False)


def change_password(user: User) -> None:
    users.change_password(user, old=PASSWORD, new="an entirely different one", keep=None)


def reset_password(user: User) -> None:
    users.reset_password(user)


def become_staff(user: User) -> None:
    administration.set_role(None, user.id, "support")


def lose_factors(user: User) -> None:
    reset.reset(None, user.id)


@pytest.mark.parametrize("meanwhile", [disable, change_password, reset_password, become_staff, lose_factors])
def test_an_account_that_changed_between_the_steps_opens_nothing(
    session: Session, meanwhile: Callable[[User], None]
) -> None:
    user, secret = with_app()
    arrival = enter(user)
    with transaction(CLI):
        meanwhile(user)
    with pytest.raises(pending.Ended):
        entrance.by_code(arrival.secret, code_now(secret), browser=HERE)
    assert open_sessions(session) == 0


def test_of_the_test_an_account_that_did_not_change_opens(session: Session) -> None:
    user, secret = with_app()
    arrival = enter(user)
    with transaction(CLI):
        users.set_mail_notices(user, False)
    assert entrance.by_code(arrival.secret, code_now(secret), browser=HERE)


def at_once(app: Flask, number: int, act: Callable[[], str]) -> list[str]:
    """What this many threads get, at the same time: a secret, or the type of the problem."""
    start, found = threading.Barrier(number), []

    def one() -> None:
        with app.app_context():
            start.wait()
            try:
                act()
                found.append("opened")
            except Problem as problem:
                found.append(problem.type)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_two_parallel_posts_of_one_pending_sign_in_open_one_session(app: Flask, session: Session) -> None:
    user, _ = with_app()
    codes = give_recovery_codes(user)
    secret = enter(user).secret
    left = list(codes)
    found = at_once(app, 4, lambda: entrance.by_recovery_code(secret, left.pop(), browser=HERE))
    assert found == ["opened", "sign_in_ended", "sign_in_ended", "sign_in_ended"]
    assert open_sessions(session) == 1


def test_one_code_in_parallel_from_several_sign_ins_opens_one_session(app: Flask, session: Session) -> None:
    user, secret = with_app()
    waiting = [enter(user).secret for _ in range(4)]
    code = code_now(secret)
    found = at_once(app, 4, lambda: entrance.by_code(waiting.pop(), code, browser=HERE))
    assert found == ["opened", "wrong_code", "wrong_code", "wrong_code"]
    assert open_sessions(session) == 1


def test_of_many_wrong_codes_at_once_five_are_looked_at(app: Flask, session: Session) -> None:
    user, secret = with_app()
    waiting, code = enter(user).secret, wrong(secret)
    found = at_once(app, 8, lambda: entrance.by_code(waiting, code, browser=HERE))
    assert found == ["sign_in_ended"] * 3 + ["wrong_code"] * 5


def test_cancelling_ends_it(session: Session) -> None:
    user, secret = with_app()
    arrival = enter(user)
    with transaction(Actor("user")):
        pending.give_up(arrival.secret)
    with pytest.raises(pending.Ended):
        entrance.by_code(arrival.secret, code_now(secret), browser=HERE)
