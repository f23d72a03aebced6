"""All rows of a query in slices by key, newest first, each by a short query of its own.

The transaction ends with each slice: a slow reader holds none open.
"""

from collections.abc import Iterator
from typing import Any

from lessonadmin.db import db

MAX_ROWS = 1000


def slices(query: Any, key: Any) -> Iterator[list[Any]]:
    query = query.order_by(None).order_by(key.desc()).limit(MAX_ROWS)
    found = query.all()
    while found:
        last = getattr(found[-1], key.key)
        yield found
        db.session.rollback()
        db.session.expunge_all()
        found = query.limit(None).filter(key < last).limit(MAX_ROWS).all() if len(found) == MAX_ROWS else []
