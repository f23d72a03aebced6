"""The place in a list by a moment that may be missing, such as a date of publication, and by id; it travels in an address.

Text that is no place counts as none. Lists by a column that is never empty have `keyset`.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lessonadmin.text.ids import as_id

FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cursor:
    """The place in the list after (or, going back, before) which a page stands; None: it has no date of publication."""

    at: datetime | None
    id: uuid.UUID
    back: bool = False

    @classmethod
    def read(cls, text: str, *, back: bool = False) -> "Cursor | None":
        """Nonsense is no place: the list then starts at its beginning."""
        micros, _, rest = text.partition(".")
        lesson_id = as_id(rest)
        if lesson_id is None:
            return None
        try:
            at = FIRST_MOMENT + timedelta(microseconds=int(micros)) if micros else None
        except (ValueError, OverflowError):
            return None
        return cls(at, lesson_id, back)

    def __str__(self) -> str:
        micros = "" if self.at is None else (self.at - FIRST_MOMENT) // timedelta(microseconds=1)
        return f"{micros}.{self.id}"
