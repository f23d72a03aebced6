"""Pages of lessons and courses: what may be seen, newest first, filtered and searched, never further than the ceiling."""

import uuid
from typing import Any

import pytest

from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import listing
from lessonadmin.domain.lessons.listing import Page, Query
from lessonadmin.domain.models import User
from tests.domain.captions.support import transcribed
from tests.factories import make_course, make_lesson, make_playing_lesson, make_purchase, make_user
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def five_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is counted and read up to there."""
    monkeypatch.setattr(listing, "CEILING", 5)


def lessons(user: User, count: int, **columns: Any) -> list[uuid.UUID]:
    return [make_lesson(creator=user, title=f"Water {n}", **columns).id for n in range(count)]


def ids(page: Page[Any]) -> list[uuid.UUID]:
    return [one.id for one in page.items]


def test_pages_the_newest_first(user: User) -> None:
    made = lessons(user, 5)
    pages = [listing.lessons(user, Query(page=number, per_page=2)) for number in (1, 2, 3, 4)]
    assert [len(page.items) for page in pages] == [2, 2, 1, 0]
    assert [one for page in pages for one in ids(page)] == made[::-1]
    assert {(page.total, page.pages, page.more) for page in pages} == {(5, 3, False)}


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (20, 1), (21, 2), (40, 2)])
def test_an_empty_list_has_one_page(total: int, pages: int) -> None:
    assert Page([], total, 1, 20).pages == pages


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("instructor", {"own"}),
        ("support", {"own", "draft", "out", "bought"}),
        ("admin", {"own", "draft", "out", "bought"}),
        ("student", {"out", "bought"}),
    ],
)
def test_each_sees_what_is_theirs(role: str, names: set[str]) -> None:
    user, other = make_user(role=role), make_user()
    made = {
        "own": make_lesson(creator=user if role == "instructor" else other),
        "draft": make_lesson(creator=other),
        "out": make_playing_lesson(creator=other),
        "bought": make_playing_lesson(creator=other, status="draft", published_at=None),
    }
    make_purchase(made["bought"], user)
    found = listing.lessons(user, Query())
    assert {name for name, lesson in made.items() if lesson.id in ids(found)} == names
    assert found.total == len(names)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"draft", "out"}),
        ({"status": "draft"}, {"draft"}),
        ({"status": "published"}, {"out"}),
        ({"video_status": "ready"}, {"out"}),
        ({"video_status": "none"}, {"draft"}),
        ({"video_status": "error"}, set()),
        ({"status": "draft", "video_status": "ready"}, set()),
    ],
)
def test_filters(user: User, query: dict[str, Any], names: set[str]) -> None:
    made = {"draft": make_lesson(creator=user), "out": make_playing_lesson(creator=user)}
    found = listing.lessons(user, Query(**query))
    assert {name for name, lesson in made.items() if lesson.id in ids(found)} == names
    assert found.total == len(names)


def test_the_lessons_of_a_course(user: User) -> None:
    course = make_course(instructor=user)
    inside = make_lesson(creator=user, course=course)
    make_lesson(creator=user)
    assert ids(listing.lessons(user, Query(course_id=course.id))) == [inside.id]
    assert ids(listing.lessons(user, Query(course_id=uuid.uuid4()))) == []


@pytest.mark.parametrize("q", ["linear", "LIN", "alg lin", "matr", "node.j"])
def test_words_are_found_from_their_beginning(user: User, q: str) -> None:
    one = make_lesson(creator=user, title="Linear algebra", description="Matrices, node.js")
    make_lesson(creator=user, title="Cooking")
    make_lesson(title="Linear algebra", description="Matrices, node.js")
    found = listing.lessons(user, Query(q=q))
    assert (ids(found), found.total) == ([one.id], 1)


@pytest.mark.parametrize("query", [{}, {"status": "published"}])
def test_words_that_are_said_are_found_by_users_who_may_play(user: User, query: dict[str, Any]) -> None:
    written = make_lesson(creator=user, title="Sourdough", status="published").id
    paid = transcribed("Knead the sourdough.", creator=user, price_cents=900)
    free = transcribed("Knead the sourdough.", creator=user, price_cents=0).id
    transcribed("Knead the dough.", creator=user)
    buyer, student = make_user(role="student"), make_user(role="student")
    make_purchase(paid, buyer)
    for reader, expected in ((user, {written, paid.id, free}), (buyer, {paid.id, free}), (student, {free})):
        found = listing.lessons(reader, Query(q="sourd", **query))
        assert (set(ids(found)), found.total) == (expected, len(expected))
        assert ids(listing.lessons(reader, Query(q="sourdough bread", **query))) == []


@pytest.mark.parametrize("q", ["near", "linear cooking", "!!!", "linear | cooking", "linear & !cooking"])
def test_signs_are_no_language(user: User, q: str) -> None:
    make_lesson(creator=user, title="Linear algebra")
    make_lesson(creator=user, title="Cooking")
    assert listing.lessons(user, Query(q=q)).total == 0


@pytest.mark.usefixtures("five_rows")
@pytest.mark.parametrize("q", ["", "water"])
@pytest.mark.parametrize(("count", "more"), [(5, False), (6, True)])
def test_a_long_list_is_counted_and_read_up_to_its_ceiling(
    user: User, q: str, count: int, more: bool
) -> None:
    made = lessons(user, count)
    found = listing.lessons(user, Query(page=3, per_page=2, q=q))
    assert (found.total, found.more) == (5, more)
    assert ids(found) == made[::-1][4:6]


@pytest.mark.usefixtures("five_rows")
@pytest.mark.parametrize("q", ["", "water"])
def test_no_row_behind_the_ceiling_is_read(user: User, q: str) -> None:
    lessons(user, 6)
    with pytest.raises(Invalid) as refusal:
        listing.lessons(user, Query(page=2, per_page=5, q=q))
    assert "5th row" in (refusal.value.fields or {})["page"]


@pytest.mark.usefixtures("five_rows")
@pytest.mark.parametrize("q", ["", "water"])
def test_a_page_after_the_last_one_is_empty_and_reads_no_rows(user: User, q: str) -> None:
    lessons(user, 5)
    with counted() as sent:
        found = listing.lessons(user, Query(page=listing.LAST_PAGE, per_page=100, q=q))
    assert (found.items, found.total, found.page) == ([], 5, listing.LAST_PAGE)
    assert sent
    assert not [one for one in sent if "OFFSET" in one]


@pytest.mark.parametrize(
    ("role", "names"),
    [("instructor", {"own"}), ("support", {"own", "empty", "sells"}), ("student", {"sells"})],
)
def test_courses_that_are_theirs(role: str, names: set[str]) -> None:
    user = make_user(role=role)
    made = {
        "own": make_course(instructor=user if role == "instructor" else make_user()),
        "empty": make_course(),
        "sells": make_course(),
    }
    make_lesson(course=made["empty"])
    make_playing_lesson(course=made["sells"])
    found = listing.courses(user, Query())
    assert {name for name, course in made.items() if course.id in ids(found)} == names
    assert found.total == len(names)


def test_courses_are_searched_and_paged_likewise(user: User) -> None:
    made = [make_course(instructor=user, title=f"Bread {n}").id for n in range(3)]
    make_course(instructor=user, title="Watercolour")
    found = listing.courses(user, Query(q="bre", page=2, per_page=2))
    assert (ids(found), found.total) == ([made[0]], 3)
