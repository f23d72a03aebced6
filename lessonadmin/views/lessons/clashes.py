"""Two people, or two tabs, saved the same lesson: what differs, and who was first. Nothing is overwritten unasked."""

from dataclasses import dataclass

from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Lesson, User
from lessonadmin.views.lessons.form import Typed, courses_for


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field in which two people disagree: what is stored now, and what this person typed."""

    label: str
    stored: str
    typed: str


@dataclass(frozen=True, kw_only=True)
class Clash:
    """Somebody else saved in between: who, and in which fields the two texts differ."""

    who: str
    differences: list[Difference]


def clash(user: User, lesson: Lesson, typed: Typed) -> Clash:
    stored = Typed.of(lesson)
    titles = dict(courses_for(user, lesson))
    pairs = {
        "Title": (stored.title, typed.title),
        "Description": (stored.description, typed.description),
        "Price": (stored.price, typed.price),
        "Course": (titles.get(stored.course_id, ""), titles.get(typed.course_id, "")),
    }
    different = [
        Difference(label=label, stored=one, typed=other)
        for label, (one, other) in pairs.items()
        if one.strip() != other.strip()
    ]
    return Clash(who=_last_editor(user, lesson), differences=different)


def _last_editor(user: User, lesson: Lesson) -> str:
    row = db.session.execute(
        select(User.id, User.name, User.email)
        .join(AuditLog, AuditLog.actor_id == User.id)
        .where(AuditLog.target_id == lesson.id, AuditLog.action == "lesson.updated")
        .order_by(AuditLog.at.desc(), AuditLog.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return "Somebody else"
    if row.id == user.id:
        return "You, in another tab or window,"
    return str(row.name or row.email) if user.is_staff or row.id == lesson.creator_id else "Support"
