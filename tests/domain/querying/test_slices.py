"""All rows of a query in slices by key: each once, newest first, and no transaction longer than one slice."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.domain.models import Lesson
from lessonadmin.domain.querying import slices
from tests.factories import make_lesson, make_user


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MAX_ROWS", 3)


def titles_of(count: int) -> list[str]:
    creator = make_user()
    return [
        make_lesson(creator=creator, title=f"Lesson {number % 2}-{number}").title for number in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (2, [2]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])]
)
def test_each_row_comes_once_and_the_newest_first(session: Session, count: int, sizes: list[int]) -> None:
    made = titles_of(count)
    query = session.query(Lesson).order_by(Lesson.title)
    found = [[row.title for row in rows] for rows in slices.slices(query, Lesson.id)]
    assert [len(rows) for rows in found] == sizes
    assert [title for titles in found for title in titles] == made[::-1]


def test_only_rows_of_the_query_come(session: Session) -> None:
    titles = titles_of(8)
    query = session.query(Lesson).filter(Lesson.title.startswith("Lesson 1"))
    found = [row.title for rows in slices.slices(query, Lesson.id) for row in rows]
    assert found == [title for title in titles[::-1] if title.startswith("Lesson 1")]
    assert len(found) == 4


def test_each_slice_has_a_transaction_of_its_own_and_leaves_no_row_in_memory(session: Session) -> None:
    titles_of(7)
    session.rollback()
    session.expunge_all()
    begun, held = [], []
    for _ in slices.slices(session.query(Lesson), Lesson.id):
        begun.append(session.scalar(select(func.now())))
        held.append(len(list(session.identity_map)))
    assert len(set(begun)) == 3
    assert held == [3, 3, 1]
