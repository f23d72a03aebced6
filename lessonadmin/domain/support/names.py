"""Titles and e-mail addresses of what many rows refer to, fetched for all of them with a query a table."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import Course, Lesson, User


@dataclass(frozen=True)
class Names:
    """What is not in here is gone, or was not asked for."""

    titles: dict[tuple[str, uuid.UUID], str] = field(default_factory=dict)
    emails: dict[uuid.UUID, str] = field(default_factory=dict)

    def title(self, row: Any) -> str | None:
        """The title of the lesson or course that a row is about."""
        return self.titles.get((row.target_type, row.target_id))

    def email(self, user_id: uuid.UUID | None) -> str:
        return "" if user_id is None else self.emails.get(user_id, "")


def names_of(rows: Iterable[Any] = (), users: Iterable[uuid.UUID | None] = ()) -> Names:
    """`rows` have `target_type` and `target_id`."""
    targets = {(row.target_type, row.target_id) for row in rows if row.target_id}
    return Names(_titles(targets), _emails({one for one in users if one is not None}))


def _titles(targets: set[tuple[str, uuid.UUID]]) -> dict[tuple[str, uuid.UUID], str]:
    titles: dict[tuple[str, uuid.UUID], str] = {}
    for kind, model in (("lesson", Lesson), ("course", Course)):
        ids = {target_id for target_kind, target_id in targets if target_kind == kind}
        found = db.session.execute(select(model.id, model.title).where(model.id.in_(ids))) if ids else ()
        titles |= {(kind, row[0]): row[1] for row in found}
    return titles


def _emails(wanted: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = db.session.execute(select(User.id, User.email).where(User.id.in_(wanted))) if wanted else ()
    return {row[0]: row[1] for row in rows}
