"""What somebody typed into a search box, as a query of PostgreSQL's: every word, each from its beginning.

One function for pages, JSON and the panel. Whatever is typed is only ever a value: no operator of the query language
gets through, and nothing that can be typed raises.
"""

from functools import reduce

from sqlalchemy import ColumnElement, cast, false, func
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import InstrumentedAttribute

from lessonadmin.texts import one_line

LONGEST = 200
MOST_WORDS = 20


def matches(column: InstrumentedAttribute[str], typed: str) -> ColumnElement[bool] | None:
    """The condition for a `search` column; None for an empty box, which leaves a list as it is."""
    chunks = one_line(typed[:LONGEST]).split()
    if not chunks:
        return None
    words = [chunk for chunk in chunks if any(character.isalnum() for character in chunk)]
    if not words:
        return false()  # punctuation alone stands in no index
    asked = reduce(lambda one, other: one.op("&&")(other), map(_begins_with, words[:MOST_WORDS]))
    return column.op("@@")(asked)


def _begins_with(word: str) -> ColumnElement[object]:
    """Taken apart as the index was ("well-known"), or as one piece that it kept whole ("me@school.example")."""
    quoted = "'" + word.replace("\\", "\\\\").replace("'", "''") + "':*"
    return func.to_tsquery("simple", quoted).op("||")(cast(quoted.lower(), TSQUERY))
