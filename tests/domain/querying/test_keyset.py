"""Pages by key: each row once in both directions, also where many rows have the same value; nonsense in an address is no cursor."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lessonadmin.domain.models import Lesson, User
from lessonadmin.domain.querying import keyset
from lessonadmin.domain.querying.keyset import Order, Page
from tests.cases import each_of
from tests.factories import make_lesson, make_user

KEY = uuid.UUID("018f3c1e-0000-7000-8000-00000000002a")
AT = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
ORDERS = [
    Order(Lesson.price_cents, Lesson.id, True),
    Order(Lesson.price_cents, Lesson.id, False),
    Order(Lesson.id, Lesson.id, True),
    Order(Lesson.id, Lesson.id, False),
]


@pytest.fixture
def lessons(session: Session) -> list[Lesson]:
    """Eight, with two prices."""
    creator = make_user()
    return [make_lesson(creator=creator, price_cents=number % 2 * 100) for number in range(8)]


def page(session: Session, order: Order, *, number: int = 0, **arguments: str) -> Page:
    query = session.query(Lesson).order_by(Lesson.title)
    return keyset.read(query, order, arguments, page=number, size=3)


def sorted_ids(lessons: list[Lesson], order: Order) -> list[uuid.UUID]:
    rows = sorted(lessons, key=lambda one: (getattr(one, order.column.key), one.id), reverse=order.descending)
    return [row.id for row in rows]


def ids(found: Page) -> list[uuid.UUID]:
    return [row.id for row in found.rows]


@pytest.mark.parametrize("order", ORDERS)
def test_forwards_and_back_each_row_comes_once(session: Session, lessons: list[Lesson], order: Order) -> None:
    expected = sorted_ids(lessons, order)
    found = page(session, order)
    assert found.previous is None
    pages = [ids(found)]
    while found.next is not None:
        found = page(session, order, **found.next)
        pages.append(ids(found))
    assert pages == [expected[:3], expected[3:6], expected[6:]]
    back = []
    while found.previous is not None:
        found = page(session, order, **found.previous)
        back.append(ids(found))
        assert found.next is not None
    assert back == [expected[3:6], expected[:3]]


@pytest.mark.parametrize("order", ORDERS)
def test_the_end_is_a_full_page_without_a_next_one(
    session: Session, lessons: list[Lesson], order: Order
) -> None:
    found = page(session, order, end="1")
    assert ids(found) == sorted_ids(lessons, order)[-3:]
    assert found.next is None
    assert found.previous is not None


def test_of_two_cursors_the_one_to_begin_after_counts(session: Session, lessons: list[Lesson]) -> None:
    order = ORDERS[1]
    first = page(session, order)
    last = page(session, order, end="1")
    assert first.next is not None
    assert last.previous is not None
    assert (
        ids(page(session, order, end="1", **first.next, **last.previous)) == sorted_ids(lessons, order)[3:6]
    )


def test_a_page_by_its_number_has_neighbours_by_key(session: Session, lessons: list[Lesson]) -> None:
    order = ORDERS[1]
    expected = sorted_ids(lessons, order)
    found = page(session, order, number=1)
    assert ids(found) == expected[3:6]
    assert ids(page(session, order, **found.previous or {})) == expected[:3]
    assert ids(page(session, order, **found.next or {})) == expected[6:]


def test_a_cursor_outweighs_a_number(session: Session, lessons: list[Lesson]) -> None:
    order = ORDERS[1]
    following = page(session, order).next or {}
    assert ids(page(session, order, number=2, **following)) == sorted_ids(lessons, order)[3:6]


def test_numbers_reach_only_the_first_rows(
    session: Session, lessons: list[Lesson], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "MAX_OFFSET", 4)
    assert ids(page(session, ORDERS[1], number=10**9)) == sorted_ids(lessons, ORDERS[1])[4:7]


def test_without_rows_there_are_no_neighbours(session: Session) -> None:
    found = page(session, ORDERS[0], number=3)
    assert (found.rows, found.previous, found.next) == ([], None, None)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (Lesson.created_at, AT),
        (Lesson.price_cents, -5),
        (Lesson.price_cents, 2**31 - 1),
        (Lesson.title, 'ü " =1'),
        (Lesson.title, ""),
        (User.id, KEY),
    ],
)
def test_a_cursor_says_what_it_was_made_of(column: Any, value: Any) -> None:
    text = keyset.pack(value, KEY)
    assert keyset.unpack(text, column) == (value, KEY)
    assert "=" not in text


def packed(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@each_of(
    ("text", "column"),
    [
        (None, Lesson.title),
        ("", Lesson.title),
        ("!", Lesson.title),
        ("é", Lesson.title),
        (packed("x"), Lesson.title),
        (packed("x", str(KEY), "more"), Lesson.title),
        (packed("x", "no id"), Lesson.title),
        (packed("x", None), Lesson.title),
        (packed(7, str(KEY)), Lesson.title),
        (packed(None, str(KEY)), Lesson.title),
        (packed("a\x00b", str(KEY)), Lesson.title),
        (packed("\ud800", str(KEY)), Lesson.title),
        (packed("x", str(KEY)), Lesson.price_cents),
        (packed(str(2**31), str(KEY)), Lesson.price_cents),
        (packed(str(-(2**31)), str(KEY)), Lesson.price_cents),
        (packed("2026-11-21T10:00:00", str(KEY)), Lesson.created_at),
        (packed("yesterday", str(KEY)), Lesson.created_at),
        (packed("x", str(KEY)), User.id),
        (packed("x" * keyset.MAX_CURSOR_LENGTH, str(KEY)), Lesson.title),
        (base64.urlsafe_b64encode(b"[" * 1_400).decode(), Lesson.title),
    ],
)
def test_nonsense_is_no_cursor(text: str | None, column: Any) -> None:
    assert keyset.unpack(text, column) is None
