"""The rows of one page of a list, or of one slice of its file, and what their cells need of all of them at once.

A view builds it, its template gets it as `data`, and formatters find it there: nothing is kept for a request elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lessonadmin.domain.querying.bounded_count import Count
from lessonadmin.domain.querying.keyset import Page


@dataclass(frozen=True)
class Listing:
    """`details`: what the view's `prepare` found for these rows."""

    rows: Sequence[Any]
    details: Any

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class PageOfRows(Listing):
    """`pinned`: so many of the first rows stand there whatever the order."""

    page: Page
    counted: Count
    pinned: int = 0
