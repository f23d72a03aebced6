"""Students who have something of a course or a lesson, and what they were told."""

from typing import Any

from sqlalchemy import select

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain.models import Lesson, LessonProgress, Notification, User
from lessonadmin.domain.notifications import announcing
from lessonadmin.domain.videos import publication
from tests.factories import keep, make_playing_lesson, make_purchase, make_user

Told = list[tuple[str, str]]
HOSTILE = "<b>{}%s' || \\ :zone “x”"


def told(user: User) -> Told:
    """After the job that tells them."""
    db.session.rollback()
    announcing.tell_some()
    found = select(Notification.kind, Notification.message).where(Notification.user_id == user.id)
    return [(kind, message) for kind, message in db.session.execute(found.order_by(Notification.id))]


def kinds(user: User) -> list[str]:
    return [kind for kind, _ in told(user)]


def student(**columns: Any) -> User:
    return make_user(role="student", **columns)


def buyer_of(lesson: Lesson, **columns: Any) -> User:
    user = student(**columns)
    make_purchase(lesson, user)
    return user


def began(lesson: Lesson) -> User:
    user = student()
    keep(LessonProgress(user_id=user.id, lesson_id=lesson.id, seconds=1, duration=60, updated_at="now"))
    return user


def draft_that_plays(**columns: Any) -> Lesson:
    return make_playing_lesson(status="draft", published_at=None, **columns)


def publish(*these: Lesson, actor: Actor = JOB) -> None:
    with transaction(actor):
        for lesson in these:
            publication.publish(db.session.merge(lesson))


def withdraw(lesson: Lesson, actor: Actor = JOB) -> None:
    with transaction(actor):
        publication.withdraw(db.session.merge(lesson))
