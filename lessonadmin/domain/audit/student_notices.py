"""What students are to be told of lessons of others, noted in the transaction of the change, a row for each thing that happened.

No student is read here, however many there are: a job finds and tells them later (`notifications/announcing.py`).
"""

import uuid

from lessonadmin.db import actor, new_id, transaction_time
from lessonadmin.domain import school_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Lesson


def new_video(lesson: Lesson) -> None:
    """Another video takes the place of the one that played, or of one that was lost: for those who bought it."""
    _announce("lesson_new_video", lesson, about=lesson.id)


def withdrawn(lesson: Lesson) -> None:
    """It has left the catalogue: for those who bought it, who keep it."""
    _announce("lesson_withdrawn", lesson, about=lesson.id)


def new_in_course(lesson: Lesson) -> None:
    """It is published for the first time: for those who bought a lesson of its course, or began one that is free."""
    if lesson.course_id is not None:
        _announce("course_new_lesson", lesson, about=lesson.course_id, course_id=lesson.course_id)


def _announce(kind: str, lesson: Lesson, *, about: uuid.UUID, course_id: uuid.UUID | None = None) -> None:
    if actor().quiet or lesson.deleted_at is not None:
        return
    row = {"id": new_id(), "kind": kind, "lesson_id": lesson.id, "course_id": course_id}
    row["gathered_as"] = f"{about} {school_time.day(transaction_time())}"
    audit_log.write_at_the_end().announcement_rows.append(row)
