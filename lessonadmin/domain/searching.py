"""What somebody typed into a search box, as a query of PostgreSQL's: every word, each from its beginning.

One function for pages, JSON and the panel. Whatever is typed is only ever a value: no operator of the query language
gets through, and nothing that can be typed raises.
"""

import re

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

LONGEST = 200
MOST_WORDS = 20
# white space, and what text in PostgreSQL cannot hold
BETWEEN_WORDS = re.compile(r"[\s\x00-\x1f\ud800-\udfff]+")


def words_of(typed: str) -> str | None:
    """The text of a tsquery, or None when nothing was asked for."""
    words = [word for word in BETWEEN_WORDS.split(typed[:LONGEST]) if word][:MOST_WORDS]
    if not words:
        return None
    # Quoted, so that the same parser that made the index takes each word apart ("node.js", "well-known").
    return " & ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "':*" for word in words)


def matches(column: InstrumentedAttribute[str], typed: str) -> ColumnElement[bool] | None:
    """The condition for a `search` column; None for an empty box, which leaves a list as it is."""
    query = words_of(typed)
    return None if query is None else column.op("@@")(func.to_tsquery("simple", query))
