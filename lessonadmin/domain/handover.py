"""Everything that one teacher has goes to another: lessons, courses, and with them their uploads and new notices.

After it the first has no right left to any of it. Uploads on their way go on, since nothing at Mux names a teacher.
Two statements whatever the number of rows, each with its audit rows; what was bought stays bought.
"""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, text

from lessonadmin.db import actor, db
from lessonadmin.domain import journal
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import Course, Lesson, User

TEACHING = ("instructor", "support", "admin")


@dataclass(frozen=True)
class Handover:
    """How much changed hands."""

    lessons: int
    courses: int


def preview(user_id: uuid.UUID) -> Handover:
    """How much would change hands."""
    lessons = select(func.count()).select_from(Lesson).where(Lesson.creator_id == user_id)
    courses = select(func.count()).select_from(Course).where(Course.instructor_id == user_id)
    return Handover(db.session.scalar(lessons) or 0, db.session.scalar(courses) or 0)


def hand_over(*, from_id: uuid.UUID, to_id: uuid.UUID) -> Handover:
    """Give all lessons and courses of one teacher to another one, in the open transaction."""
    giver, taker = db.session.get(User, from_id), db.session.get(User, to_id, with_for_update={"read": True})
    if giver is None:
        raise Missing()
    if taker is None or taker.role not in TEACHING:
        raise Invalid.field("to", "Choose somebody who teaches, or staff.")
    if not taker.active:
        raise Conflict("account_disabled", "This account is disabled; choose another one.")
    if giver.id == taker.id:
        raise Invalid.field("to", "Choose somebody else.")
    done = Handover(
        lessons=_move("lessons", "creator_id", "lesson", giver, taker),
        courses=_move("courses", "instructor_id", "course", giver, taker),
    )
    journal.record(
        "user.handed_over",
        giver,
        to=str(taker.id),
        to_email=taker.email,
        lessons=done.lessons,
        courses=done.courses,
    )
    db.session.expire_all()
    return done


def _move(table: str, column: str, kind: str, giver: User, taker: User) -> int:
    # Locked in the order of their ids first, as everybody does who locks several.
    statement = text(f"""
        WITH mine AS MATERIALIZED (
          SELECT id FROM {table} WHERE {column} = :giver ORDER BY id FOR UPDATE
        ), moved AS (
          UPDATE {table} SET {column} = :taker, version = version + 1, updated_at = clock_timestamp()
          WHERE id IN (SELECT id FROM mine) RETURNING id
        ), written AS (
          INSERT INTO audit_log (actor_type, actor_id, action, target_type, target_id, detail)
          SELECT :actor_type, CAST(:actor_id AS uuid), '{kind}.handed_over', '{kind}', id,
                 jsonb_strip_nulls(jsonb_build_object(
                   'before', CAST(:giver_text AS text), 'after', CAST(:taker_text AS text),
                   'reason', CAST(:reason AS text)))
          FROM moved
        )
        SELECT count(*) FROM moved
    """)  # noqa: S608 - the three names are written above
    by = actor()
    values = {
        "giver": giver.id,
        "taker": taker.id,
        "giver_text": giver.email,
        "taker_text": taker.email,
        "actor_type": by.type,
        "actor_id": by.id,
        "reason": by.reason,
    }
    return int(db.session.scalar(statement, values) or 0)
