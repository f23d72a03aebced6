"""The secret of an app: sealed, confirmed, each code once, and sealed anew with a new key."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lessonadmin import config
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.models import AuthenticatorApp, User
from lessonadmin.domain.second_factor import authenticator_app, factors, totp
from tests.factories import code_now, give_app, make_user
from tests.settings import overridden


def takes(user: User, code: str) -> bool:
    with transaction(CLI):
        return authenticator_app.takes(user, code)


def test_a_secret_is_not_in_the_table_and_counts_once_it_is_confirmed(session: Session) -> None:
    user = make_user()
    with transaction(CLI):
        authenticator_app.begin(user)
    secret = authenticator_app.unconfirmed_secret(user)
    assert secret is not None
    kept = session.execute(text("SELECT to_jsonb(one)::text FROM authenticator_apps one")).scalar_one()
    assert secret.hex() not in kept
    assert totp.typed(secret).replace(" ", "") not in kept
    assert not factors.of(user.id).app
    assert not takes(user, code_now(secret)), "it is confirmed first"
    with transaction(CLI):
        assert not authenticator_app.confirm(user, "000000" if code_now(secret) != "000000" else "111111")
        assert authenticator_app.confirm(user, code_now(secret))
    assert factors.of(user.id).app
    assert authenticator_app.unconfirmed_secret(user) is None
    assert not takes(user, code_now(secret)), "the code that confirmed it is used"


def test_beginning_again_replaces_what_was_not_confirmed_and_nothing_else(session: Session) -> None:
    user = make_user()
    with transaction(CLI):
        authenticator_app.begin(user)
        first = authenticator_app.unconfirmed_secret(user)
        authenticator_app.begin(user)
        second = authenticator_app.unconfirmed_secret(user)
    assert first != second
    known = give_app(make_user())
    other = session.scalars(select(User).order_by(User.id.desc())).first()
    assert other is not None
    with transaction(CLI):
        authenticator_app.begin(other)
    assert takes(other, code_now(known)), "the confirmed one stays"


@pytest.mark.parametrize("shape", ["{0}", " {0} ", "{1} {2}", "{1}-{2}"])
def test_a_code_is_taken_as_it_is_typed(session: Session, shape: str) -> None:
    user = make_user()
    code = code_now(give_app(user))
    assert takes(user, shape.format(code, code[:3], code[3:]))


@pytest.mark.parametrize("wrong", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "½23456", "1" * 5000])
def test_what_is_no_code_is_refused(session: Session, wrong: str) -> None:
    user = make_user()
    give_app(user)
    assert not takes(user, wrong)


def test_a_code_works_once_and_no_earlier_one_after_it(session: Session) -> None:
    user = make_user()
    secret = give_app(user)
    assert takes(user, code_now(secret))
    assert not takes(user, code_now(secret))
    assert not takes(user, code_now(secret, steps=-1))
    assert takes(user, code_now(secret, steps=1))


def test_of_many_at_once_one_has_the_code(app: Flask, session: Session) -> None:
    user = make_user()
    code = code_now(give_app(user))
    session.commit()
    start, taken = threading.Barrier(6), []

    def one() -> None:
        with app.app_context():
            start.wait()
            with transaction(CLI):
                taken.append(authenticator_app.takes(db.session.get_one(User, user.id), code))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]


def test_a_secret_moved_to_another_account_opens_nothing(session: Session) -> None:
    thief, victim = make_user(), make_user()
    secret = give_app(thief)
    give_app(victim)
    with transaction(CLI):
        mine, theirs = (session.get_one(AuthenticatorApp, one.id) for one in (thief, victim))
        theirs.sealed_secret = mine.sealed_secret
    assert not takes(victim, code_now(secret))


def test_use_seals_it_anew_with_the_present_key(session: Session) -> None:
    user = make_user()
    secret = give_app(user)
    former = config.current().secret_key
    with overridden(secret_key="a new key", secret_key_fallbacks=(former,)):
        assert takes(user, code_now(secret))
    with overridden(secret_key="a new key"):
        assert takes(user, code_now(secret, steps=1)), "the former key is needed no more"
    assert not takes(user, code_now(secret, steps=2))


def test_all_are_sealed_anew_at_once_and_what_cannot_be_read_is_counted(session: Session) -> None:
    give_app(make_user())
    give_app(make_user())
    lost = make_user()
    give_app(lost)
    with transaction(CLI):
        session.get_one(AuthenticatorApp, lost.id).sealed_secret = "abcdefabcdef:AAAA"
    former = config.current().secret_key
    assert tuple(session.execute(authenticator_app.under_other_keys()).one()) == (1, 1)
    with overridden(secret_key="a new key", secret_key_fallbacks=(former,)):
        assert tuple(session.execute(authenticator_app.under_other_keys()).one()) == (3, 1)
        with transaction(CLI):
            assert authenticator_app.seal_all_anew() == (2, 1)
            assert authenticator_app.seal_all_anew() == (0, 1)
        assert tuple(session.execute(authenticator_app.under_other_keys()).one()) == (1, 1)


def test_a_removed_app_is_gone_and_one_that_never_counted_is_not_told(session: Session) -> None:
    user = make_user()
    secret = give_app(user)
    with transaction(CLI):
        assert authenticator_app.remove(user)
        assert not authenticator_app.remove(user)
        authenticator_app.begin(user)
        assert not authenticator_app.remove(user)
    assert not takes(user, code_now(secret))
