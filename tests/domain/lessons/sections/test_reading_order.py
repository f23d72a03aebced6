"""Course by course: lessons stand as their courses have them, in pages without gaps, and are read from indexes."""

import uuid

import pytest
from sqlalchemy import text

from lessonadmin.db import db
from lessonadmin.domain.lessons import catalog
from lessonadmin.domain.lessons.catalog import CataloguePage, Query
from lessonadmin.domain.models import Lesson, User
from tests.factories import make_course, make_lesson, make_playing_lesson, make_section, make_user
from tests.queries import asked, plans_of
from tests.trash import delete

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def student() -> User:
    return make_user(role="student")


def page(student: User, **query: str) -> CataloguePage:
    return catalog.page(student, Query(sort="course", **query))  # type: ignore[arg-type]


def titles(found: CataloguePage) -> list[str]:
    return [entry.lesson.title for entry in found.entries]


def school() -> list[Lesson]:
    """Titles count in the order in which they are to be read."""
    baking, clay = make_course(title="Baking"), make_course(title="Clay")
    twin = make_course(title="Clay")
    late = make_section(baking, title="Late", position=2)
    early = make_section(baking, title="Early", position=1)
    foreign = make_section(clay, title="Of clay", position=1)
    teacher = make_user(name="Ann")
    return [
        make_playing_lesson(creator=teacher, **columns)
        for columns in (
            {"title": "8", "course": None},
            {"title": "9", "course": None},
            {"title": "4", "course": baking, "section_id": late.id, "position": 2},
            {"title": "3", "course": baking, "section_id": early.id, "position": 3},
            {"title": "1", "course": baking, "position": 4},
            # a section of another course counts as none
            {"title": "2", "course": baking, "section_id": foreign.id, "position": 5},
            {"title": "5", "course": clay, "position": 1},
            {"title": "6", "course": clay, "section_id": foreign.id, "position": 0},
            {"title": "7", "course": twin, "position": 0},
        )
    ]


def test_lessons_are_read_course_by_course_and_section_by_section(student: User) -> None:
    school()
    make_lesson(title="Draft", course=make_course(title="Aa"))
    assert titles(page(student)) == [str(number) for number in range(1, 10)]


def test_pages_have_no_gap_and_no_repetition_in_both_directions(
    student: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    school()
    for size in (1, 2, 4):
        monkeypatch.setattr(catalog, "PER_PAGE", size)
        pages = [page(student)]
        while pages[-1].older is not None:
            pages.append(page(student, after=str(pages[-1].older)))
        assert [title for one in pages for title in titles(one)] == [str(number) for number in range(1, 10)]
        assert pages[0].newer is None
        back = pages[-1]
        for earlier in reversed(pages[:-1]):
            back = page(student, before=str(back.newer))
            assert (titles(back), back.older is not None) == (titles(earlier), True)
        assert back.newer is None


def test_a_place_that_is_gone_is_the_first_page_and_one_that_moved_counts_where_it_is(student: User) -> None:
    lessons = {one.title: one for one in school()}
    for gone in ("x", str(uuid.uuid4())):
        assert titles(page(student, after=gone)) == titles(page(student))
        assert titles(page(student, before=gone)) == titles(page(student))
    delete(lessons["4"])
    assert titles(page(student, after=str(lessons["4"].id)))[0] == "1"
    assert titles(page(student, after=str(lessons["9"].id))) == []
    assert titles(page(student, before=str(lessons["1"].id))) == []


MANY = """
WITH made AS (
  INSERT INTO courses (instructor_id, title) SELECT :teacher, 'Course ' || n FROM generate_series(1, 200) n RETURNING id
)
INSERT INTO lessons (creator_id, course_id, title, status, published_at, video_processing_status, mux_asset_id, mux_playback_id, playback_policy)
SELECT :teacher, id, 'Lesson ' || n, 'published', now(), 'ready', 'a', 'p', 'public' FROM made, generate_series(1, 10) n
"""


def test_its_page_is_read_from_indexes(student: User) -> None:
    """The courses in their order, and of each its lessons: what is sorted is the lessons of one course."""
    place = make_playing_lesson(course=make_course(title="Clay")).id
    db.session.execute(text(MANY), {"teacher": make_user().id})
    db.session.commit()
    for query in ({}, {"after": str(place)}):
        with asked() as sent:
            page(student, **query)
        (first, *_) = [one for one in sent if "ORDER BY" in one[0]]
        (plan,) = plans_of([first], without=("sort",))
        assert "Incremental Sort" in plan
        assert "ix_courses_title" in plan
        assert "ix_lessons_course_id" in plan
        assert ("Index Cond: (ROW(" in plan) is bool(query)
