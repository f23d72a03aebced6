"""One formula for how long to wait: the same in Python and in a query, bounded, and what Mux asks for goes first."""

import pytest
from sqlalchemy import Integer, literal, select
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain import backoff


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(-3, 15), (0, 15), (1, 15), (2, 30), (3, 60), (8, 1_920), (9, 3_600), (10**9, 3_600)],
)
def test_twice_as_long_each_time_up_to_a_bound(session: Session, attempts: int, seconds: float) -> None:
    assert backoff.pause(attempts, first=15) == seconds
    column = literal(attempts, Integer)
    assert db.session.scalar(select(backoff.pause_of(column, first=15))) == seconds


def test_the_bound_may_be_another_one(session: Session) -> None:
    assert backoff.pause(50, first=60, max_seconds=6 * 3_600) == 6 * 3_600
    found = db.session.scalar(select(backoff.pause_of(literal(50, Integer), first=60, max_seconds=6 * 3_600)))
    assert found == 6 * 3_600


@pytest.mark.parametrize(("asked", "seconds"), [(7.5, 7.5), (7_200, 7_200), (None, 15), (0, 15)])
def test_what_the_other_side_asks_for_goes_first(asked: float | None, seconds: float) -> None:
    assert backoff.pause(1, first=15, retry_after=asked) == seconds
