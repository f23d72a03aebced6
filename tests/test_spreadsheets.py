"""What a spreadsheet would run is quoted, and nothing else is touched."""

import csv
import io

import pytest

from lessonadmin import spreadsheets


@pytest.mark.parametrize(
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
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a=1", "a=1"),
        ("a\x00b", "ab"),
        ("\x00=1", "'=1"),
    ],
)
def test_cells(value: object, written: object) -> None:
    assert spreadsheets.cell(value) == written


def test_a_line_is_read_back_as_it_was_written_but_for_the_quote() -> None:
    written = spreadsheets.line(["a, b", None, 'say "x"', "two\nlines", "=1", 3])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [
        ["a, b", "", 'say "x"', "two\nlines", "'=1", "3"]
    ]
