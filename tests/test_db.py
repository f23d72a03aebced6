"""Many rows, each alone: one that fails is rolled back and reported, and the next one is done all the same."""

import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lessonadmin.db import db, each_alone

log = logging.getLogger(__name__)


def test_a_row_that_fails_does_not_stop_the_others(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Exception] = []
    done: list[int] = []
    for row in (1, 0, 2):
        with each_alone(log, "row %s failed", row, on_failure=failures.append):
            db.session.execute(text("SELECT 1 / :row"), {"row": row})
            done.append(row)
    assert done == [1, 2]
    assert len(failures) == 1
    assert "row 0 failed" in caplog.text


def test_an_outage_is_raised() -> None:
    failures: list[Exception] = []
    outage = OperationalError("SELECT 1", {}, Exception("the server closed the connection"))
    with (
        pytest.raises(OperationalError),
        each_alone(log, "row %s failed", 1, on_failure=failures.append),
    ):
        raise outage
    assert failures == []
