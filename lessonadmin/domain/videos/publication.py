"""The one writer of a lesson's publication: the intent, its fulfilment, and taking a lesson back.

A person's decision comes before the program's: the intent is spent when it is fulfilled and gone when a person
unpublishes, so a repeated "ready" finds nothing to do. While an open page has unsaved changes (an editing hold), the intent
waits; it is fulfilled when the last hold is released, or found expired by the sweep. Publishing by a person waits for nothing.
Callers hold the lesson's row lock. Asking Mux first is the business of `lessons`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import flag_modified

from lessonadmin.db import actor, db, transaction_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import EditingHold, Lesson, Tracking

# An open page renews its hold three times in this time, also in a tab that the browser slows down to once a minute.
HOLD_SECONDS = 180


@dataclass(frozen=True)
class Publication:
    """All that there is to know about a lesson's publication."""

    status: str
    published_at: datetime | None
    publish_on_ready: bool

    def as_json(self) -> dict[str, object]:
        at = self.published_at.isoformat() if self.published_at is not None else None
        return {"status": self.status, "published_at": at, "publish_on_ready": self.publish_on_ready}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> "Publication":
        at = stored["published_at"]
        moment = datetime.fromisoformat(str(at)) if at is not None else None
        return cls(str(stored["status"]), moment, bool(stored["publish_on_ready"]))


def state_of(lesson: Lesson) -> Publication:
    return Publication(lesson.status, lesson.published_at, lesson.publish_on_ready)


def publish(lesson: Lesson, *, by_itself: bool = False, tracking: Tracking | None = None) -> bool:
    """Publish now; False if it is out already. The video must be playable."""
    if not lesson.is_playable:
        raise ValueError("a lesson is published with a playable video only")
    lesson.publish_on_ready = False
    if lesson.status == "published":
        return False
    lesson.status = "published"
    lesson.published_at = transaction_time()
    audit_log.record(
        "lesson.published",
        lesson,
        by_itself=by_itself or None,
        asset_id=lesson.mux_asset_id,
        playback_id=lesson.mux_playback_id,
    )
    if actor().id != lesson.creator_id:
        audit_log.notify("lesson_published", lesson, f"“{lesson.title}” is published.", tracking=tracking)
    return True


def publishes_by_itself(lesson: Lesson) -> bool:
    """As soon as its video is ready: that was asked for, and neither done nor taken back since."""
    return lesson.status == "draft" and lesson.publish_on_ready


def may_be_fulfilled(lesson: Lesson) -> bool:
    """Everything that an intent waits for is there: the video plays, and no page has unsaved changes."""
    if not publishes_by_itself(lesson) or lesson.is_unsaved or not lesson.is_playable:
        return False
    return lesson.held_until is None or lesson.held_until <= transaction_time()


def due() -> ColumnElement[bool]:
    """As SQL: what the intent may have waited for has ended with the time, and no event will tell of it.

    It stays so until `expire` has looked at the lesson, and none is forgotten."""
    return Lesson.held_until <= func.clock_timestamp()


def fulfil(lesson: Lesson, tracking: Tracking | None) -> bool:
    """Something that the intent waited for is there: publish if nothing else is missing, and it was not taken back."""
    if not may_be_fulfilled(lesson):
        return False
    return publish(lesson, by_itself=True, tracking=tracking)


def hold(lesson: Lesson, page_id: uuid.UUID) -> None:
    """An open page has unsaved changes; to be repeated before HOLD_SECONDS are over."""
    until = transaction_time() + timedelta(seconds=HOLD_SECONDS)
    new = insert(EditingHold).values(lesson_id=lesson.id, page_id=page_id, expires_at=until)
    keys = [EditingHold.lesson_id, EditingHold.page_id]
    db.session.execute(new.on_conflict_do_update(index_elements=keys, set_={"expires_at": until}))
    _set_held_until(lesson)


def release(lesson: Lesson, page_id: uuid.UUID, tracking: Tracking | None) -> bool:
    """The page has no unsaved changes any more; True if the lesson waited for nothing else and is published."""
    _forget(lesson, EditingHold.page_id == page_id)
    return fulfil(lesson, tracking)


def expire(lesson: Lesson, tracking: Tracking | None) -> bool:
    """Pages that were closed without a word, with a laptop or a connection that broke; True if that publishes the lesson."""
    _forget(lesson, EditingHold.expires_at <= transaction_time())
    return fulfil(lesson, tracking)


def _forget(lesson: Lesson, condition: ColumnElement[bool]) -> None:
    db.session.execute(delete(EditingHold).where(EditingHold.lesson_id == lesson.id, condition))
    _set_held_until(lesson)


def _set_held_until(lesson: Lesson) -> None:
    db.session.flush()
    latest = select(func.max(EditingHold.expires_at)).where(EditingHold.lesson_id == lesson.id)
    lesson.held_until = db.session.scalar(latest)
    flag_modified(lesson, "updated_at")  # its value stays: nothing of the lesson itself was changed
    db.session.flush()


def request(lesson: Lesson) -> bool:
    """Remember that the lesson is to be published when its video is ready."""
    if lesson.status == "published" or lesson.publish_on_ready:
        return False
    lesson.publish_on_ready = True
    audit_log.record("lesson.publish_requested", lesson)
    return True


def withdraw(lesson: Lesson, *, why: str | None = None) -> bool:
    """Back to draft, and the intent is gone; whatever becomes ready later stays a draft."""
    published, intended = lesson.status == "published", lesson.publish_on_ready
    lesson.status, lesson.published_at, lesson.publish_on_ready = "draft", None, False
    if published:
        audit_log.record("lesson.unpublished", lesson, why=why)
    elif intended:
        audit_log.record("lesson.publish_withdrawn", lesson, why=why)
    return published or intended


def restore(lesson: Lesson, before: Publication) -> bool:
    """Give a lesson back the publication that it had before an action that is undone; False if it has it already. No
    notice is sent: its instructor was told when it was published first."""
    now = state_of(lesson)
    if now == before:
        return False
    if before.status == "published" and not lesson.is_playable:
        raise ValueError("a lesson is published with a playable video only")
    lesson.status, lesson.published_at = before.status, before.published_at
    lesson.publish_on_ready = before.publish_on_ready
    if before.status == "published":
        action = "lesson.published"
    elif now.status == "published":
        action = "lesson.unpublished"
    else:
        action = "lesson.publish_requested" if before.publish_on_ready else "lesson.publish_withdrawn"
    audit_log.record(action, lesson, restored=True, publish_on_ready=before.publish_on_ready or None)
    return True
