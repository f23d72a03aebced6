"""What staff write down about a lesson for the next colleague. Instructors and students never see it."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Forbidden, Invalid
from lessonadmin.domain.models import StaffNote, User

MAX_NOTE_LENGTH = 4000
MAX_SHOWN = 100


def add(user: User, lesson_id: uuid.UUID, text: str) -> StaffNote:
    """Write a note; the trail says that there is one, not what it says."""
    if not user.is_staff:
        raise Forbidden("forbidden", "Only staff write notes.")
    lesson = permissions.lesson_to_see(user, lesson_id)
    text = text.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= MAX_NOTE_LENGTH:
        raise Invalid.field("text", f"Write a note of 1 to {MAX_NOTE_LENGTH} characters.")
    note = StaffNote(lesson_id=lesson.id, author_id=user.id, text=text)
    db.session.add(note)
    db.session.flush()
    audit_log.record("note.added", lesson, note_id=str(note.id))
    return note


def of(lesson_id: uuid.UUID) -> list[StaffNote]:
    """The notes on a lesson with their authors, newest first."""
    return list(
        db.session.scalars(
            select(StaffNote)
            .where(StaffNote.lesson_id == lesson_id)
            .options(joinedload(StaffNote.author))
            .order_by(StaffNote.created_at.desc(), StaffNote.id.desc())
            .limit(MAX_SHOWN)
        )
    )
