"""A place by a moment that may be missing is written and read as it was, and nonsense is none."""

import uuid
from datetime import UTC, datetime, timedelta

from lessonadmin.domain.querying.dated_cursor import Cursor
from tests.cases import each_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = uuid.UUID("01a1fc30-4459-7d2e-be8a-be56dc97f121")


@each_of("at", [None, NOON, NOON + timedelta(microseconds=1), datetime(1969, 12, 31, tzinfo=UTC)])
@each_of("back", [True, False])
def test_a_place_is_written_and_read_as_it_was(at: datetime | None, back: bool) -> None:
    cursor = Cursor(at, ID, back)
    assert Cursor.read(str(cursor), back=back) == cursor


@each_of("text", ["", "x", "9.9", f"{'9' * 79}.{ID}", f"x.{ID}", f"{ID}", "1.", f"{'9' * 5000}.{ID}"])
def test_nonsense_is_no_place(text: str) -> None:
    assert Cursor.read(text) is None
