"""The one writer of a lesson's publication: the intent, its fulfilment, and taking a lesson back.

A person's decision comes before the program's: the intent is spent when it is fulfilled and gone when a person
unpublishes, so a repeated "ready" finds nothing to do. Nothing in the trash is published or waits for that. While an open page has
unsaved changes (an editing hold), the intent waits; it is fulfilled when the last hold is released, or found expired by the sweep. Publishing by a person waits for nothing.

A lesson may have two times: it is published by itself not before the first, and taken back at the second. Each is there only as long
as it lies ahead: the sweep that finds it over does what was planned, or tells the instructor why that was not possible, and
empties it. So a time that came while nothing ran is not forgotten, and none is acted upon twice.
Callers hold the lesson's row lock. Asking Mux first is the business of `lessons`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import flag_modified

from lessonadmin.db import actor, db, transaction_time
from lessonadmin.domain import school_time
from lessonadmin.domain.audit import audit_log, student_notices
from lessonadmin.domain.models import EditingHold, Lesson, Tracking

VIDEO_MISSING = {
    "none": "it has no video yet.",
    "uploading": "its video is not uploaded completely.",
    "processing": "its video is still being processed.",
    "error": "its video failed.",
    "deleting": "its video was removed.",
}
# An open page renews its hold three times in this time, also in a tab that the browser slows down to once a minute.
HOLD_SECONDS = 180


@dataclass(frozen=True)
class Publication:
    """All that there is to know about a lesson's publication."""

    status: str
    published_at: datetime | None
    publish_on_ready: bool
    not_before: datetime | None = None
    unpublish_at: datetime | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "status": self.status,
            "published_at": _text(self.published_at),
            "publish_on_ready": self.publish_on_ready,
            "publish_not_before": _text(self.not_before),
            "unpublish_at": _text(self.unpublish_at),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> "Publication":
        """What was stored before there were times has none."""
        return cls(
            str(stored["status"]),
            _moment(stored["published_at"]),
            bool(stored["publish_on_ready"]),
            _moment(stored.get("publish_not_before")),
            _moment(stored.get("unpublish_at")),
        )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text is not None else None


def state_of(lesson: Lesson) -> Publication:
    return Publication(
        lesson.status,
        lesson.published_at,
        lesson.publish_on_ready,
        lesson.publish_not_before,
        lesson.unpublish_at,
    )


def publish(lesson: Lesson, *, by_itself: bool = False, tracking: Tracking | None = None) -> bool:
    """Publish now; False if it is out already, or in the trash. The video must be playable."""
    if not lesson.is_playable:
        raise ValueError("a lesson is published with a playable video only")
    lesson.publish_on_ready = False
    lesson.publish_not_before = lesson.publication_warned_at = None
    if lesson.deleted_at is not None or lesson.status == "published":
        return False
    if _is_over(lesson.unpublish_at):
        lesson.unpublish_at = None
    lesson.status = "published"
    lesson.published_at = transaction_time()
    if lesson.first_published_at is None:
        student_notices.new_in_course(lesson)
    _remember_publication(lesson)
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


def _remember_publication(lesson: Lesson) -> None:
    """Another program may have published it: then nothing is known of when that was first."""
    if lesson.status == "published" and lesson.first_published_at is None:
        lesson.first_published_at = lesson.published_at or transaction_time()


def publishes_by_itself(lesson: Lesson) -> bool:
    """As soon as its video is ready: that was asked for, and neither done nor taken back since."""
    return lesson.status == "draft" and lesson.publish_on_ready


def may_be_fulfilled(lesson: Lesson) -> bool:
    """Everything that an intent waits for is there: the video plays, no page has unsaved changes, and its time has come."""
    if not publishes_by_itself(lesson) or lesson.is_unsaved or not lesson.is_playable:
        return False
    if _is_over(lesson.unpublish_at):
        return False
    return all(at is None or _is_over(at) for at in (lesson.held_until, lesson.publish_not_before))


def _is_over(at: datetime | None) -> bool:
    return at is not None and at <= transaction_time()


def due() -> ColumnElement[bool]:
    """As SQL: a time of the lesson is over, and no event will tell of it.

    It stays so until `catch_up` has looked at the lesson, and none is forgotten."""
    now = func.clock_timestamp()
    times = (Lesson.held_until, Lesson.publish_not_before, Lesson.unpublish_at)
    return or_(*(time <= now for time in times))


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


def catch_up(lesson: Lesson, tracking: Tracking | None) -> bool:
    """What became due with the time: pages that were closed without a word, and the lesson's own times. True if the lesson is
    published or taken back by that."""
    if _is_over(lesson.held_until):
        _forget(lesson, EditingHold.expires_at <= transaction_time())
    if _is_over(lesson.unpublish_at):
        return _take_back_in_time(lesson)
    if fulfil(lesson, tracking):
        return True
    if _is_over(lesson.publish_not_before):
        _tell_that_it_is_late(lesson)
    return False


def set_times(lesson: Lesson, *, not_before: datetime | None, unpublish_at: datetime | None) -> bool:
    """Plan when the lesson is published and taken back; None for no time. Whether the times are sensible was asked before."""
    before = state_of(lesson)
    lesson.publish_not_before, lesson.unpublish_at = not_before, unpublish_at
    if state_of(lesson) == before:
        return False
    lesson.publication_warned_at = None
    audit_log.record(
        "lesson.times_changed",
        lesson,
        before=_times(before),
        after=_times(state_of(lesson)),
    )
    return True


def publish_at_any_time(lesson: Lesson) -> bool:
    """A person wants it published now: it has no time before that any more, and no end that is over."""
    end = None if _is_over(lesson.unpublish_at) else lesson.unpublish_at
    return set_times(lesson, not_before=None, unpublish_at=end)


def _times(state: Publication) -> dict[str, object]:
    return {name: state.as_json()[name] for name in ("publish_not_before", "unpublish_at")}


def _take_back_in_time(lesson: Lesson) -> bool:
    """Its end has come. One whose video was not ready in all the time is not published any more either."""
    at, published, intended = lesson.unpublish_at, lesson.status == "published", publishes_by_itself(lesson)
    changed = withdraw(lesson, why="its time is over")
    if published:
        said = f"“{lesson.title}” was unpublished, as planned for {_said(at)}. Its buyers can still watch it."
        audit_log.notify("publication_time", lesson, said, cause="unpublished_in_time")
    elif intended:
        said = (
            f"“{lesson.title}” was to be public until {_said(at)}, but it could not be published in that time:"
            f" {why_not(lesson)} It is a draft now."
        )
        audit_log.notify("publication_time", lesson, said, cause="publication_missed")
    return changed


def _tell_that_it_is_late(lesson: Lesson) -> None:
    """Its time has come and something else is missing: it is published as soon as that is there, and the instructor knows."""
    at, lesson.publish_not_before = lesson.publish_not_before, None
    lesson.publication_warned_at = None
    if not publishes_by_itself(lesson):
        return
    audit_log.record("lesson.publication_late", lesson, planned=_text(at), why=why_not(lesson))
    said = (
        f"“{lesson.title}” was to be published on {_said(at)}, but {why_not(lesson, first=False)}"
        " It will be published as soon as that has changed."
    )
    audit_log.notify("publication_time", lesson, said, cause="publication_late")


def _said(at: datetime | None) -> str:
    return school_time.in_words(at) if at is not None else ""


def why_not(lesson: Lesson, *, first: bool = True) -> str:
    """What an intent waits for beside its time, as a sentence; `first`: it begins one."""
    if lesson.is_unsaved:
        said = "it was never saved."
    elif not lesson.is_playable:
        said = VIDEO_MISSING.get(lesson.video_processing_status, "its video does not play.")
    elif lesson.held_until is not None:
        said = "a page has unsaved changes of it."
    else:
        said = "Lessonadmin did not run in that time."
    return said[0].upper() + said[1:] if first else said


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
    if lesson.deleted_at is not None or lesson.status == "published" or lesson.publish_on_ready:
        return False
    lesson.publish_on_ready = True
    audit_log.record("lesson.publish_requested", lesson)
    return True


def withdraw(lesson: Lesson, *, why: str | None = None) -> bool:
    """Back to draft, and the intent and its times are gone; whatever becomes ready later stays a draft."""
    published, intended = lesson.status == "published", lesson.publish_on_ready
    _remember_publication(lesson)
    lesson.status, lesson.published_at, lesson.publish_on_ready = "draft", None, False
    lesson.publish_not_before = lesson.unpublish_at = lesson.publication_warned_at = None
    if published:
        audit_log.record("lesson.unpublished", lesson, why=why)
        student_notices.withdrawn(lesson)
    elif intended:
        audit_log.record("lesson.publish_withdrawn", lesson, why=why)
    return published or intended


def restore(lesson: Lesson, before: Publication) -> bool:
    """Give a lesson back the publication that it had before an action that is undone; False if it has it already, or is in the
    trash. No notice is sent: its instructor was told when it was published first."""
    now = state_of(lesson)
    if now == before or lesson.deleted_at is not None:
        return False
    if before.status == "published" and not lesson.is_playable:
        raise ValueError("a lesson is published with a playable video only")
    _remember_publication(lesson)
    lesson.status, lesson.published_at = before.status, before.published_at
    _remember_publication(lesson)
    lesson.publish_on_ready = before.publish_on_ready
    lesson.publish_not_before, lesson.unpublish_at = before.not_before, before.unpublish_at
    if before.status == "published":
        action = "lesson.published"
    elif now.status == "published":
        action = "lesson.unpublished"
    else:
        action = "lesson.publish_requested" if before.publish_on_ready else "lesson.publish_withdrawn"
    audit_log.record(action, lesson, restored=True, publish_on_ready=before.publish_on_ready or None)
    return True
