"""Texts from outside become one plain line: nothing hides in them, and no secret or address leaves with them."""

import pytest

from lessonadmin.text import texts


@pytest.mark.parametrize(
    ("text", "may"), [("plain", True), ("Ünïcode\n", True), ("a\x00b", False), ("\ud800", False)]
)
def test_only_what_postgresql_takes_is_storable(text: str, may: bool) -> None:
    assert texts.storable(text) is may
    assert texts.storable(texts.made_storable(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\n  lines", "two lines"),
        ("turned \u202e around", "turned around"),
        ("see https://mux.example/x?token=1 now", "see [address] now"),
        ("password='abc'", "password='[secret]'"),
    ],
)
def test_plain_is_one_line_without_addresses_and_secrets(text: str, line: str) -> None:
    assert texts.plain(text) == line


def test_plain_is_cut_at_its_limit() -> None:
    assert texts.plain("x" * 10_000, max_length=20) == "x" * 19 + "…"


@pytest.mark.parametrize(
    ("text", "shown"), [("a\nb", "a\\nb"), ("\x1b[2J", "\\x1b[2J"), ("\u202e", "\\u202e")]
)
def test_what_a_terminal_would_obey_is_made_visible(text: str, shown: str) -> None:
    assert texts.visible(text) == shown
    assert texts.has_control(text)


def test_line_breaks_of_a_trace_can_stay() -> None:
    assert texts.visible("a\nb\x07", breaks=True) == "a\nb\\x07"
