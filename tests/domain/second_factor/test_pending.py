"""Pending sign-ins by themselves: one account each, used once, and ended with the factors. Their use: test_entrance.py."""

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, transaction
from lessonadmin.domain.second_factor import pending
from tests.factories import make_user


def test_it_belongs_to_the_account_that_made_it(session: Session) -> None:
    first, second = make_user(), make_user()
    with transaction(CLI):
        mine, theirs = (pending.begin(one, way="password") for one in (first, second))
    assert pending.whose(mine).id == first.id
    with transaction(CLI):
        user, way = pending.take(theirs)
    assert (user.id, way) == (second.id, "password")


def test_taking_it_uses_it_up(session: Session) -> None:
    with transaction(CLI):
        secret = pending.begin(make_user(), way="password")
    with transaction(CLI):
        pending.take(secret)
    with pytest.raises(pending.Ended), transaction(CLI):
        pending.take(secret)


def test_all_of_an_account_end_and_no_other(session: Session) -> None:
    user = make_user()
    with transaction(CLI):
        ended = [pending.begin(user, way="password") for _ in range(2)]
        kept = pending.begin(make_user(), way="password")
        pending.end_all(user.id)
    for secret in ended:
        with pytest.raises(pending.Ended):
            pending.whose(secret)
    assert pending.whose(kept)


def test_a_sixth_answer_is_not_counted(session: Session) -> None:
    with transaction(CLI):
        secret = pending.begin(make_user(), way="password")
        assert [pending.count_answer(secret) for _ in range(5)] == [1, 2, 3, 4, 5]
        with pytest.raises(pending.Ended):
            pending.count_answer(secret)
