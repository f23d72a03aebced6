"""An instructor's list of lessons: what needs attention first, then the newest; filtered, searched, in pages without gaps."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lessonadmin.domain.lessons import worklist
from lessonadmin.domain.lessons.worklist import Page, Query
from lessonadmin.domain.models import Lesson, User
from tests.factories import make_lesson, make_playing_lesson, make_tracking, make_user

pytestmark = pytest.mark.usefixtures("session")
NOW = datetime.now(UTC)


@pytest.fixture
def user() -> User:
    return make_user()


def titles(page: Page) -> list[str]:
    return [lesson.title for lesson in page.lessons]


def failed(user: User, title: str) -> Lesson:
    return make_lesson(creator=user, title=title, video_processing_status="error")


@pytest.fixture
def one_of_each(user: User) -> None:
    """Named by what it is; the later made is the newer."""
    failed(user, "failed")
    stuck = make_lesson(creator=user, title="stuck", video_processing_status="processing")
    make_tracking(stuck, status="processing", created_at=NOW - timedelta(days=1))
    moving = make_lesson(creator=user, title="moving", video_processing_status="uploading")
    make_tracking(moving)
    make_tracking(
        make_playing_lesson(creator=user, title="replaced"), status="processing", mux_asset_id="new"
    )
    make_lesson(creator=user, title="deleting", video_processing_status="deleting")
    overtaken = make_lesson(creator=user, title="draft")
    make_tracking(overtaken, superseded_at=NOW)
    make_playing_lesson(creator=user, title="published")
    failed(make_user(), "of another")


ALL = ["stuck", "failed", "published", "draft", "deleting", "replaced", "moving"]


@pytest.mark.usefixtures("one_of_each")
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("", ALL),
        ("attention", ["stuck", "failed"]),
        ("moving", ["stuck", "deleting", "replaced", "moving"]),
        ("draft", ["stuck", "failed", "draft", "deleting", "moving"]),
        ("published", ["published", "replaced"]),
    ],
)
def test_what_needs_attention_stands_first_and_then_the_newest(
    user: User, state: Any, expected: list[str]
) -> None:
    page = worklist.page(user, Query(state=state))
    assert titles(page) == expected
    assert (page.total, page.capped) == (len(expected), False)
    assert page.counts == {"attention": 2, "moving": 4}, "of all that is theirs, whatever is filtered"


@pytest.mark.usefixtures("one_of_each")
def test_staff_see_all() -> None:
    page = worklist.page(make_user(role="support"), Query(state="attention"))
    assert titles(page) == ["of another", "stuck", "failed"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("title", "abc"),
        ("-title", "cba"),
        ("price", "bca"),
        ("-price", "acb"),
        ("created", "cab"),
        ("-created", "bac"),
        ("", "abc"),  # "a" failed, then the newest
    ],
)
def test_orders(user: User, sort: Any, expected: str) -> None:
    for title, price, hours in (("c", 500, 3), ("a", 900, 2), ("b", 0, 1)):
        make_lesson(
            creator=user, title=title, price_cents=price, created_at=NOW - timedelta(hours=hours),
            video_processing_status="error" if title == "a" else "none",
        )  # fmt: skip
    assert "".join(titles(worklist.page(user, Query(sort=sort)))) == expected


@pytest.mark.parametrize("sort", ["", *worklist.ORDERS])
@pytest.mark.parametrize("urgent", [0, 3, 20, 25], ids=lambda count: f"{count} urgent")
def test_pages_show_each_lesson_once(user: User, sort: Any, urgent: int) -> None:
    """All are alike in title, price and age."""
    for number in range(45):
        make_lesson(
            creator=user, title="Same", created_at=NOW, video_processing_status="error" if number < urgent else "none"
        )  # fmt: skip
    pages = [worklist.page(user, Query(sort=sort, page=number)) for number in (1, 2, 3)]
    assert [len(page.lessons) for page in pages] == [20, 20, 5]
    assert [(page.pages, page.first) for page in pages] == [(3, 1), (3, 21), (3, 41)]
    shown = [lesson for page in pages for lesson in page.lessons]
    assert len({lesson.id for lesson in shown}) == 45
    if not sort:
        assert [one.video_processing_status for one in shown] == ["error"] * urgent + ["none"] * (45 - urgent)


@pytest.mark.parametrize(("asked", "shown"), [(1, 1), (2, 2), (3, 2), (9999, 2)])
def test_a_page_after_the_last_one_is_the_last_one(user: User, asked: int, shown: int) -> None:
    for _ in range(21):
        make_lesson(creator=user)
    page = worklist.page(user, Query(page=asked))
    assert (page.page, len(page.lessons)) == (shown, 20 if shown == 1 else 1)


def test_an_empty_list_is_one_page(user: User) -> None:
    page = worklist.page(user, Query(page=7))
    assert (page.lessons, page.total, page.page, page.pages, page.first) == ([], 0, 1, 1, 1)


def test_words_are_found_within_the_state(user: User) -> None:
    failed(user, "Bread and water")
    make_lesson(creator=user, title="Bread alone")
    failed(user, "Water alone")
    assert titles(worklist.page(user, Query(q="brea"))) == ["Bread and water", "Bread alone"]
    page = worklist.page(user, Query(q="brea", state="attention"))
    assert (titles(page), page.total, page.counts["attention"]) == (["Bread and water"], 1, 2)


@pytest.mark.parametrize(("count", "capped"), [(4, False), (5, False), (6, True)])
def test_totals_stop_at_the_ceiling(
    user: User, monkeypatch: pytest.MonkeyPatch, count: int, capped: bool
) -> None:
    monkeypatch.setattr(worklist, "CEILING", 5)
    for number in range(count):
        failed(user, f"Lesson {number}")
    page = worklist.page(user, Query())
    assert (page.total, page.capped) == (min(count, 5), capped)
    assert page.counts["attention"] == min(count, 5)


def test_has_any_is_of_ones_own(user: User) -> None:
    make_lesson()
    assert not worklist.has_any(user)
    assert worklist.has_any(make_user(role="support"))
    make_lesson(creator=user)
    assert worklist.has_any(user)


@pytest.mark.parametrize(
    ("text", "state"), [*((one, one) for one in worklist.STATES), ("evil", ""), ("Draft", ""), (" draft", "")]
)
def test_an_unknown_state_filters_nothing(text: str, state: str) -> None:
    assert worklist.read_state(text) == state


@pytest.mark.parametrize(
    ("text", "sort"), [*((one, one) for one in worklist.ORDERS), ("", ""), ("evil", ""), ("--title", "")]
)
def test_an_unknown_order_is_the_usual_one(text: str, sort: str) -> None:
    assert worklist.read_sort(text) == sort


def test_the_row_that_is_not_theirs_never_comes_by_a_filter(user: User) -> None:
    ids: set[uuid.UUID] = {failed(user, "mine").id}
    failed(make_user(), "theirs")
    for state in worklist.STATES[:2]:
        assert {one.id for one in worklist.page(user, Query(state=state)).lessons} == ids
