"""Notes are by staff, for staff, and leave a trace."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.errors import Forbidden, Invalid, Missing
from lessonadmin.domain.models import AuditLog, Lesson, User
from lessonadmin.domain.support import notes
from tests.factories import make_lesson, make_user


def write(user: User, lesson: Lesson, text: str) -> None:
    with transaction(Actor.user(user.id)):
        notes.add(user, lesson.id, text)


def test_a_note_is_kept_with_its_author(session: Session) -> None:
    staff, lesson = make_user(role="support"), make_lesson()
    write(staff, lesson, "  first\r\nline two ")
    write(staff, lesson, "second")
    found = notes.of(lesson.id)
    assert [note.text for note in found] == ["second", "first\nline two"]
    assert {note.author.email for note in found if note.author} == {staff.email}
    row = session.scalars(select(AuditLog).where(AuditLog.action == "note.added")).first()
    assert row is not None
    assert row.target_id == lesson.id
    assert "first" not in str(row.detail)


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
def test_odd_texts_are_refused(session: Session, text: str) -> None:
    with pytest.raises(Invalid):
        write(make_user(role="support"), make_lesson(), text)


@pytest.mark.parametrize("role", ["student", "instructor"])
def test_only_staff_write(session: Session, role: str) -> None:
    with pytest.raises(Forbidden):
        write(make_user(role=role), make_lesson(), "hello")


def test_a_lesson_that_is_gone(session: Session) -> None:
    staff = make_user(role="support")
    gone = Lesson(id=staff.id)
    with pytest.raises(Missing):
        write(staff, gone, "hello")
