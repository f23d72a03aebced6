"""Ids that an older program made up before Mux had given one (`temp_...`), for assets and for playback ids alike.

The rule in Python and in SQL. Mux has never seen such an id: it is never asked for, and nothing with it is on sale.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column

PREFIX = "temp_"
# As the partial indexes have it: a condition that is written in another way does not use them.
PATTERN = r"'temp\_%'"


def is_temporary(mux_id: str | None) -> bool:
    """Is this an asset or playback id that Mux has never given?"""
    return str(mux_id or "").startswith(PREFIX)


def temporary(column: Any) -> ColumnElement[bool]:
    """The same for queries; never NULL, so it can be turned around."""
    return and_(column.is_not(None), column.like(literal_column(PATTERN)))
