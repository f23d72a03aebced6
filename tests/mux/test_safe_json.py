"""JSON from outside: whatever is read can be stored, however deep, long or odd it is."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.mux.safe_json import HIDDEN, MAX_DEPTH, clean, load
from tests.cases import each_of
from tests.mux.json_values import levels, storable


def nested(depth: int, *, of: str = "[") -> str:
    """JSON with so many levels."""
    begin, end = ("[", "]") if of == "[" else ('{"a":', "}")
    return begin * depth + "1" + end * depth


@each_of(
    ("text", "expected"),
    [
        ("1234567890123456789", 1234567890123456789),
        ("12345678901234567890", 1.2345678901234567e19),
        ("-123456789012345678", -123456789012345678),
        ("1" * 25, 1.1111111111111111e24),
        ("9" * 100_000, None),
        ("1e999", None),
        ("NaN", None),
        ("-Infinity", None),
        ("1.5", 1.5),
        ("true", True),
    ],
)
def test_numbers_are_bounded(text: str, expected: object) -> None:
    found = clean(load(text))
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("b\x00c", "b\ufffdc"),
        ("\ud800", "\ufffd"),
        ("two\nlines", "two\nlines"),
        ("🎬", "🎬"),
        ({"a\x00": 1}, {"a\ufffd": 1}),
        (["\x00", {"x": ["\udfff"]}], ["\ufffd", {"x": ["\ufffd"]}]),
        (None, None),
    ],
)
def test_characters_that_a_database_refuses_are_replaced(told: object, kept: object) -> None:
    assert clean(told) == kept


@pytest.mark.parametrize(
    "text", ["", " ", "{", "[1] x", "{'a': 1}", "[" * 500_000, '{"a":' + '"\\' * 300_000]
)
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        load(text)


@pytest.mark.parametrize("of", ["[", "{"])
def test_what_is_nested_too_deeply_is_cut_at_the_bound(of: str) -> None:
    kept = clean(load(nested(MAX_DEPTH, of=of)))
    assert json.dumps(kept, separators=(",", ":")) == nested(MAX_DEPTH, of=of)
    assert levels(clean(load(nested(MAX_DEPTH + 1, of=of)))) == MAX_DEPTH


@pytest.mark.parametrize("of", ["[", "{"])
def test_deeper_than_python_reads_the_rest_is_kept_all_the_same(of: str) -> None:
    deep = nested(sys.getrecursionlimit() * 50, of=of)
    found = load(f'{{"before": "]}}", "deep": {deep}, "after": ["[", "\\\\", "\\"{{"]}}')
    assert levels(found) == MAX_DEPTH
    assert (found["before"], found["after"]) == ("]}", ["[", "\\", '"{'])


def test_a_nearly_full_stack_is_a_value_error() -> None:
    def fill() -> None:
        try:
            fill()
        except RecursionError:
            load(nested(MAX_DEPTH))

    with pytest.raises(ValueError, match="nested too deeply"):
        fill()


def test_text_under_a_hidden_key_does_not_stay_wherever_it_is() -> None:
    told = {"url": "secret", "a": [{"url": "secret", "b": {"url": "secret"}}], "kept": "url"}
    hidden = {"url": HIDDEN, "a": [{"url": HIDDEN, "b": {"url": HIDDEN}}], "kept": "url"}
    assert clean(told, hide={"url"}) == hidden
    assert clean(told) == told


def test_what_is_no_text_under_a_hidden_key_is_looked_through() -> None:
    told = {"url": {"url": "secret", "x": "\x00"}, "token": 5}
    assert clean(told, hide={"url", "token"}) == {"url": {"url": HIDDEN, "x": "\ufffd"}, "token": 5}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_whatever_is_cleaned_can_be_stored_and_is_clean(value: Any) -> None:
    found = clean(value)
    assert storable(found)
    assert clean(found) == found
    assert load(json.dumps(found)) == found
