"""Notices that wait for their mail, and time that passes for them."""

import uuid
from typing import Any

from sqlalchemy import func, select, update

from lessonadmin.db import JOB, db, later, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Notification, User
from tests.factories import make_lesson

PUBLIC_URL = "https://lessons.school.example"


def tell(user: User, *, title: str = "Wet in wet", kind: str = "video_failed", **columns: Any) -> uuid.UUID:
    """A notice about a lesson of this person's, written as the product writes it."""
    lesson = make_lesson(creator=user, title=title)
    with transaction(JOB):
        audit_log.notify_user(
            kind, user.id, f"The video of “{title}” failed.", lesson_id=lesson.id, **columns
        )
    return db.session.scalars(select(Notification.id).where(Notification.lesson_id == lesson.id)).one()


def row(notice_id: uuid.UUID) -> Notification:
    db.session.rollback()
    return db.session.get_one(Notification, notice_id, populate_existing=True)


def seconds_to_wait(notice_id: uuid.UUID) -> float:
    waits = func.extract("epoch", Notification.mail_due_at - func.clock_timestamp())
    return float(db.session.scalars(select(waits).where(Notification.id == notice_id)).one())


def make_due() -> None:
    """Time passes until every waiting mail is due."""
    db.session.execute(update(Notification).values(mail_due_at=later(-1)))
    db.session.commit()


def time_passes(seconds: int) -> None:
    """Everything that is written down happened so much longer ago."""
    past = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    db.session.execute(
        update(Notification).values(
            mail_due_at=Notification.mail_due_at - past,
            mailed_at=Notification.mailed_at - past,
            created_at=Notification.created_at - past,
        )
    )
    db.session.commit()
