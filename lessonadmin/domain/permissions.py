"""Who sees, changes, buys and plays what. Foreign and missing are the same answer: Missing.

A right that was asked before a lock was taken may be gone when the lock is held. So every caller that locks a lesson or course in
a person's name takes `acting_user` before and asks `still_theirs` after (`locking.lock_video_of` does both).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from lessonadmin.database import row_access
from lessonadmin.db import db, transaction_state
from lessonadmin.domain.errors import Forbidden, Missing
from lessonadmin.domain.models import AuditLog, Course, Kind, Lesson, Owner, Purchase, User, in_trash, owners

# Looked for where nothing was found by another id: what is missing costs as many statements as what is foreign.
OwnerType = TypeVar("OwnerType", Lesson, Course)
OF_NO_ROW = uuid.UUID(int=0)
ONLY_TEACHERS_CHANGE = "Students cannot change lessons or courses."
ONLY_STUDENTS_BUY = "Only students buy lessons."


def owns(user: User, owner: Owner) -> bool:
    """May this user change it? Its instructor and staff may."""
    return user.is_staff or (user.role == "instructor" and owner.owner_id == user.id)


def acting_user() -> User | None:
    """The user that the open transaction acts for, as the account is now and stays until it ends; None for a service.

    Their row is locked before any lesson or course is, as it is where a right is taken away, so that one of the two
    waits for the other. None as well for an account that is gone.
    """
    state = transaction_state()
    if state.actor.type != "user" or state.actor.id is None:
        return None
    if state.actor.id not in state.users:
        wanted = select(User).where(User.id == state.actor.id).with_for_update(read=True)
        state.users[state.actor.id] = db.session.scalar(wanted.execution_options(populate_existing=True))
    return cast("User | None", state.users[state.actor.id])


def is_theirs(owner: Owner) -> bool:
    """May the user of the open transaction change this owner, which is locked? A service may."""
    if transaction_state().actor.type != "user":
        return True
    user = acting_user()
    return user is not None and user.active and owns(user, owner)


def still_theirs(owner: Owner, *, in_trash_too: bool = False) -> None:
    """The same, or Missing: it was handed over or deleted during the wait for the lock, or the account was changed.

    The rest of the transaction then sees all rows, since the rules of videos ask about those of others as well.
    """
    if not is_theirs(owner) or (owner.deleted_at is not None and not in_trash_too):
        raise Missing()
    row_access.everything_until_commit(db.session())


def held(owner: OwnerType, *, alone: bool = False) -> OwnerType:
    """This lesson or course stays as it is until the transaction ends, and is still one that the acting user may change; else Missing.
    `alone`: no other transaction holds it meanwhile, since what belongs to it is counted."""
    acting_user()
    db.session.refresh(owner, with_for_update={"of": type(owner), "read": not alone})
    still_theirs(owner)
    return owner


def visible_to_students(lesson: Lesson) -> bool:
    return lesson.status == "published" and lesson.is_playable


def on_sale() -> ColumnElement[bool]:
    """The same as `visible_to_students`, for queries."""
    return and_(Lesson.status == "published", Lesson.is_playable)


def bought_by(user: User) -> ColumnElement[bool]:
    """Has this user got the lesson of the row that is asked about, bought or given, and not revoked? For queries."""
    mine = exists().where(Purchase.lesson_id == Lesson.id, Purchase.user_id == user.id, Purchase.is_in_force)
    return mine.correlate(Lesson)


def bought_among(user: User, lesson_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """The same for a few lessons; which of them."""
    ids = list(lesson_ids)
    if not ids:
        return set()
    mine = select(Purchase.lesson_id).where(
        Purchase.user_id == user.id, Purchase.lesson_id.in_(ids), Purchase.is_in_force
    )
    return {found for found in db.session.scalars(mine) if found is not None}


def may_play(user: User, lesson: Lesson) -> bool:
    if owns(user, lesson):
        return True
    if visible_to_students(lesson) and lesson.price_cents == 0:
        return True
    return bool(bought_among(user, [lesson.id]))


def lesson_to_play(user: User, lesson_id: uuid.UUID) -> Lesson:
    """One that this person may play; of one that they see, Forbidden says that it is to be bought."""
    lesson = lesson_to_see(user, lesson_id)
    if not may_play(user, lesson):
        raise Forbidden("purchase_required", "Buy this lesson to play it.")
    return lesson


def playable_among(user: User, lessons: Sequence[Lesson]) -> set[uuid.UUID]:
    """The same for a page of lessons, with one query at most."""
    may = {
        lesson.id
        for lesson in lessons
        if owns(user, lesson) or (visible_to_students(lesson) and lesson.price_cents == 0)
    }
    return may | bought_among(user, [lesson.id for lesson in lessons if lesson.id not in may])


def lessons_for(user: User) -> ColumnElement[bool]:
    """Which lessons a user's list shows: staff all, instructors their own, students what is published or bought."""
    if user.is_staff:
        return true()
    if user.role == "instructor":
        return Lesson.creator_id == user.id
    return on_sale_or_bought_by(user)


def courses_for(user: User) -> ColumnElement[bool]:
    if user.is_staff:
        return true()
    if user.role == "instructor":
        return Course.instructor_id == user.id
    return has_lessons_on_sale() if user.role == "student" else false()


def has_lessons_on_sale() -> ColumnElement[bool]:
    return exists().where(Lesson.course_id == Course.id, on_sale()).correlate(Course)


def audit_rows_for(user: User) -> list[ColumnElement[bool]]:
    """Support answers for people who cannot sign in, so it sees what was done to accounts, but not to those of admins.
    For an admin there is no condition."""
    if user.role == "admin":
        return []
    admins = select(User.id).where(User.role == "admin")
    of_admins = or_(AuditLog.target_id.is_(None), AuditLog.target_id.in_(admins))
    return [not_(and_(AuditLog.target_type == "user", of_admins))]


def audit_detail_for(user: User, detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """From which network address an account was changed is for admins."""
    if user.role == "admin":
        return detail
    return {name: value for name, value in detail.items() if name != "address"}


def teaches(user: User) -> None:
    """Only instructors and staff write."""
    if not user.teaches:
        raise Forbidden("forbidden", ONLY_TEACHERS_CHANGE)


def on_sale_or_bought_by(user: User) -> ColumnElement[bool]:
    """Which lessons the catalogue opens for them."""
    return or_(on_sale(), bought_by(user))


def lesson_to_see(user: User, lesson_id: uuid.UUID) -> Lesson:
    """Their own, or one that is out or bought: asked in one statement, which costs the same for a foreign as for a missing one."""
    seen = or_(_theirs(user, Lesson.creator_id), on_sale_or_bought_by(user))
    found = select(Lesson).where(Lesson.id == lesson_id, seen).execution_options(populate_existing=True)
    lesson = db.session.scalar(found)
    if lesson is None:
        raise Missing()
    return lesson


def course_to_see(user: User, course_id: uuid.UUID) -> Course:
    seen = or_(_theirs(user, Course.instructor_id), has_lessons_on_sale())
    found = select(Course).where(Course.id == course_id, seen).execution_options(populate_existing=True)
    course = db.session.scalar(found)
    if course is None:
        raise Missing()
    return course


def _theirs(user: User, owner_id: InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    """The same as `owns`, for queries."""
    if user.is_staff:
        return true()
    return owner_id == user.id if user.role == "instructor" else false()


def lesson_to_change(user: User, lesson_id: uuid.UUID) -> Lesson:
    return cast(Lesson, _to_change(user, "lesson", lesson_id))


def course_to_change(user: User, course_id: uuid.UUID) -> Course:
    return cast(Course, _to_change(user, "course", course_id))


def deleted_by_now(user: User, kind: Kind, owner_id: uuid.UUID) -> Owner:
    """One that this user may take out of the trash; also one that is out of it again by now."""
    return _to_change(user, kind, owner_id, in_trash_too=True)


def _to_change(user: User, kind: Kind, owner_id: uuid.UUID, *, in_trash_too: bool = False) -> Owner:
    teaches(user)
    options = in_trash.too() if in_trash_too else {}
    found: Owner | None = db.session.get(
        owners.MODELS[kind], owner_id, populate_existing=True, execution_options=options
    )
    if found is None or not owns(user, found):
        raise Missing()
    return found


def owner_to_change(user: User, *, lesson_id: uuid.UUID | None, course_id: uuid.UUID | None) -> Owner:
    """The lesson or the course that a video belongs to: exactly one must be named."""
    if lesson_id is not None:
        return lesson_to_change(user, lesson_id)
    if course_id is not None:
        return course_to_change(user, course_id)
    raise Missing()


def all_to_change(user: User, wanted: Iterable[tuple[Kind, uuid.UUID]]) -> None:
    """May this person change every one of these, in the trash or not? A single foreign one hides them all; none at all is
    missing, too."""
    teaches(user)
    none: list[tuple[Kind, uuid.UUID]] = [("lesson", OF_NO_ROW)]
    for kind, owner_id in list(wanted) or none:
        _to_change(user, kind, owner_id, in_trash_too=True)
