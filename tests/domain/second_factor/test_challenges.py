"""Challenges: one answer each, for one purpose and account, for five minutes, and a hundred for an address."""

import threading

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.errors import TooMany
from lessonadmin.domain.models import PasskeyChallenge
from lessonadmin.domain.second_factor import challenges
from tests.factories import make_user

HERE = "192.0.2.1"


def take(secret: str, purpose: challenges.Purpose = "sign_in", **more: object) -> bytes | None:
    with transaction(CLI):
        return challenges.take(secret, purpose, **more)  # type: ignore[arg-type]


def begin(purpose: challenges.Purpose = "sign_in", **more: object) -> tuple[str, bytes]:
    with transaction(CLI):
        return challenges.begin(purpose, address=HERE, **more)  # type: ignore[arg-type]


def test_it_is_taken_once_and_its_secret_is_not_in_the_table(session: Session) -> None:
    secret, challenge = begin()
    kept = session.execute(text("SELECT to_jsonb(one)::text FROM passkey_challenges one")).scalar_one()
    assert secret not in kept
    assert take(secret) == challenge
    assert take(secret) is None


def test_it_serves_one_purpose_and_one_account(session: Session) -> None:
    mine, other = make_user(), make_user()
    secret, challenge = begin("add", user_id=mine.id)
    assert take(secret) is None
    assert take(secret, "second_step", user_id=mine.id) is None
    assert take(secret, "add", user_id=other.id) is None
    assert take(secret, "add") is None
    assert take(secret, "add", user_id=mine.id) == challenge


def test_it_lives_for_five_minutes(session: Session) -> None:
    secrets = [begin()[0] for _ in range(2)]
    for seconds, found in ((295, True), (10, False)):
        older = PasskeyChallenge.created_at - text(f"interval '{seconds} seconds'")
        session.execute(update(PasskeyChallenge).values(created_at=older))
        session.commit()
        assert (take(secrets.pop()) is not None) is found


def test_of_two_at_once_one_gets_it(app: Flask, session: Session) -> None:
    secret, _ = begin()
    start, found = threading.Barrier(4), []

    def one() -> None:
        with app.app_context():
            start.wait()
            found.append(take(secret) is not None)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, False, True]


def test_an_address_has_a_limited_number(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenges, "MAX_OPEN", 3)
    for _ in range(3):
        begin()
    with pytest.raises(TooMany):
        begin()
    with transaction(CLI):
        assert challenges.begin("sign_in", address="198.51.100.7")
    take(begin_after_one_is_used(session))


def begin_after_one_is_used(session: Session) -> str:
    session.execute(text("DELETE FROM passkey_challenges"))
    session.commit()
    return begin()[0]
