"""CSV files that people open in a spreadsheet: one guard against text that it would run as a formula.

Every CSV file of the product goes through `line`, and `meant` takes the guard off again where a file is read. Nothing here
knows where the values come from.
"""

import csv
import io
import re
from collections.abc import Iterable

from lessonadmin.text.texts import made_storable

GUARD = "'"
# Full width, small and mathematical forms of the signs are run as well.
SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212")
# Where a cell begins for a program that splits at another character than a comma, or has lost count of the quotes.
EDGE = ";\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
# What spreadsheets drop or do not show before a formula: blanks, controls and marks of direction, of every kind.
UNSEEN = (
    "\\x01-\\x20\\x7f-\\xa0\\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u180e"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
# The edge, and what follows it up to a sign or anything else: a long run costs no more than its length.
BEGINNING = re.compile(rf"""(\A|[{EDGE}])([{UNSEEN}'"]*+)""")
EDGES = re.compile(rf"(\A|[{EDGE}])")
GUARDED_EDGES = re.compile(rf"(\A|[{EDGE}]){GUARD}")


def cell(value: object) -> object:
    """Text that would be run gets a quote before it; numbers stay numbers, nothing stays empty."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    return BEGINNING.sub(_guarded, made_storable(str(value), instead=""))


def meant(text: str) -> str:
    """What a cell said before it was guarded."""
    return BEGINNING.sub(_bare, text)


def _guarded(found: re.Match[str]) -> str:
    return found[1] + (EDGES.sub(rf"\1{GUARD}", found[2]) if _is_run(found) else found[2])


def _bare(found: re.Match[str]) -> str:
    return found[1] + (GUARDED_EDGES.sub(r"\1", found[2]) if _is_run(found) else found[2])


def _is_run(found: re.Match[str]) -> bool:
    return found.string[found.end() : found.end() + 1] in SIGNS and found.end() < len(found.string)


def line(values: Iterable[object]) -> str:
    """One line of a file, with its line end. Everything is quoted, so that no other separator splits a cell."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow([cell(value) for value in values])
    return buffer.getvalue()
