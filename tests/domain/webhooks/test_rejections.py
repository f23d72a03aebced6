"""Refused webhooks are counted for the alarm, and a flood of them is written down once every few seconds."""

import logging
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain import hourly_statistics
from lessonadmin.domain.models import Rollup
from lessonadmin.domain.webhooks import rejections
from tests.queries import counted


class Clock:
    """In the place of the module `time`: it stands still until it is set."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(session: Session, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Nothing has been refused for a long time."""
    made = Clock()
    monkeypatch.setattr(rejections, "time", made)
    monkeypatch.setattr(rejections, "_written_at", made.now - 60)
    monkeypatch.setattr(rejections, "_waiting", Counter())
    return made


def written() -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(select(Rollup.label, Rollup.count).where(Rollup.figure == "rejected"))
    found = Counter[str]()
    for label, count in rows:
        found[label] += count
    return dict(found)


def test_the_first_one_is_written_at_once(clock: Clock) -> None:
    rejections.count("mismatch")
    assert written() == {"mismatch": 1}


def test_a_flood_is_written_with_the_next_one_after_a_few_seconds(clock: Clock) -> None:
    rejections.count("mismatch")
    clock.now += rejections.WRITE_EVERY_SECONDS - 0.1
    with counted() as statements:
        for _ in range(20):
            rejections.count("mismatch")
        for _ in range(3):
            rejections.count("stale")
    assert statements == []
    assert written() == {"mismatch": 1}
    clock.now += 0.2
    rejections.count("stale")
    assert written() == {"mismatch": 21, "stale": 4}
    clock.now += rejections.WRITE_EVERY_SECONDS
    rejections.count("stale")
    assert written() == {"mismatch": 21, "stale": 5}


def test_a_database_that_is_away_refuses_no_answer_and_loses_no_count(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("password=secret"))

    with monkeypatch.context() as away:
        away.setattr(hourly_statistics, "add", fails)
        rejections.count("mismatch")
    (line,) = [one for one in caplog.records if one.name == rejections.__name__]
    assert (line.levelno, line.getMessage()) == (
        logging.WARNING,
        "refused webhooks could not be counted: OperationalError",
    )
    clock.now += rejections.WRITE_EVERY_SECONDS
    rejections.count("stale")
    assert written() == {"mismatch": 1, "stale": 1}, "what could not be written is not lost"
