"""What the doctor's checks have in common: a line that is not ok says what to do, and no statement lasts for ever."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.health.doctor import examination
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line


@pytest.fixture
def context(session: Session) -> DoctorContext:
    return DoctorContext(db.engine, config.current())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (examination.ok("disk", "Much is free."), Line("ok", "disk", "Much is free.", "")),
        (examination.warn("disk", "Little is free.", "Free some."), Line("warn", "disk", "Little is free.", "Free some.")),
        (examination.fail("disk", "It is full.", "Free some."), Line("FAIL", "disk", "It is full.", "Free some.")),
    ],
)  # fmt: skip
def test_a_line_has_its_level_and_what_to_do(line: Line, expected: Line) -> None:
    assert line == expected


def test_a_statement_that_takes_too_long_is_ended(
    context: DoctorContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "STATEMENT_SECONDS", 1)
    with pytest.raises(OperationalError, match="statement timeout"), context.connection() as connection:
        connection.execute(text("SELECT pg_sleep(60)"))


def test_the_limit_holds_for_this_connection_alone(context: DoctorContext) -> None:
    limit = text("SHOW statement_timeout")
    with context.connection() as connection:
        own, number = connection.scalar(limit), connection.scalar(text("SELECT pg_backend_pid()"))
    assert own == f"{examination.STATEMENT_SECONDS}s"
    with context.engine.connect() as again:
        assert again.scalar(text("SELECT pg_backend_pid()")) == number, "the pool hands out the same one"
        assert again.scalar(limit) != own


def test_it_sees_what_is_committed_and_not_what_the_session_has_open(
    context: DoctorContext, session: Session
) -> None:
    session.execute(text("INSERT INTO heartbeats (name, at) VALUES ('clock', now())"))
    count = text("SELECT count(*) FROM heartbeats")
    with context.connection() as connection:
        assert connection.scalar(count) == 0
    session.commit()
    with context.connection() as connection:
        assert connection.scalar(count) == 1
