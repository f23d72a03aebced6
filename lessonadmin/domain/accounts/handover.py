"""Everything that one instructor has goes to another: lessons, courses, and with them their uploads and new notices.

After it the first has no right left to any of it. Uploads that the first began and whose file is not at Mux yet are
withdrawn; all others go on. One statement a table and one for the audit rows, whatever the number of rows; what was
bought stays bought.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, update

from lessonadmin.db import db
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import Course, Lesson, User, in_trash
from lessonadmin.domain.videos import withdrawal


@dataclass(frozen=True)
class Handover:
    """How much changed hands."""

    lessons: int
    courses: int
    uploads: int = 0  # that were withdrawn


def preview(user_id: uuid.UUID) -> Handover:
    """How much would change hands, with what is in the trash."""
    lessons = select(func.count()).select_from(Lesson).where(Lesson.creator_id == user_id)
    courses = select(func.count()).select_from(Course).where(Course.instructor_id == user_id)
    lesson_count, course_count = (
        db.session.scalar(one, execution_options=in_trash.too()) for one in (lessons, courses)
    )
    return Handover(lesson_count or 0, course_count or 0)


def hand_over(*, from_id: uuid.UUID, to_id: uuid.UUID) -> Handover:
    """Give all lessons and courses of one instructor to another, in the open transaction."""
    giver, taker = _between(
        db.session.get(User, from_id), db.session.get(User, to_id, with_for_update={"read": True})
    )
    # Locked in the order that all callers who lock several use; only then it is sure which uploads there are.
    for model, owner_id in ((Course, Course.instructor_id), (Lesson, Lesson.creator_id)):
        mine = select(model.id).where(owner_id == giver.id).order_by(model.id).with_for_update()
        db.session.execute(mine, execution_options=in_trash.too()).all()
    withdrawal.record_starter(giver)
    courses = _move(Course, "course", giver, taker)
    lessons = _move(Lesson, "lesson", giver, taker)
    db.session.expire_all()
    withdrawn = withdrawal.withdraw_uploads_of(giver, why="all content was transferred to another instructor")
    done = Handover(lessons, courses, withdrawn)
    audit_log.record(
        "user.handed_over",
        giver,
        to=str(taker.id),
        lessons=done.lessons,
        courses=done.courses,
        uploads=done.uploads or None,
    )
    return done


def taker_for(giver: User, taker: User) -> User:
    """Who would get everything of the first, if that can be; for a question before it is done."""
    return _between(giver, taker)[1]


def _between(giver: User | None, taker: User | None) -> tuple[User, User]:
    if giver is None:
        raise Missing()
    if taker is None or not taker.teaches:
        raise Invalid.field("to", "Choose an instructor or staff.")
    if not taker.active:
        raise Conflict("account_disabled", "This account is disabled; choose another one.")
    if giver.id == taker.id:
        raise Invalid.field("to", "Choose another account.")
    return giver, taker


def _move(model: type[Lesson] | type[Course], kind: str, giver: User, taker: User) -> int:
    """One statement for all of them, and an audit row for each."""
    owner_id = Lesson.creator_id if model is Lesson else Course.instructor_id
    moved = db.session.scalars(
        update(model)
        .where(owner_id == giver.id)
        .values({owner_id: taker.id, "version": model.version + 1, "updated_at": func.clock_timestamp()})
        .returning(model.id)
        .execution_options(synchronize_session=False)
    ).all()
    audit_log.record_all(
        f"{kind}.handed_over",
        kind,
        moved,
        before={"instructor": str(giver.id)},
        after={"instructor": str(taker.id)},
    )
    return len(moved)
