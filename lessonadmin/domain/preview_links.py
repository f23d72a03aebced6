"""Preview links: an address that shows one lesson, also a draft, for a day to people who have no account.

It shows the lesson as a buyer sees it and changes nothing. It ends when its instructor ends it, after a day, with the lesson, and when the
person who made it may no longer change the lesson. Of its secret only the hash is stored, so an address is readable once.
Who made and ended one stands in the audit trail; opening one leaves no trace there.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import joinedload

from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.accounts.sessions import hashed
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.captions import transcripts
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.lesson_files import files
from lessonadmin.domain.models import Lesson, LessonFile, PreviewLink, Transcript, User

LIVES = timedelta(hours=24)
MAX_OPEN = 10  # of one lesson, at once

OPEN: ColumnElement[bool] = and_(
    PreviewLink.ended_at.is_(None), PreviewLink.expires_at > func.clock_timestamp()
)


class PreviewEnded(Missing):
    """Ended, too old, of a lesson in the trash, or never made: all the same to the person who opens it."""


def make(user: User, lesson_id: uuid.UUID) -> str:
    """The secret of a new link, readable this once."""
    lesson = permissions.lesson_to_change(user, lesson_id)
    permissions.held(lesson)
    rate_limits.make("preview links", user.id)
    if len(open_of(lesson)) >= MAX_OPEN:
        raise Conflict(
            "too_many_previews",
            f"{MAX_OPEN} preview links of this lesson are open, which is the most. End one first.",
        )
    secret = secrets.token_urlsafe(32)
    link = PreviewLink(
        lesson_id=lesson.id,
        made_by=user.id,
        secret_hash=hashed(secret),
        expires_at=func.clock_timestamp() + LIVES,
    )
    db.session.add(link)
    db.session.flush()
    audit_log.record("lesson.preview_link_created", lesson, link_id=link.id)
    return secret


def open_of(lesson: Lesson) -> list[PreviewLink]:
    """Those of this lesson that still show something, the newest first."""
    mine = select(PreviewLink).where(PreviewLink.lesson_id == lesson.id, OPEN)
    return list(db.session.scalars(mine.order_by(PreviewLink.id.desc())))


def end(user: User, lesson_id: uuid.UUID, link_id: uuid.UUID) -> bool:
    """It shows nothing from now on; False if it did not before, either."""
    lesson = permissions.lesson_to_change(user, lesson_id)
    permissions.held(lesson)
    ended = db.session.scalar(
        update(PreviewLink)
        .where(PreviewLink.id == link_id, PreviewLink.lesson_id == lesson.id, OPEN)
        .values(ended_at=func.clock_timestamp())
        .returning(PreviewLink.id)
    )
    if ended is None:
        return False
    audit_log.record("lesson.preview_link_ended", lesson, link_id=ended)
    return True


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a link shows, and how long it still does."""

    lesson: Lesson
    files: list[LessonFile]
    transcript: Transcript | None
    link: PreviewLink
    seconds_left: float


def look(secret: str) -> Shown:
    """For the person who has its address; PreviewEnded if it shows nothing."""
    left = func.extract("epoch", PreviewLink.expires_at - func.clock_timestamp())
    with row_access.everything():  # no user asks
        row = db.session.execute(
            select(Lesson, PreviewLink, User, left)
            .join(PreviewLink, PreviewLink.lesson_id == Lesson.id)
            .join(User, User.id == PreviewLink.made_by)
            .where(PreviewLink.secret_hash == hashed(secret), OPEN, User.active, User.deleted_at.is_(None))
            .options(joinedload(Lesson.course), joinedload(Lesson.creator))
        ).one_or_none()
        if row is None or not permissions.owns(row[2], row[0]):
            raise PreviewEnded()
        listed, said = files.of_lesson(row[0]), transcripts.of_lesson(row[0])
    return Shown(lesson=row[0], files=listed, transcript=said, link=row[1], seconds_left=float(row[3]))


def file_of(secret: str, file_id: uuid.UUID) -> LessonFile:
    """A file of the lesson that a link shows."""
    lesson = look(secret).lesson
    with row_access.everything():
        return files.one_of(lesson, file_id)
