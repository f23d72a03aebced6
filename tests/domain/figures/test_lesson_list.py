"""Lessons by what came of them: in order, in pages, with few statements, and all of them for a file."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.figures import kept_sums, lesson_list
from lessonadmin.domain.figures.scope import Scope
from lessonadmin.domain.models import Lesson
from tests import queries
from tests.domain.figures.test_figures import sold
from tests.factories import make_lesson, make_user, make_view

DAY = datetime.now(UTC).date() - timedelta(days=2)


@pytest.fixture
def lessons(session: Session) -> dict[str, Lesson]:
    """One is watched, one is sold and never watched, one is both, one is neither."""
    instructor = make_user(name="Ada")
    found = {
        title: make_lesson(creator=instructor, title=title, price_cents=900)
        for title in ("watched", "sold", "both", "neither")
    }
    make_view(found["watched"], DAY, seconds=600, plays=9)
    make_view(found["both"], DAY, seconds=60, plays=20)
    make_view(found["both"], DAY - timedelta(days=40), seconds=6000)
    sold(found["sold"], 500)
    sold(found["sold"], 500)
    sold(found["both"], 2000)
    make_view(make_lesson(title="foreign"), DAY, seconds=6000)
    return found


def titles(lessons: dict[str, Lesson], sort: lesson_list.Sort, span: str = "30") -> list[str]:
    which = Scope(owner_id=lessons["sold"].creator_id)
    return [row.title for row in lesson_list.best(which, lesson_list.scope.read_span(span), sort, 1).rows]


def test_the_best_come_first(lessons: dict[str, Lesson]) -> None:
    assert titles(lessons, "minutes") == ["watched", "both", "sold"]
    assert titles(lessons, "plays") == ["both", "watched", "sold"]
    assert titles(lessons, "sales") == ["sold", "both", "watched"]
    assert titles(lessons, "cents") == ["both", "sold", "watched"]
    assert titles(lessons, "minutes", "all") == ["both", "watched", "sold"]
    row = lesson_list.best(Scope(), "30", "cents", 1).rows[0]
    assert (row.instructor, row.minutes, row.plays, row.sales, row.cents) == ("Ada", 1.0, 20, 1, 2000)


def test_in_pages_none_is_twice_and_none_is_left_out(
    lessons: dict[str, Lesson], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson_list, "PER_PAGE", 2)
    pages = [lesson_list.best(Scope(), "30", "minutes", number) for number in (1, 2, 3)]
    assert [[row.title for row in page.rows] for page in pages] == [
        ["foreign", "watched"],
        ["both", "sold"],
        [],
    ]
    assert [page.more for page in pages] == [True, False, False]
    with queries.counted() as sent:
        lesson_list.best(Scope(), "30", "minutes", 1)
    assert len(sent) == 7, "one of them asks for kept sums, and there are none"
    kept_sums.renew()
    with queries.counted() as sent:
        assert [row.title for row in lesson_list.best(Scope(), "30", "minutes", 1).rows] == [
            "foreign",
            "watched",
        ]
    assert len(sent) == 6
    for size, expected in (
        (1, ["foreign", "watched", "both", "sold"]),
        (3, ["foreign", "watched", "both", "sold"]),
    ):
        monkeypatch.setattr(lesson_list, "PER_PAGE", size)
        numbers = range(1, len(expected) // size + 2)
        assert [row.title for number in numbers for row in lesson_list.best(Scope(), "30", "minutes", number).rows] == expected  # fmt: skip


def test_what_is_equal_by_sales_is_no_question_of_views(lessons: dict[str, Lesson]) -> None:
    """An order by sales adds up sales alone; only the lessons of the page are asked for their views."""
    with queries.asked() as sent:
        assert titles(lessons, "sales")[:2] == ["sold", "both"]
    first = next(one for one, _ in sent if one.startswith("SELECT lessons.id"))
    assert "lesson_views" not in first


def test_what_is_in_the_trash_is_not_listed(lessons: dict[str, Lesson]) -> None:
    gone = update(Lesson).where(Lesson.id == lessons["watched"].id)
    db.session.execute(gone.values(deleted_at=datetime.now(UTC), status="draft", publish_on_ready=False))
    db.session.commit()
    assert titles(lessons, "minutes") == ["both", "sold"]


def test_a_file_has_all_lessons(lessons: dict[str, Lesson], monkeypatch: pytest.MonkeyPatch) -> None:
    which = Scope(owner_id=lessons["sold"].creator_id)
    with queries.counted() as sent:
        [rows] = lesson_list.every(which, "30")
    assert [(row.title, row.minutes, row.plays, row.sales, row.cents) for row in rows] == [
        ("neither", 0.0, 0, 0, 0), ("both", 1.0, 20, 1, 2000), ("sold", 0.0, 0, 2, 1000), ("watched", 10.0, 9, 0, 0),
    ]  # fmt: skip
    assert len(sent) == 5
    assert lesson_list.count(which) == 4
