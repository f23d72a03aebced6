"""Single fields out of untrusted JSON: the value if it is what it should be, else None, and never an error."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.mux import fields
from lessonadmin.mux.fields import (
    error_text,
    http_date,
    identifier,
    items,
    mapping,
    moment,
    number,
    short_text,
    web_address,
)
from lessonadmin.text.texts import has_control
from tests.cases import each_of

MAY_2024 = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("value", [None, [], [1], "x", 3, True])
def test_what_is_no_mapping_is_an_empty_one(value: object) -> None:
    assert mapping(value) == {}
    assert mapping({"a": value}) == {"a": value}


@pytest.mark.parametrize(
    ("value", "expected"), [([1, 2, 3, 4], [1, 2, 3]), ([], []), ("abcd", []), ({"a": 1}, []), (None, [])]
)
def test_items_are_those_of_a_list_and_only_so_many(value: object, expected: list[Any]) -> None:
    assert items(value, most=3) == expected


@pytest.mark.parametrize("value", ["a", "a b", " a ", "ä", "x" * fields.MAX_ID_LENGTH])
def test_an_id_is_taken_as_it_is(value: str) -> None:
    assert identifier(value) == value


@each_of(
    "value",
    ["", "  ", "a\nb", "a\x00", "a\x7f", "a\u202e", "\ud800", "a\ufffd", "x" * 256, None, 5, True, ["a"], {}],
)
def test_what_is_no_id_is_none(value: object) -> None:
    assert identifier(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("two\nlines", "two lines"),
        ("x" * 11, "x" * 9 + "…"),
        ("", None),
        (" \n ", None),
        (None, None),
        (5, None),
        (["a"], None),
    ],
)
def test_a_text_is_one_short_line_or_nothing(value: object, expected: str | None) -> None:
    assert short_text(value, max_length=10) == expected


@each_of(
    ("error", "expected"),
    [
        ({"messages": ["One.", "Two."]}, "One.; Two."),
        ({"messages": "One."}, "One."),
        ({"message": "One."}, "One."),
        ({"messages": ["One."], "message": "Two."}, "One.; Two."),
        ({"messages": [None, 3, "", " ", "Left."]}, "Left."),
        ({"messages": {}, "message": 3}, ""),
        ({}, ""),
        ({"messages": [str(number) for number in range(30)]}, "; ".join(map(str, range(20)))),
    ],
)
def test_what_an_error_says_is_read_in_each_of_its_forms(error: dict[str, Any], expected: str) -> None:
    assert error_text(error) == expected


@each_of(
    ("value", "expected"),
    [
        (0, 0.0),
        (-1.5, -1.5),
        ("7", 7.0),
        (" 1e3 ", 1000.0),
        ("1" * 5000, float("1" * 40)),
        (True, None),
        ("", None),
        ("x", None),
        ("nan", None),
        (float("nan"), None),
        (float("inf"), None),
        ("-inf", None),
        (10**400, None),
        (None, None),
        ([1], None),
    ],
)
def test_a_number_is_finite_or_none(value: object, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        1714564800,
        "1714564800",
        1714564800.0,
        "2024-05-01T12:00:00Z",
        "2024-05-01T14:00:00.000000+02:00",
        "2024-05-01T12:00:00",
    ],
)
def test_a_time_is_read_in_each_of_its_forms(value: object) -> None:
    assert moment(value) == MAY_2024


@each_of(
    "value",
    [
        None,
        True,
        "",
        "yesterday",
        "nan",
        "1e400",
        1e300,
        -(10**18),
        10**400,
        "9" * 60,
        [],
        {},
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
    ],
)
def test_no_time_is_none(value: object) -> None:
    assert moment(value) is None


@each_of(
    ("value", "expected"),
    [
        ("Wed, 01 May 2024 12:00:00 GMT", MAY_2024),
        ("Wed, 01 May 2024 14:00:00 +0200", MAY_2024),
        ("Wed, 01 May 2024 12:00:00 -0000", None),  # which says that its zone is not known
        ("Mon, 99 Foo 2024", None),
        ("soon", None),
        ("", None),
        (None, None),
        (1714564800, None),
    ],
)
def test_the_time_in_the_head_of_an_answer(value: object, expected: datetime | None) -> None:
    assert http_date(value) == expected


@pytest.mark.parametrize("url", ["https://x.example/u1?token=abc", "http://127.0.0.1:1/", "https://x/ä"])
def test_a_web_address_is_taken_as_it_is(url: str) -> None:
    assert web_address(url) == url


@each_of(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "//x",
        "ftp://x",
        "https://x/ y",
        "https://x/\n",
        'https://x/"',
        "https://",
        [],
        5,
    ],
)
def test_what_is_no_web_address_is_none(url: object) -> None:
    assert web_address(url) is None


@given(JSON)
def test_nothing_raises(value: Any) -> None:
    text, when = short_text(value), moment(value)
    assert text is None or (0 < len(text) <= 500 and not has_control(text))
    assert when is None or when.tzinfo is UTC
    assert not has_control(error_text(mapping(value)))
    for read in (identifier, web_address):
        assert read(value) in (value, None)
    http_date(value)
    items(value)
