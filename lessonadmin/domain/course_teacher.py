"""Giving one course to another teacher. Its lessons stay with whoever made them; an upload of its preview that the former
teacher began and that has not arrived is withdrawn."""

import uuid

from lessonadmin.db import db
from lessonadmin.domain import access, journal, people, withdrawal
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid
from lessonadmin.domain.models import Course, User


def give(by: User, course_id: uuid.UUID, *, to_email: str) -> bool:
    """True if it changed hands; the course is locked by the caller's transaction."""
    if not by.is_staff:
        raise Forbidden("forbidden", "Only staff give a course to another teacher.")
    course: Course = access.course_to_change(by, course_id)
    taker = people.find_by_email(to_email)
    if taker is None or not taker.teaches:
        raise Invalid.field("teacher", "There is no teacher with this e-mail address.")
    if taker.id == course.instructor_id:
        return False
    if not taker.active:
        raise Conflict("account_disabled", "This account is disabled; choose another one.")
    giver = db.session.get_one(User, course.instructor_id)
    withdrawal.remember_starter(giver, course_id=course.id)
    course.instructor_id = taker.id
    course.version += 1
    db.session.flush()
    journal.record("course.handed_over", course, before=giver.email, after=taker.email)
    withdrawal.from_person(giver, why=f"the course was handed over to {taker.email}")
    return True
