"""CSV files that people open in a spreadsheet: one guard against text that it would run as a formula.

Every CSV file of the product goes through `line`; nothing here knows where the values come from.
"""

import csv
import io
from collections.abc import Iterable

from lessonadmin.texts import made_storable

STARTS_A_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # full width ones are run as well
EATEN_BEFORE = ("\t", "\r", "\n")  # some spreadsheets drop these and run what follows


def cell(value: object) -> object:
    """Text that would be run gets a quote before it; numbers stay numbers, nothing stays empty."""
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    text = made_storable(str(value), instead="")
    risky = text.startswith(EATEN_BEFORE) or text.lstrip().startswith(STARTS_A_FORMULA)
    return f"'{text}" if risky else text


def line(values: Iterable[object]) -> str:
    """One line of a file, with its line end."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([cell(value) for value in values])
    return buffer.getvalue()
