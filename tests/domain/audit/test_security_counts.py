"""Refusals by the minute: counts add up, and the busiest five minutes are found for all accounts or for one."""

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.audit import security_counts


@pytest.fixture
def counted(session: Session) -> Session:
    for counts in (
        {("bad_token", ""): 3, ("refused", "user:a"): 4},
        {("bad_token", ""): 2, ("refused", "user:b"): 7},
    ):
        security_counts.write(counts, db.session.connection())
    return session


def test_counts_of_one_minute_add_up(counted: Session) -> None:
    assert security_counts.busiest(["bad_token"]).count == 5
    assert security_counts.busiest(["bad_token", "refused"]).count == 16


def test_one_account_is_named_where_one_is_meant(counted: Session) -> None:
    burst = security_counts.busiest(["refused"], of_one_account=True)
    assert (burst.who, burst.count) == ("user:b", 7)


def test_nothing_refused_is_no_burst(session: Session) -> None:
    assert security_counts.busiest(["locked_out"]).count == 0


def test_the_day_lists_the_most_frequent_kind_first(counted: Session) -> None:
    assert [(one.kind, one.count) for one in security_counts.last_day()] == [
        ("refused", 11),
        ("bad_token", 5),
    ]
