"""What a spreadsheet would run is quoted, whatever it splits at, and nothing else is touched; the quote comes off again."""

import csv
import io
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessonadmin.text import spreadsheets
from tests.cases import each_of

PIECES = [
    "=",
    "+",
    "-",
    "@",
    "\uff1d",
    "'",
    '"',
    ";",
    ",",
    "\t",
    "\r",
    "\n",
    " ",
    "\u00a0",
    "\ufeff",
    "\u2028",
    "a",
    "1",
]
UNSEEN = ("Cc", "Cf", "Zs", "Zl", "Zp")
RISKY = st.text(alphabet=st.one_of(st.sampled_from(PIECES), st.characters(codec="utf-8")), max_size=20)


@each_of(
    ("value", "written"),
    [
        (None, ""),
        ("", ""),
        (" ", " "),
        (5, 5),
        (-5, -5),
        (-0.5, -0.5),
        ("-5", "'-5"),
        ("+49 30", "'+49 30"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),  # a program that splits at tabs begins a cell in the middle
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u200b\u3000=1", "'\u200b\u3000=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20x", "'\uff20x"),
        ("\ufe66x", "'\ufe66x"),
        ("a=1", "a=1"),
        ("a;=1", "a;'=1"),
        ("a; \t+1", "a;' \t'+1"),
        ('a;"=1', "a;'\"=1"),
        (";=1", ";'=1"),
        ("a\n- one\n- two", "a\n'- one\n'- two"),
        ("a, -1", "a, -1"),  # in quotes, the file's own separator separates nothing
        ("'=1", "''=1"),  # else it would come back without its own
        ("'tis; 'twas", "'tis; 'twas"),
        ("2026-11-29T01:00:00+00:00", "2026-11-29T01:00:00+00:00"),
        ("a\x00b", "ab"),
        ("\x00=1", "'=1"),
    ],
)
def test_cells(value: object, written: object) -> None:
    assert spreadsheets.cell(value) == written


@given(RISKY)
def test_the_guard_comes_off_as_it_was_put_on(text: str) -> None:
    stored = text.replace("\x00", "")
    assert spreadsheets.meant(str(spreadsheets.cell(stored))) == stored


def _starts_a_formula(cell: str) -> bool:
    """As a spreadsheet sees it: what is not seen is not there."""
    seen = cell.lstrip("".join(c for c in set(cell) if unicodedata.category(c) in UNSEEN))
    return bool(seen) and unicodedata.normalize("NFKC", seen[0]) in ("=", "+", "-", "@")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@settings(max_examples=60)
@given(values=st.lists(RISKY, min_size=1, max_size=4))
def test_no_cell_begins_with_a_sign_whatever_separates(separator: str, values: list[str]) -> None:
    text = "".join(spreadsheets.line(["first", *values]) for _ in range(2))
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert len(rows) >= 2
    for row in rows:
        assert not any(map(_starts_a_formula, row)), (row, text)


def test_every_character_that_is_not_seen_is_known() -> None:
    unseen = [c for c in map(chr, range(1, sys.maxunicode)) if unicodedata.category(c) in UNSEEN]
    assert len(unseen) > 100
    assert [hex(ord(c)) for c in unseen if spreadsheets.cell(f"{c}=1") == f"{c}=1"] == []


def test_a_long_run_takes_no_longer_than_its_length() -> None:
    began = time.process_time()
    spreadsheets.meant(str(spreadsheets.cell("\t" * 200_000)))
    spreadsheets.meant(str(spreadsheets.cell("\t" * 200_000 + "=")))
    assert time.process_time() - began < 2  # if each place looked ahead: minutes


def test_a_line_is_read_back_as_it_was_written_but_for_the_guard() -> None:
    written = spreadsheets.line(["a, b", None, 'say "x"', "two\nlines", "=1", 3])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [
        ["a, b", "", 'say "x"', "two\nlines", "'=1", "3"]
    ]
    assert written.startswith('"a, b","",')
    assert written.endswith(',"3"\r\n')
