"""Setting up and removing: with a recent proof, told, audited, and every other session ended."""

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, transaction
from lessonadmin.domain.accounts import sessions, users
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import AuditLog, Notification, SignInFailure, User, UserSession
from lessonadmin.domain.second_factor import entrance, factors, methods, passkeys, pending
from lessonadmin.domain.second_factor.entrance import Browser
from tests.authenticator import Authenticator
from tests.factories import PASSWORD, code_now, give_app, give_passkey, give_recovery_codes, make_user


def a_session(user: User) -> UserSession:
    with transaction(CLI):
        secret = sessions.begin(user, address="", user_agent="")
    known = sessions.by_session(secret)
    assert known is not None
    return known[1]


def let_the_proof_age(session: Session, minutes: int = 11) -> None:
    older = UserSession.proved_at - text(f"interval '{minutes} minutes'")
    session.execute(update(UserSession).values(proved_at=older))
    session.commit()


def set_up(user: User, here: UserSession) -> list[str]:
    with transaction(Actor.user(user.id)):
        methods.begin_app(user, here.id)
    secret = methods.secret_to_show(user, here.id)
    assert secret is not None
    with transaction(Actor.user(user.id)):
        return methods.confirm_app(user, here.id, code_now(secret))


def alive(session: Session, one: UserSession) -> bool:
    session.refresh(one)
    return one.ended_at is None


def test_setting_up_an_app_brings_codes_ends_other_sessions_and_is_told(session: Session) -> None:
    user = make_user()
    here, there, foreign = a_session(user), a_session(user), a_session(make_user())
    with transaction(CLI):
        waiting = pending.begin(user, way="password")
    codes = set_up(user, here)
    assert len(codes) == 10
    assert factors.of(user.id) == factors.Factors(app=True, passkeys=0, recovery_codes=10)
    assert [alive(session, one) for one in (here, there, foreign)] == [True, False, True]
    assert here.second_factor
    with pytest.raises(pending.Ended):
        pending.whose(waiting)
    actions = session.scalars(select(AuditLog.action).where(AuditLog.target_id == user.id)).all()
    assert {"user.app_added", "user.recovery_codes_made", "user.sessions_ended"} <= set(actions)
    (notice,) = session.scalars(select(Notification.message).where(Notification.user_id == user.id))
    assert notice.startswith("An authenticator app was added to your account. If it was not you,")


def test_a_wrong_code_sets_nothing_up(session: Session) -> None:
    user = make_user()
    here, there = a_session(user), a_session(user)
    with transaction(Actor.user(user.id)):
        methods.begin_app(user, here.id)
    with pytest.raises(Invalid), transaction(Actor.user(user.id)):
        methods.confirm_app(user, here.id, "abcdef")
    assert not factors.of(user.id).any
    assert alive(session, there)


def test_there_is_one_app_at_a_time(session: Session) -> None:
    user = make_user()
    here = a_session(user)
    set_up(user, here)
    with pytest.raises(Conflict), transaction(Actor.user(user.id)):
        methods.begin_app(user, here.id)


def test_removing_the_last_factor_removes_the_codes_and_the_strength_of_the_session(session: Session) -> None:
    user = make_user()
    here = a_session(user)
    set_up(user, here)
    there = a_session(user)
    with transaction(Actor.user(user.id)):
        methods.remove_app(user, here.id)
    assert factors.of(user.id) == factors.NONE
    assert [alive(session, one) for one in (here, there)] == [True, False]
    assert not here.second_factor
    arrival = entrance.by_password(email=user.email, password=PASSWORD, browser=Browser("", ""))
    assert not arrival.pending


def test_an_app_that_is_not_there_is_not_removed_and_ends_nothing(session: Session) -> None:
    user = make_user()
    here, there = a_session(user), a_session(user)
    with pytest.raises(Conflict), transaction(Actor.user(user.id)):
        methods.remove_app(user, here.id)
    assert alive(session, there)
    assert session.scalar(select(func.count(Notification.id))) == 0


def test_new_codes_replace_the_old_and_need_a_factor(session: Session) -> None:
    user = make_user()
    here = a_session(user)
    with pytest.raises(Conflict), transaction(Actor.user(user.id)):
        methods.new_recovery_codes(user, here.id)
    old = set_up(user, here)
    with transaction(Actor.user(user.id)):
        new = methods.new_recovery_codes(user, here.id)
    assert not set(old) & set(new)
    assert factors.of(user.id).recovery_codes == 10


def test_without_a_recent_proof_nothing_is_shown_or_changed(session: Session) -> None:
    user = make_user()
    here = a_session(user)
    with transaction(Actor.user(user.id)):
        methods.begin_app(user, here.id)
    let_the_proof_age(session)
    assert not methods.is_proved(here.id)
    for act in (
        lambda: methods.begin_app(user, here.id),
        lambda: methods.confirm_app(user, here.id, "123456"),
        lambda: methods.remove_app(user, here.id),
        lambda: methods.new_recovery_codes(user, here.id),
        lambda: methods.secret_to_show(user, here.id),
    ):
        with pytest.raises(methods.ProofNeeded), transaction(Actor.user(user.id)):
            act()


def test_nine_minutes_are_recent_and_a_session_that_ended_proves_nothing(session: Session) -> None:
    user = make_user()
    here = a_session(user)
    let_the_proof_age(session, 9)
    assert methods.is_proved(here.id)
    with transaction(CLI):
        sessions.end_all(user)
    assert not methods.is_proved(here.id)


def test_the_password_proves_for_ten_minutes_and_a_wrong_one_counts(session: Session) -> None:
    user = make_user()
    here, there = a_session(user), a_session(user)
    let_the_proof_age(session)
    with pytest.raises(Invalid):
        methods.prove_by_password(user, password="wrong", session_id=here.id, address="192.0.2.1")
    assert not methods.is_proved(here.id)
    assert len(session.scalars(select(SignInFailure)).all()) == 1
    methods.prove_by_password(user, password=PASSWORD, session_id=here.id, address="192.0.2.1")
    assert methods.is_proved(here.id)
    assert not methods.is_proved(there.id), "another browser proved nothing"
    assert len(session.scalars(select(SignInFailure)).all()) == 1


@pytest.mark.parametrize("temporary", [True, False])
def test_no_new_password_removes_a_factor(session: Session, temporary: bool) -> None:
    user = make_user()
    give_app(user)
    give_recovery_codes(user)
    with transaction(CLI):
        password = users.reset_password(user, temporary=temporary)
    assert factors.of(user.id) == factors.Factors(app=True, passkeys=0, recovery_codes=10)
    arrival = entrance.by_password(email=user.email, password=password, browser=Browser("", ""))
    assert arrival.pending


def add_passkey(user: User, here: UserSession, device: Authenticator, **lies: object) -> list[str]:
    with transaction(Actor.user(user.id)):
        options, secret = methods.begin_passkey(user, here.id, address="192.0.2.1")
    with transaction(Actor.user(user.id)):
        return methods.add_passkey(user, here.id, secret, device.make(options, **lies), name="Laptop")


def test_a_passkey_is_added_named_and_removed(session: Session) -> None:
    user = make_user()
    here, there = a_session(user), a_session(user)
    assert len(add_passkey(user, here, Authenticator())) == 10
    assert add_passkey(user, here, Authenticator()) == [], "there are codes already"
    assert factors.of(user.id) == factors.Factors(app=False, passkeys=2, recovery_codes=10)
    assert [alive(session, one) for one in (here, there)] == [True, False]
    first, second = passkeys.of(user.id)
    with transaction(Actor.user(user.id)):
        methods.rename_passkey(user, here.id, first.id, "Phone")
        methods.remove_passkey(user, here.id, second.id)
    session.refresh(here)
    assert here.second_factor
    with transaction(Actor.user(user.id)):
        methods.remove_passkey(user, here.id, first.id)
    session.refresh(here)
    assert not here.second_factor
    assert factors.of(user.id) == factors.NONE
    actions = session.scalars(select(AuditLog.action).where(AuditLog.target_id == user.id)).all()
    for action, times in (("added", 2), ("renamed", 1), ("removed", 2)):
        assert actions.count(f"user.passkey_{action}") == times
    told = " ".join(session.scalars(select(Notification.message).where(Notification.user_id == user.id)))
    assert "A passkey was added to your account: “Laptop”." in told
    assert "A passkey was removed from your account: “Phone”." in told


def test_a_passkey_is_added_for_the_challenge_of_this_account_only(session: Session) -> None:
    user, other = make_user(), make_user()
    here, theirs = a_session(user), a_session(other)
    with transaction(CLI):
        options, secret = methods.begin_passkey(other, theirs.id, address="")
    with pytest.raises(passkeys.Refused), transaction(CLI):
        methods.add_passkey(user, here.id, secret, Authenticator().make(options), name="")
    with pytest.raises(passkeys.Refused):
        add_passkey(user, here, Authenticator(), origin="https://evil.example")
    assert factors.of(user.id) == factors.NONE


def test_passkeys_of_others_and_without_a_proof_are_out_of_reach(session: Session) -> None:
    user, other = make_user(), make_user()
    give_passkey(other)
    here = a_session(user)
    (theirs,) = passkeys.of(other.id)
    with pytest.raises(Missing), transaction(CLI):
        methods.remove_passkey(user, here.id, theirs.id)
    with pytest.raises(Missing), transaction(CLI):
        methods.rename_passkey(user, here.id, theirs.id, "Mine")
    let_the_proof_age(session)
    for act in (
        lambda: methods.begin_passkey(user, here.id, address=""),
        lambda: methods.add_passkey(user, here.id, "x", "{}", name=""),
        lambda: methods.rename_passkey(user, here.id, theirs.id, "Mine"),
        lambda: methods.remove_passkey(user, here.id, theirs.id),
    ):
        with pytest.raises(methods.ProofNeeded), transaction(CLI):
            act()
