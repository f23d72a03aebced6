"""Students are told of what happened to their lessons and courses: batch after batch, by a job, however many they are.

What happened is a row (`models.Announcement`), written with the change. Each batch is a transaction of its own with the key of the last account that
it told, so a worker that is killed leaves no student out and tells none twice. A row goes with its last batch, or when it is not true any more.

Of one kind about one lesson or course a student has one notice a day in the school's time zone: what comes later on that day takes its
place and makes it unread, held by a unique index. Rows about the same thing are told in their order, and those that no batch has begun are
told as one. Mails are not sent here.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from functools import partial

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.orm import aliased

from lessonadmin import config, queue
from lessonadmin.db import JOB, db, each_alone, later, new_id, transaction
from lessonadmin.domain import backoff
from lessonadmin.domain.models import Announcement, Course, Lesson
from lessonadmin.domain.models.notifications import SILENT_SECONDS
from lessonadmin.domain.notifications import student_readers

log = logging.getLogger(__name__)

TELL = "lessonadmin.jobs.notices.tell_students"
BATCH = 500  # students
SLICE_SECONDS = 20.0
FIRST_PAUSE_SECONDS = 30.0
# What changes within an hour is one mail, and what is taken back in it leaves as none.
MAIL_SECONDS = 3600
# By the order of users, so that two that write at once never wait for each other.
WRITE = text(f"""INSERT INTO notifications
  (id, user_id, kind, message, lesson_id, course_id, gathered_as, mail_wanted, mail_due_at)
SELECT given.id, given.user_id, :kind, :said, :lesson_id, :course_id, :gathered_as, :mail,
       clock_timestamp() + make_interval(secs => {MAIL_SECONDS})
  FROM unnest(CAST(:ids AS uuid[]), CAST(:users AS uuid[])) AS given (id, user_id)
ON CONFLICT (user_id, kind, gathered_as) WHERE gathered_as IS NOT NULL
  DO UPDATE SET lesson_id = excluded.lesson_id, read_at = NULL, message = :said_of_several""")  # noqa: S608 - a constant of this file, values as parameters # nosec B608


def tell_some(seconds: float = SLICE_SECONDS) -> int:
    """Batch after batch for so long; how many. What is left then is for another job."""
    until, batches = time.monotonic() + seconds, 0
    while (found := _first(Announcement.attempts == 0)) is not None:
        if time.monotonic() > until:
            queue.enqueue(TELL)
            break
        with each_alone(log, "students were not told of %s", found, on_failure=partial(_put_off, found)):
            _tell_batch(found)
            batches += 1
    return batches


def tell_what_is_silent(seconds: float) -> int:
    """The same, if there is one on which no job works: it was lost, its worker killed, or it failed and its pause is over."""
    return tell_some(seconds) if _first() is not None else 0


def _first(*also: ColumnElement[bool]) -> uuid.UUID | None:
    """The oldest that is due, or `also` this, if all that came before it about the same thing has been told."""
    earlier = aliased(Announcement)
    same = and_(earlier.kind == Announcement.kind, earlier.gathered_as == Announcement.gathered_as)
    waits = or_(Announcement.due_at <= func.clock_timestamp(), *also)
    query = select(Announcement.id).where(
        waits, ~select(earlier).where(same, earlier.id < Announcement.id).exists()
    )
    found = db.session.scalar(query.order_by(Announcement.id).limit(1))
    db.session.rollback()
    return found


def _tell_batch(announcement_id: uuid.UUID) -> None:
    """In one transaction: some students and how far that is. Another process waits for it, and then tells the next ones."""
    with transaction(JOB):
        row = db.session.get(Announcement, announcement_id, with_for_update=True, populate_existing=True)
        if row is None or _is_told_with_a_later_one(row):
            return
        ids = _tell(row)
        if len(ids) < BATCH:
            db.session.delete(row)
        else:
            _note(row.id, told_up_to=ids[-1], attempts=0, due_at=later(SILENT_SECONDS))


def _is_told_with_a_later_one(row: Announcement) -> bool:
    """What no student was told yet is gathered: the newest of the same day stands for all of them."""
    if row.told_up_to is not None:
        return False
    same = and_(Announcement.kind == row.kind, Announcement.gathered_as == row.gathered_as)
    newest = db.session.scalar(select(Announcement.id).where(same).order_by(Announcement.id.desc()).limit(1))
    if newest is None or newest == row.id:
        return False
    _note(newest, several=True)
    gone = delete(Announcement).where(same, Announcement.id < newest)
    db.session.execute(gone.execution_options(synchronize_session=False))
    return True


def _tell(row: Announcement) -> Sequence[uuid.UUID]:
    """The accounts that were gone through; none if it is not true any more."""
    about = db.session.execute(
        select(Lesson, Course)
        .join(Announcement, Announcement.lesson_id == Lesson.id)
        .outerjoin(Course, Course.id == Announcement.course_id)
        .where(Announcement.id == row.id, student_readers.still_true(Announcement))
        .execution_options(populate_existing=True)
    ).first()
    if about is None:
        return []
    lesson, course = about
    ids = student_readers.following(row, BATCH)
    owners = [lesson.creator_id, course.instructor_id if course is not None else None]
    users = student_readers.who_want_it(row, ids, but=owners)
    said, said_of_several = _words(row.kind, lesson, course)
    db.session.execute(
        WRITE,
        {
            "ids": [new_id() for _ in users],
            "users": list(users),
            "kind": row.kind,
            "said": said_of_several if row.several else said,
            "said_of_several": said_of_several,
            "lesson_id": lesson.id,
            "course_id": row.course_id,
            "gathered_as": row.gathered_as,
            "mail": config.current().mail_url is not None,
        },
    )
    return ids


def _words(kind: str, lesson: Lesson, course: Course | None) -> tuple[str, str]:
    """What is said of the first of a day, and of a later one."""
    if kind == "course_new_lesson" and course is not None:
        several = f"“{course.title}” has several new lessons. The newest is “{lesson.title}”."
        return f"“{course.title}” has a new lesson: “{lesson.title}”.", several
    if kind == "lesson_new_video":
        said = f"“{lesson.title}” has a new video."
    elif lesson.is_playable:
        said = f"“{lesson.title}” is no longer in the catalogue. It stays yours: you can watch it as before."
    else:
        said = f"“{lesson.title}” is no longer in the catalogue. It stays yours: it has no video that plays now, and plays again once it has one."
    return said, said


def _put_off(announcement_id: uuid.UUID, _error: Exception) -> None:
    """One that fails holds up no other."""
    pause = backoff.pause_of(Announcement.attempts + 1, first=FIRST_PAUSE_SECONDS)
    with transaction(JOB):
        _note(announcement_id, attempts=Announcement.attempts + 1, due_at=later(pause))


def _note(announcement_id: uuid.UUID, **values: object) -> None:
    changed = update(Announcement).where(Announcement.id == announcement_id).values(**values)
    db.session.execute(changed.execution_options(synchronize_session=False))
