"""Counting ends at a ceiling and says so; few rows named are the same rows; a plan is made for what is asked."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.querying import bounded_count, full_text
from tests.factories import make_lesson

pytestmark = pytest.mark.usefixtures("session")


def _found(word: str) -> list[Any]:
    condition = full_text.matches(Lesson.search, word)
    assert condition is not None
    return [condition]


@pytest.mark.parametrize(
    ("most", "number", "more"), [(10, 4, False), (4, 4, False), (3, 3, True), (1, 1, True)]
)
def test_counting_ends_at_the_ceiling_and_says_so(most: int, number: int, more: bool) -> None:
    for _ in range(4):
        make_lesson(title="Many")
    assert bounded_count.count(Lesson.id, [], most) == bounded_count.Count(number, more)


def _plainly(conditions: list[Any]) -> bounded_count.Count:
    return bounded_count.count(Lesson.id, conditions, 100)


def _by_search(conditions: list[Any]) -> bounded_count.Count:
    return bounded_count.count_found(Lesson.id, conditions, 100)


COUNTS = pytest.mark.parametrize("counted", [_plainly, _by_search])


@COUNTS
def test_few_rows_named_are_the_rows_that_fit(counted: Callable[[list[Any]], bounded_count.Count]) -> None:
    wanted = [make_lesson(title=f"Zanzibar {number}") for number in range(3)]
    make_lesson(title="Elsewhere")
    named = bounded_count.named(Lesson.id, _found("zanzi"), counted(_found("zanzi")))
    found = db.session.scalars(select(Lesson.id).where(named).order_by(Lesson.title)).all()
    assert found == [one.id for one in wanted]
    assert bounded_count.count(Lesson.id, [named], 10).number == 3


def test_more_than_a_few_are_counted_without_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_count, "MAX_IDS", 2)
    for _ in range(4):
        make_lesson(title="Water")
    assert bounded_count.count_found(Lesson.id, _found("water"), 10) == bounded_count.Count(4)
    assert bounded_count.count_found(Lesson.id, _found("water"), 3) == bounded_count.Count(3, more=True)
    named = bounded_count.named(Lesson.id, _found("water"), bounded_count.Count(4))
    assert bounded_count.count(Lesson.id, [named], 10).number == 4


@COUNTS
def test_nothing_named_is_nothing(counted: Callable[[list[Any]], bounded_count.Count]) -> None:
    make_lesson(title="Elsewhere")
    named = bounded_count.named(Lesson.id, _found("nowhere"), counted(_found("nowhere")))
    assert db.session.scalars(select(Lesson.id).where(named)).all() == []


@pytest.fixture
def small_ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_count, "NEWEST", 10)
    monkeypatch.setattr(bounded_count, "MANY_OF_NEWEST", 4)
    monkeypatch.setattr(bounded_count, "MAX_OF_MANY", 6)


def test_a_word_of_many_rows_is_counted_among_the_newest(small_ceilings: None) -> None:
    for number in range(20):
        make_lesson(title=("Water" if number % 2 else "Bread") + f" {number}")
    assert bounded_count.count_found(Lesson.id, _found("water"), 100) == bounded_count.Count(6, more=True)


def test_a_word_of_many_rows_is_counted_in_full_where_there_are_no_more_rows_than_would_be_read(
    small_ceilings: None,
) -> None:
    for number in range(18):
        make_lesson(title=("Water" if number % 2 else "Bread") + f" {number}")
    counted = bounded_count.count_found(Lesson.id, _found("water"), 100)
    assert (counted.number, counted.more, len(counted.ids or ())) == (9, False, 9)


def test_a_word_that_only_the_newest_have_is_counted_in_full(small_ceilings: None) -> None:
    for number in range(20):
        make_lesson(title=("Water" if number >= 15 else "Bread") + f" {number}")
    counted = bounded_count.count_found(Lesson.id, _found("water"), 100)
    assert (counted.number, counted.more, len(counted.ids or ())) == (5, False, 5)


def test_a_word_of_old_rows_is_counted_to_the_ceiling(small_ceilings: None) -> None:
    for number in range(20):
        make_lesson(title=("Water" if number < 9 else "Bread") + f" {number}")
    counted = bounded_count.count_found(Lesson.id, _found("water"), 100)
    assert (counted.number, counted.more, len(counted.ids or ())) == (9, False, 9)
    assert bounded_count.count_found(Lesson.id, _found("water"), 7) == bounded_count.Count(7, more=True)


@pytest.mark.parametrize(("wanted", "by_name"), [(2, False), (3, False), (4, True)])
def test_a_search_is_narrowed_to_names_unless_enough_of_the_newest_fit(
    small_ceilings: None, wanted: int, by_name: bool
) -> None:
    for number in range(12):
        make_lesson(title=("Water" if number % 4 == 3 else "Bread") + f" {number}")
    found = _found("water")
    narrowed = bounded_count.narrowed(Lesson.id, found, wanted)
    assert (narrowed is not found) == by_name
    assert bounded_count.count(Lesson.id, narrowed, 10).number == 3


def test_what_is_many_after_all_is_never_named(small_ceilings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_count, "MAX_NAMED", 2)
    for _ in range(3):
        make_lesson(title="Water")
    found = _found("water")
    assert bounded_count.narrowed(Lesson.id, found, 4) is found


def _plan_mode() -> str:
    return str(db.session.scalar(text("SHOW plan_cache_mode")))


def test_plans_are_made_by_values_for_one_transaction_only() -> None:
    bounded_count.plan_by_values()
    assert _plan_mode() == "force_custom_plan"
    db.session.rollback()
    assert _plan_mode() == "auto"


def test_the_index_of_temporary_ids_is_of_what_is_asked() -> None:
    """A partial index is only used by a query that says the same; once it said `temp\\_%%`, which no query asks for."""
    said = db.session.scalar(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_lessons_temporary'"))
    assert r"(mux_asset_id ~~ 'temp\_%'::text)" in str(said)
