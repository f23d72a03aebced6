"""A window begins with its first call, ends by the clock, and holds against many at once."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.errors import TooMany
from lessonadmin.domain.models import Throttle
from tests.settings import overridden


def ask(user_id: uuid.UUID) -> None:
    with transaction(Actor.user(user_id)):
        rate_limits.ask_mux(user_id)


@pytest.fixture
def three_a_minute(app: Flask) -> object:
    with overridden(asks_per_minute=3):
        yield


@pytest.mark.usefixtures("three_a_minute")
def test_so_many_and_no_more_for_each(session: Session) -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    for _ in range(3):
        ask(one)
    for _ in range(2):
        with pytest.raises(TooMany) as refusal:
            ask(one)
        assert 1 <= refusal.value.retry_after <= 60
        assert "Please try again in " in refusal.value.message
    ask(other)
    assert session.get_one(Throttle, f"asks:{one}").count == 3


@pytest.mark.usefixtures("three_a_minute")
@pytest.mark.parametrize(("age", "open_again"), [(59, False), (61, True), (100_000, True)])
def test_the_window_ends(session: Session, age: int, open_again: bool) -> None:
    user_id = uuid.uuid4()
    session.add(
        Throttle(key=f"asks:{user_id}", count=3, started_at=datetime.now(UTC) - timedelta(seconds=age))
    )
    session.commit()
    if not open_again:
        with pytest.raises(TooMany) as refusal:
            ask(user_id)
        assert refusal.value.retry_after <= 2
        return
    ask(user_id)
    row = session.get_one(Throttle, f"asks:{user_id}", populate_existing=True)
    assert row.count == 1
    assert datetime.now(UTC) - row.started_at < timedelta(seconds=5)


def test_uploads_have_a_window_of_an_hour(session: Session) -> None:
    user_id = uuid.uuid4()
    with overridden(uploads_per_hour=1):
        with transaction(Actor.user(user_id)):
            rate_limits.ask_for_upload(user_id)
        with pytest.raises(TooMany) as refusal, transaction(Actor.user(user_id)):
            rate_limits.ask_for_upload(user_id)
    assert 3590 <= refusal.value.retry_after <= 3600
    assert "1 hour" in refusal.value.message


@pytest.mark.usefixtures("three_a_minute")
def test_many_at_once_get_no_further(app: Flask) -> None:
    user_id, let_in, refused = uuid.uuid4(), [], []

    def try_once() -> None:
        with app.app_context():
            try:
                ask(user_id)
                let_in.append(1)
            except TooMany:
                refused.append(1)

    threads = [threading.Thread(target=try_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(let_in), len(refused)) == (3, 5)


def test_lists_and_what_is_made_are_counted_for_each_user_and_apart(session: Session) -> None:
    one, other = uuid.uuid4(), uuid.uuid4()

    def count(call: Callable[[uuid.UUID], None], user_id: uuid.UUID, most: int) -> None:
        with transaction(Actor.user(user_id)):
            for _ in range(most):
                call(user_id)
        with pytest.raises(TooMany), transaction(Actor.user(user_id)):
            call(user_id)

    count(rate_limits.read_list, one, rate_limits.MAX_LISTS)
    for what, most in rate_limits.MAX_MADE.items():
        count(partial(rate_limits.make, what), one, most)
        with transaction(Actor.user(other)):
            rate_limits.make(what, other)
