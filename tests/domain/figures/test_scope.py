"""Whose figures a user sees, and which days a word of the address means."""

import uuid
from datetime import date

import pytest
from sqlalchemy.orm import Session

from lessonadmin.domain.errors import Missing
from lessonadmin.domain.figures import scope
from lessonadmin.domain.figures.scope import Scope
from tests.factories import make_user


def test_an_instructor_has_their_own_and_staff_any(session: Session) -> None:
    mine, other, support = make_user(), make_user(), make_user(role="support")
    assert scope.of_user(mine, None) == (Scope(owner_id=mine.id), None)
    assert scope.of_user(mine, mine.id) == (Scope(owner_id=mine.id), None)
    for foreign in (other.id, uuid.uuid4()):
        with pytest.raises(Missing):
            scope.of_user(mine, foreign)
    assert scope.of_user(support, None) == (Scope(), None)
    assert scope.of_user(support, other.id) == (Scope(owner_id=other.id), other)
    with pytest.raises(Missing):
        scope.of_user(support, uuid.uuid4())


@pytest.mark.parametrize(
    ("word", "first"),
    [("7", date(2026, 11, 24)), ("", date(2026, 11, 1)), ("x", date(2026, 11, 1)), ("all", None)],
)
def test_which_days_a_word_means(word: str, first: date | None) -> None:
    assert scope.first_day(scope.read_span(word), date(2026, 11, 30)) == first
