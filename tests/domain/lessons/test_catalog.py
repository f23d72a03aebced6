"""The catalogue: what is out or was bought, the latest first, in pages without gaps; no picture gives a video away."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lessonadmin.domain.errors import Missing
from lessonadmin.domain.lessons import catalog
from lessonadmin.domain.lessons.catalog import CataloguePage, Query
from lessonadmin.domain.models import Lesson, LessonProgress, User
from lessonadmin.domain.querying.dated_cursor import Cursor
from tests.factories import keep, make_course, make_lesson, make_playing_lesson, make_purchase, make_user
from tests.queries import asked, counted, plans_of

pytestmark = pytest.mark.usefixtures("session")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = uuid.UUID("01a1fc30-4459-7d2e-be8a-be56dc97f121")
NOT_OUT: list[dict[str, Any]] = [
    {"status": "draft"},
    {"status": "draft", "video_processing_status": "processing", "mux_playback_id": None},
    {"video_processing_status": "error", "mux_playback_id": None},
    {"video_processing_status": "none", "mux_asset_id": None, "mux_playback_id": None},
    {"mux_playback_id": None},
    {"mux_playback_id": ""},
    {"mux_playback_id": "temp_1"},
    {"mux_asset_id": "temp_1"},
]


@pytest.fixture
def student() -> User:
    return make_user(role="student")


def titles(page: CataloguePage) -> list[str]:
    return [entry.lesson.title for entry in page.entries]


def shown(user: User, **query: Any) -> list[str]:
    return titles(catalog.page(user, Query(**query)))


# what is seen


def test_the_latest_published_stands_first_and_undated_ones_before_all(student: User) -> None:
    for title, at in (("older", NOON), ("newer", NOON + timedelta(hours=1)), ("undated", None)):
        make_playing_lesson(title=title, published_at=at)
    assert shown(student) == ["undated", "newer", "older"]


@pytest.mark.parametrize("columns", NOT_OUT)
@pytest.mark.parametrize("role", ["student", "instructor", "admin"])
def test_what_is_not_out_is_not_there_for_any_role(role: str, columns: dict[str, Any]) -> None:
    course = make_course()
    lesson = make_playing_lesson(course=course, **columns)
    user = make_user(role=role)
    assert shown(user) == []
    assert (catalog.courses().entries, catalog.titles()) == ([], [])
    with pytest.raises(Missing):
        catalog.lesson(user, lesson.id)
    with pytest.raises(Missing):
        catalog.course(user, course.id)


@pytest.mark.parametrize("columns", NOT_OUT)
def test_what_was_bought_stays_for_its_buyer(student: User, columns: dict[str, Any]) -> None:
    course = make_course()
    lesson = make_playing_lesson(title="bought", course=course, **columns)
    make_purchase(lesson, student)
    assert shown(student) == []
    assert shown(student, bought=True) == ["bought"]
    assert catalog.lesson(student, lesson.id).id == lesson.id
    assert [one.id for one in catalog.course(student, course.id)[1]] == [lesson.id]
    assert shown(make_user(role="student"), bought=True) == []


def test_what_is_not_there_is_missing(student: User) -> None:
    with pytest.raises(Missing):
        catalog.lesson(student, ID)
    with pytest.raises(Missing):
        catalog.course(student, ID)


# filters


@pytest.fixture
def lessons_on_sale(student: User) -> dict[str, Any]:
    bread = make_course(title="Bread")
    make_playing_lesson(title="Sourdough", course=bread)
    make_playing_lesson(title="Sourness", description="What a starter tastes of", price_cents=500)
    bought = make_playing_lesson(title="Watercolour", price_cents=500)
    make_purchase(bought, student)
    make_purchase(make_playing_lesson(title="Oil", course=bread, price_cents=500), make_user(role="student"))
    return {"course_id": bread.id}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "sour"}, {"Sourdough", "Sourness"}),
        ({"q": "SOUR start"}, {"Sourness"}),
        ({"q": "dough"}, {"Sourdough"}),
        ({"q": "sourdogh"}, {"Sourdough"}),
        ({"q": "bread"}, {"Sourdough", "Oil"}),
        ({"free": True, "q": "bread"}, {"Sourdough"}),
        ({"bought": True, "q": "watercolor"}, {"Watercolour"}),
        ({"q": "zzzzzzz"}, set()),
        ({"q": "'%|!:*"}, set()),
        ({"course_id": True}, {"Sourdough", "Oil"}),
        ({"course_id": True, "q": "sour"}, {"Sourdough"}),
        ({"free": True}, {"Sourdough"}),
        ({"bought": True}, {"Watercolour"}),
        ({"bought": True, "free": True}, set()),
    ],
)
def test_filters(
    student: User, lessons_on_sale: dict[str, Any], query: dict[str, Any], expected: set[str]
) -> None:
    given = query | (lessons_on_sale if "course_id" in query else {})
    assert set(shown(student, **given)) == expected


def test_a_search_has_pages_and_says_what_it_finds_of_the_other_kind(student: User) -> None:
    creator, course = make_user(), make_course(title="Colours")
    for number in range(30):
        make_playing_lesson(
            creator=creator,
            title=f"Paint {number}",
            course=course,
            published_at=NOON + timedelta(minutes=number),
        )
    first = catalog.page(student, Query(q="paint"))
    assert (titles(first)[0], len(first.entries), first.newer, first.older) == ("Paint 29", 24, None, 2)
    second = catalog.page(student, Query(q="paint", number=2))
    assert (titles(second)[-1], len(second.entries), second.newer, second.older) == ("Paint 0", 6, 1, None)
    assert catalog.page(student, Query(q="paint", number=99)).entries == []
    assert (catalog.page(student, Query(q="piant")).similar, first.similar) == (True, False)
    assert [catalog.count_lessons(student, q) for q in ("paint", "colour", "", "zzzz")] == [30, 30, 0, 0]
    assert [catalog.count_courses(q) for q in ("paint", "colour", "colors", "")] == [0, 1, 1, 0]
    assert (catalog.courses("colors").similar, catalog.courses("colour").similar) == (True, False)


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        (Query(), True),
        (Query(q="x"), False),
        (Query(course_id=ID), False),
        (Query(free=True), False),
        (Query(bought=True), False),
        (Query(cursor=Cursor(None, ID)), False),
        (Query(instructor_id=ID), False),
        (Query(to_do=True), False),
        (Query(sort="title"), True),
        (Query(sort="title", after="x"), False),
    ],
)
def test_a_plain_query_filters_nothing(query: Query, plain: bool) -> None:
    assert query.plain is plain


# pages


@pytest.mark.parametrize("dated", [55, 30, 24, 0], ids=lambda count: f"{count} dated")
def test_pages_without_gap_or_repetition_in_both_directions(student: User, dated: int) -> None:
    """Two are published in each minute; the rest has no date."""
    creator = make_user()
    for number in range(55):
        at = NOON + timedelta(minutes=number // 2) if number < dated else None
        make_playing_lesson(creator=creator, title=f"{number:02}", published_at=at)
    pages = [catalog.page(student, Query())]
    while (older := pages[-1].older) is not None:
        pages.append(catalog.page(student, Query(cursor=older)))
    assert [len(page.entries) for page in pages] == [24, 24, 7]
    assert sorted(title for page in pages for title in titles(page)) == [f"{n:02}" for n in range(55)]
    assert [page.newer is not None for page in pages] == [False, True, True]
    back = catalog.page(student, Query(cursor=pages[2].newer))
    assert titles(back) == titles(pages[1])
    assert back.older is not None
    first = catalog.page(student, Query(cursor=back.newer))
    assert titles(first) == titles(pages[0])
    assert (first.newer, first.older is None) == (None, False)


@pytest.mark.parametrize("sort", ["title", "price"])
def test_other_orders_have_pages_without_gap_or_repetition_in_both_directions(
    student: User, sort: catalog.Sort
) -> None:
    creator = make_user()
    for number in range(55):
        make_playing_lesson(
            creator=creator, title=f"{number * 7 % 55:02}", price_cents=number * 7 % 55 // 2 * 100
        )
    make_playing_lesson(creator=creator, title="00 draft", status="draft")
    pages = [catalog.page(student, Query(sort=sort))]
    while (older := pages[-1].older) is not None:
        pages.append(catalog.page(student, Query(sort=sort, after=str(older))))
    found = [entry.lesson for page in pages for entry in page.entries]
    assert [len(page.entries) for page in pages] == [24, 24, 7]
    assert len({one.id for one in found}) == 55
    values = [one.title if sort == "title" else one.price_cents for one in found]
    assert values == sorted(values)
    assert pages[0].newer is None
    back = catalog.page(student, Query(sort=sort, before=str(pages[2].newer)))
    assert titles(back) == titles(pages[1])
    assert shown(student, sort=sort, after="nonsense") == titles(pages[0])


def test_lessons_of_one_instructor_are_shown_alone_and_instructors_without_any_are_not_offered(
    student: User,
) -> None:
    ann, bea, idle = (make_user(name=name) for name in ("Ann", "Bea", "Idle"))
    make_playing_lesson(creator=ann, title="a")
    make_playing_lesson(creator=bea, title="b")
    make_playing_lesson(creator=make_user(name=""), title="nameless")
    make_lesson(creator=idle)
    assert catalog.instructors() == [(ann.id, "Ann"), (bea.id, "Bea")]
    for sort in ("newest", "title", "price", "course"):
        assert shown(student, instructor_id=ann.id, sort=sort) == ["a"]
    assert shown(student, instructor_id=ID) == []
    assert shown(student, q="a", instructor_id=bea.id) == []


def test_what_is_done_can_be_left_out_and_only_by_the_one_who_has_done_it(student: User) -> None:
    for title in ("done", "begun", "new"):
        lesson = make_playing_lesson(title=title)
        if title != "new":
            row = {
                "seconds": 30,
                "duration": 61,
                "updated_at": NOON,
                "done_at": NOON if title == "done" else None,
            }
            keep(LessonProgress(user_id=student.id, lesson_id=lesson.id, **row))
    for sort in ("newest", "title", "price", "course"):
        assert sorted(shown(student, to_do=True, sort=sort)) == ["begun", "new"]
        assert sorted(shown(student, sort=sort)) == ["begun", "done", "new"]
    assert shown(student, to_do=True, q="done") == []
    assert sorted(shown(make_user(role="student"), to_do=True)) == ["begun", "done", "new"]


@pytest.mark.parametrize(
    ("sort", "index"), [("title", "ix_lessons_title"), ("price", "ix_lessons_price_cents")]
)
def test_each_order_is_read_from_an_index(student: User, sort: str, index: str) -> None:
    with asked() as sent:
        catalog.page(student, Query(sort=sort))  # type: ignore[arg-type]
    lists = [one for one in sent if "ORDER BY" in one[0]]
    (plan,) = plans_of(lists, without=("sort", "incremental_sort"))
    assert index in plan
    assert "Sort" not in plan


def test_a_page_costs_the_same_however_many_it_has(student: User) -> None:
    figures = []
    for _ in range(2):
        for _ in range(8):
            make_purchase(make_playing_lesson(course=make_course(), price_cents=100), student)
        with counted() as sent:
            assert len(catalog.page(student, Query()).entries) >= 8
        figures.append(len(sent))
    assert figures[0] == figures[1] <= 4


# what a user may do, and what they are shown of it


def entries_of(user: User, lessons: Sequence[Lesson]) -> list[tuple[bool, bool, bool]]:
    return [(one.plays, one.bought, one.cover is not None) for one in catalog.entries(user, lessons)]


def test_each_entry_says_whether_it_plays_and_was_bought(student: User) -> None:
    free, paid, bought = make_playing_lesson(), *(make_playing_lesson(price_cents=500) for _ in range(2))
    make_purchase(bought, student)
    lessons = [catalog.lesson(student, one.id) for one in (free, paid, bought)]
    assert entries_of(student, lessons) == [(True, False, True), (False, False, False), (True, True, True)]
    staff = make_user(role="support")
    make_purchase(paid, staff)
    assert entries_of(staff, lessons) == [(True, False, True)] * 3, "only students have bought something"
    assert catalog.entries(student, []) == []


@pytest.mark.parametrize(
    ("plays", "preview", "pictured"), [(True, True, "own"), (False, True, "preview"), (False, False, None)]
)
def test_who_may_not_play_a_public_video_gets_no_picture_of_it(
    student: User, plays: bool, preview: bool, pictured: str | None
) -> None:
    ready = {"video_processing_status": "ready", "mux_asset_id": "a", "mux_playback_id": "preview"}
    course = make_course(**(ready if preview else {}))
    made = make_playing_lesson(course=course, mux_playback_id="own")
    found = catalog.cover(catalog.lesson(student, made.id), plays=plays)
    assert (f"/{pictured}/thumbnail.jpg" in (found or "")) if pictured else found is None


# courses


def test_courses_with_something_to_watch_by_title(student: User) -> None:
    water, bread = make_course(title="Watercolour"), make_course(title="Bread")
    make_course(title="Empty")
    for course, count in ((water, 1), (bread, 2)):
        for _ in range(count):
            make_playing_lesson(course=course)
        make_lesson(course=course)
    assert [(one.course.title, one.lessons) for one in catalog.courses().entries] == [
        ("Bread", 2),
        ("Watercolour", 1),
    ]
    assert [one.course.id for one in catalog.courses("water").entries] == [water.id]
    assert catalog.courses("oil").entries == []
    assert catalog.titles() == [(bread.id, "Bread"), (water.id, "Watercolour")]


def test_the_lessons_of_a_course_stand_in_their_order(student: User) -> None:
    course = make_course()
    for position, title in ((3, "third"), (1, "first"), (2, "second")):
        make_playing_lesson(course=course, title=title, position=position)
    make_lesson(course=course, title="draft", position=0)
    found, lessons = catalog.course(student, course.id)
    assert found.id == course.id
    assert [lesson.title for lesson in lessons] == ["first", "second", "third"]
