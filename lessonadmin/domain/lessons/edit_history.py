"""What was changed in the title, the description and the price of a lesson or a course, by whom; and taking an edit back.

It is read from the audit rows that every edit writes, as far back as those go. Taking back is an edit like any other, with its own
audit row: so it can be taken back, too. Nothing here changes what a video or publication is.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select

from lessonadmin.db import db
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.lessons import courses, lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import AuditLog, Course, Lesson, Owner, User
from lessonadmin.domain.prices import money

MAX_SHOWN = 50
FIELDS = {"title": "Title", "description": "Description", "price_cents": "Price"}


@dataclass(frozen=True)
class Change:
    """One field of an edit, as a page shows it."""

    label: str
    before: str
    after: str
    now: str


@dataclass(frozen=True)
class Edit:
    """One saving. `undone`: everything is as it was before it, so there is nothing to take back."""

    id: uuid.UUID
    at: datetime
    who: str
    changes: tuple[Change, ...]
    undone: bool


@dataclass(frozen=True)
class History:
    """The newest edits first; `more` if there are older ones than these."""

    edits: list[Edit]
    more: bool


def of(user: User, owner: Lesson | Course) -> History:
    rows = db.session.execute(_rows(owner).limit(MAX_SHOWN + 1)).all()
    return History([_edit(user, owner, *row) for row in rows[:MAX_SHOWN]], len(rows) > MAX_SHOWN)


def take_back(user: User, owner: Lesson | Course, edit_id: uuid.UUID, *, version: int) -> None:
    """Give every field of an edit the value that it had before. Refused if the owner was saved since the page was made."""
    row = db.session.scalar(_rows(owner).with_only_columns(AuditLog).where(AuditLog.id == edit_id))
    if row is None:
        raise Missing
    before: dict[str, Any] = {name: value for name, value in _side(row, "before").items() if name in FIELDS}
    if all(getattr(owner, name) == value for name, value in before.items()):
        raise Conflict("taken_back", "This edit is taken back already.")
    changes = Changes(**before)
    if isinstance(owner, Lesson):
        lessons.edit(user, owner.id, changes, version=version)
    else:
        courses.edit(user, owner.id, changes, version=version)


def _rows(owner: Lesson | Course) -> Select[AuditLog, User]:
    """An edit that only put the lesson into another course is none of these."""
    return (
        select(AuditLog, User)
        .outerjoin(User, User.id == AuditLog.actor_id)
        .where(
            AuditLog.target_id == owner.id,
            AuditLog.action == f"{owner.kind}.updated",
            or_(*(AuditLog.detail["before"].has_key(name) for name in FIELDS)),
        )
        .order_by(AuditLog.at.desc(), AuditLog.id.desc())
    )


def _edit(user: User, owner: Lesson | Course, row: AuditLog, person: User | None) -> Edit:
    before, after = _side(row, "before"), _side(row, "after")
    names = [name for name in FIELDS if name in before]
    changes = (Change(FIELDS[name], *(_shown(name, one) for one in (before[name], after.get(name), getattr(owner, name)))) for name in names)  # fmt: skip
    undone = all(getattr(owner, name) == before[name] for name in names)
    return Edit(row.id, row.at, _who(user, owner, person), tuple(changes), undone)


def _side(row: AuditLog, side: str) -> Mapping[str, object]:
    found = row.detail.get(side)
    return found if isinstance(found, dict) else {}


def _shown(name: str, value: object) -> str:
    return money(value) if name == "price_cents" and isinstance(value, int) else str(value or "")


def _who(user: User, owner: Lesson | Course, person: User | None) -> str:
    if person is None:
        return "Lessonadmin"
    return "you" if person.id == user.id else editor_name(user, owner, person)


def editor_name(user: User, owner: Owner, editor: User) -> str:
    """How this user is told of an editor. An instructor is not told which of the staff it was, nor who had the lesson before."""
    if user.is_staff or editor.id == owner.owner_id:
        return str(editor)
    return "Support" if editor.is_staff else "another instructor"
