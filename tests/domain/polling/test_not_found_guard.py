"""When "gone" is not believed: many at once, of different lessons, within the hour, and hardly one found."""

import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lessonadmin.domain.models import MuxCall
from lessonadmin.domain.polling import environment, not_found_guard
from tests.factories import keep

MANY = environment.MAX_GONE + 1


def answers(count: int, outcome: str, *, operation: str = "get_asset", **columns: Any) -> None:
    """So many looks, each at another lesson unless `target_id` is given."""
    for _ in range(count):
        target = {"target_type": "lesson", "target_id": uuid.uuid4(), **columns}
        keep(MuxCall(operation=operation, outcome=outcome, **target))


def gone(count: int, **columns: Any) -> None:
    answers(count, not_found_guard.GONE, **columns)


@pytest.mark.parametrize(
    ("called_gone", "found", "suspicious"),
    [(0, 0, 0), (MANY - 1, 0, 0), (MANY, 0, MANY), (MANY, 1, MANY), (MANY, 2, 0)],
)
def test_so_many_gone_for_so_few_found_are_suspicious(
    session: Session, called_gone: int, found: int, suspicious: int
) -> None:
    gone(called_gone)
    answers(found, "ok")
    assert not_found_guard.suspicious_not_found() == suspicious


def test_one_lesson_that_is_looked_at_again_and_again_counts_once(session: Session) -> None:
    gone(3 * MANY, target_id=uuid.uuid4())
    assert not_found_guard.suspicious_not_found() == 0
    gone(MANY)
    answers(3, "ok", target_id=uuid.uuid4())
    assert not_found_guard.suspicious_not_found() == MANY + 1, "and one that is found, too"


def test_uploads_that_are_gone_or_found_count_like_assets(session: Session) -> None:
    gone(MANY, operation="get_upload")
    assert not_found_guard.suspicious_not_found() == MANY
    answers(2, "ok", operation="get_upload")
    assert not_found_guard.suspicious_not_found() == 0


@pytest.mark.parametrize(
    ("outcome", "operation"),
    [("ok", "nothing to ask"), ("ok", "delete_asset"), ("server_error", "get_asset")],
)
def test_only_a_look_that_found_something_speaks_for_the_token(
    session: Session, outcome: str, operation: str
) -> None:
    gone(MANY)
    answers(MANY, outcome, operation=operation)
    assert not_found_guard.suspicious_not_found() == MANY


def age(session: Session, outcome: str) -> None:
    session.execute(
        text("UPDATE mux_calls SET at = at - interval '61 minutes' WHERE outcome = :o"), {"o": outcome}
    )
    session.commit()


def test_what_is_older_than_an_hour_does_not_count(session: Session) -> None:
    gone(MANY)
    answers(MANY, "ok")
    age(session, "ok")
    assert not_found_guard.suspicious_not_found() == MANY
    age(session, not_found_guard.GONE)
    assert not_found_guard.suspicious_not_found() == 0
