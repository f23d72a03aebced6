"""Purchases: bought by students, given and revoked by support, restored, and what stays of them without their lesson.

The only writer of their rows, but for those that the demo school begins with. A revoked purchase opens nothing and stays, with who revoked it and why; it can be restored.
Each change holds the lesson's lock, and a unique index lets a student have a lesson once. No money moves.
"""

import uuid

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.database import row_access
from lessonadmin.db import actor, db
from lessonadmin.domain import permissions
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Forbidden, Missing
from lessonadmin.domain.models import Lesson, Purchase, User

PLAYS_ALREADY = {
    "instructor": "Only students are given lessons; this is the account of an instructor.",
    "support": "Staff can play every lesson already.",
    "admin": "Staff can play every lesson already.",
}


def buy(user: User, lesson_id: uuid.UUID, *, agreed_cents: int | None = None) -> tuple[Purchase, bool]:
    """Record a purchase; the second time it is the same one. True if it is new.

    With `agreed_cents` only at that price: a student never pays a price they were not shown."""
    if user.role != "student":
        raise Forbidden("forbidden", permissions.ONLY_STUDENTS_BUY)
    # A student's own rows do not let them lock a lesson; and what cannot be bought has an answer of its own.
    row_access.everything_until_commit(db.session())
    lesson = db.session.scalar(select(Lesson).where(Lesson.id == lesson_id).with_for_update(read=True))
    before = db.session.scalar(_in_force(lesson_id, user.id))
    if lesson is None:
        raise Missing()
    if before is not None:
        return before, False
    if not permissions.visible_to_students(lesson):
        raise Conflict("not_for_sale", "This lesson cannot be bought right now.")
    if agreed_cents is not None and agreed_cents != lesson.price_cents:
        raise Conflict(
            "price_changed",
            "The price of this lesson changed while you were looking at it. Nothing was bought: look at the new price first.",
        )
    made, new = _made(lesson, user, price_cents=lesson.price_cents)
    if new:
        audit_log.record("purchase.made", lesson, user_id=str(user.id), price_cents=made.price_cents)
    return made, new


def give(lesson_id: uuid.UUID, student_id: uuid.UUID) -> Purchase:
    """A lesson for a student at no charge, by a member of staff with a reason. The student is told, without the reason.

    Also one that is a draft, which plays for them as it does for those who bought it before it was unpublished."""
    by, reason = _staff(), _reason()
    found = select(User).where(User.id == student_id).with_for_update(read=True)
    student = db.session.scalar(found.execution_options(populate_existing=True))
    if student is None or student.is_deleted:
        raise Missing()
    lesson = _locked_lesson(lesson_id)
    if lesson is None:
        raise Missing()
    if lesson.creator_id == student.id:
        raise Conflict("plays_already", "This is the lesson's instructor, who can play it already.")
    if student.role != "student":
        raise Conflict("plays_already", PLAYS_ALREADY[student.role])
    if not lesson.is_playable:
        raise Conflict("not_ready", "This lesson has no video that plays yet, so it cannot be given.")
    there = db.session.scalar(_in_force(lesson_id, student.id))
    if there is not None:
        how = "has bought this lesson" if there.state == "bought" else "was given this lesson"
        raise Conflict("has_it_already", f"{student.email} {how} already. Nothing was changed.")
    given, _ = _made(lesson, student, price_cents=0, given_by=by.id, give_reason=reason)
    _record("purchase.given", given, lesson, before=None, after="given")
    _tell(
        "lesson_given",
        student,
        lesson,
        f"You have been given “{lesson.title}”. You can play it at no charge.",
    )
    return given


def revoke(purchase_id: uuid.UUID, *, of: uuid.UUID | None = None) -> Purchase:
    """From now on it opens nothing. The student is told the reason. `of`: the lesson that the caller takes it for one of."""
    by, reason = _staff(), _reason()
    purchase, student, lesson = _locked(purchase_id)
    if of is not None and purchase.lesson_id != of:
        raise Missing()
    if not purchase.is_in_force or lesson is None:
        raise Conflict("already_revoked", "This purchase is revoked already.")
    before = purchase.state
    purchase.revoked_at = func.clock_timestamp()
    purchase.revoked_by, purchase.revoke_reason, purchase.lesson_title = by.id, reason, lesson.title
    db.session.flush()
    _record("purchase.revoked", purchase, lesson, before=before, after="revoked")
    _tell(
        "lesson_revoked",
        student,
        lesson,
        f"Your access to “{lesson.title}” was revoked. Reason: {reason}",
    )
    return purchase


def restore(purchase_id: uuid.UUID) -> Purchase:
    """Undo the revocation: the same purchase, with the price and the date that it had. The student is told."""
    _staff()
    _reason()
    purchase, student, lesson = _locked(purchase_id)
    if purchase.is_in_force:
        raise Conflict("not_revoked", "This purchase is in force already.")
    if lesson is None:
        raise Conflict("lesson_deleted", "The lesson is deleted, so its purchase cannot be restored.")
    if db.session.scalar(_in_force(lesson.id, student.id)) is not None:
        raise Conflict("has_it_already", f"{student.email} has this lesson again, by a newer purchase.")
    purchase.revoked_at = purchase.revoked_by = purchase.revoke_reason = purchase.lesson_title = None
    purchase.restored_at = func.clock_timestamp()
    db.session.flush()
    _record("purchase.restored", purchase, lesson, before="revoked", after=purchase.state)
    _tell("lesson_given", student, lesson, f"You have access to “{lesson.title}” again.")
    return purchase


def let_go(lesson: Lesson) -> int:
    """The revoked purchases of a locked lesson that is about to be deleted stay without it, by its title; how many."""
    kept = db.session.scalars(
        update(Purchase)
        .where(Purchase.lesson_id == lesson.id, ~Purchase.is_in_force)
        .values(lesson_id=None)
        .returning(Purchase.id)
        .execution_options(synchronize_session=False)
    )
    return len(kept.all())


def _staff() -> User:
    """The acting user, who is a member of staff until the transaction ends."""
    user = permissions.acting_user()
    if user is None or not user.is_staff or not user.active:
        raise Forbidden("forbidden", "Only support and admins give, revoke and restore purchases.")
    return user


def _reason() -> str:
    """Of the open transaction, which also stands in its audit row."""
    return audit_log.checked_reason(actor().reason)


def _locked_lesson(lesson_id: uuid.UUID | None) -> Lesson | None:
    """Against those who buy it, remove its video or delete it at the same moment."""
    found = select(Lesson).where(Lesson.id == lesson_id).with_for_update(key_share=True)
    return db.session.scalar(found.execution_options(populate_existing=True))


def _locked(purchase_id: uuid.UUID) -> tuple[Purchase, User, Lesson | None]:
    """A purchase under the lock of its lesson, if it has one still, and under its own."""
    lesson = _locked_lesson(db.session.scalar(select(Purchase.lesson_id).where(Purchase.id == purchase_id)))
    found = select(Purchase).where(Purchase.id == purchase_id).with_for_update()
    purchase = db.session.scalar(found.execution_options(populate_existing=True))
    if purchase is None:
        raise Missing()
    return purchase, db.session.get_one(User, purchase.user_id), lesson


def _in_force(lesson_id: uuid.UUID, user_id: uuid.UUID) -> Select[Purchase]:
    return select(Purchase).where(
        Purchase.lesson_id == lesson_id, Purchase.user_id == user_id, Purchase.is_in_force
    )


def _made(lesson: Lesson, user: User, **columns: object) -> tuple[Purchase, bool]:
    """The purchase in force, and whether it is new: another request of the same user may have made it at the same moment."""
    new = db.session.scalar(
        insert(Purchase)
        .values(lesson_id=lesson.id, user_id=user.id, owner_id=lesson.creator_id, **columns)
        .on_conflict_do_nothing()
        .returning(Purchase.id)
    )
    return db.session.scalars(_in_force(lesson.id, user.id)).one(), new is not None


def _record(action: str, purchase: Purchase, lesson: Lesson, *, before: str | None, after: str) -> None:
    audit_log.record(
        action,
        lesson,
        student=str(purchase.user_id),
        purchase=str(purchase.id),
        price_cents=purchase.price_cents,
        before={"state": before},
        after={"state": after},
    )


def _tell(kind: str, student: User, lesson: Lesson, message: str) -> None:
    """A deleted account has no reader."""
    if not student.is_deleted:
        audit_log.notify_user(kind, student.id, message, lesson_id=lesson.id)
