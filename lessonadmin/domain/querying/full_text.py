"""The text of a search box as a query of PostgreSQL's: every word, each from its beginning.

One function for pages, JSON and the panel. Whatever is typed is only ever a value: no operator of the query language
gets through, and nothing that can be typed raises. A single letter is looked for as a whole word, since nearly every title has
a word that begins with it; words beyond MAX_WORDS are not looked at.
"""

import re
import unicodedata
from functools import reduce

from sqlalchemy import ColumnElement, cast, false, func
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute

from lessonadmin.text.texts import one_line

MAX_LENGTH = 200
MAX_WORDS = 8
SEPARATORS = re.compile(r"[\W_]+")


def matches(column: InstrumentedAttribute[str], typed: str) -> ColumnElement[bool] | None:
    """The condition for a `search` column; None for an empty box, which leaves a list as it is."""
    chunks = one_line(typed[:MAX_LENGTH]).split()
    if not chunks:
        return None
    words = [chunk for chunk in chunks if any(character.isalnum() for character in chunk)]
    if not words:
        return false()  # punctuation alone stands in no index
    asked = reduce(lambda one, other: one.op("&&")(other), map(_begins_with, words[:MAX_WORDS]))
    return column.op("@@")(asked)


def _begins_with(word: str) -> ColumnElement[object]:
    """Taken apart as the index was ("well-known"), or as one piece that it kept whole ("me@school.example"). Letters alone
    are one piece either way, and what is asked twice is looked for twice."""
    asked = quoted(word) + ("" if is_short(word) else ":*")
    apart = func.to_tsquery("simple", asked)
    return apart if word.isalpha() else apart.op("||")(cast(asked.lower(), TSQUERY))


def quoted(word: str) -> str:
    """As a piece of PostgreSQL's query language that is nothing but this word."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def is_short(word: str) -> bool:
    """Nothing but single letters ("a", "a-b-c"). One sign of a script without capitals may be a whole word, and few begin with it."""
    parts = SEPARATORS.split(word)
    return all(len(part) < 2 and unicodedata.category(part or "a") != "Lo" for part in parts)
