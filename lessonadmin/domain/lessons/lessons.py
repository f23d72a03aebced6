"""Lessons: create, edit, publish, unpublish, delete.

Each change runs under the lesson's lock and leaves its audit row. What it means for the video is never decided here but
in `transitions` and `publication`.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select

from lessonadmin import mux
from lessonadmin.database import row_access
from lessonadmin.db import Actor, db, transaction, transaction_time
from lessonadmin.domain import buyers, permissions, school_time
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.lessons import trash
from lessonadmin.domain.lessons.sections.places import Place
from lessonadmin.domain.models import Course, CourseSection, Lesson, User, in_trash
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.prices import MAX_PRICE_CENTS
from lessonadmin.domain.videos import conditions, locking, publication, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.text.texts import plain, storable

MAX_TITLE_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 20_000
MAX_FILE_NAME_SHOWN = 150
KEY_LOCK_SEED = 30  # apart from the locks of other texts


class Unset:
    """Marks a field that the caller left out."""


UNSET = Unset()


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The fields to change; what is UNSET stays."""

    title: str | Unset = UNSET
    description: str | Unset = UNSET
    language: str | Unset | None = UNSET  # of a course
    course_id: uuid.UUID | Unset | None = UNSET
    price_cents: int | Unset = UNSET
    status: Literal["draft", "published"] | Unset = UNSET
    publish_not_before: datetime | Unset | None = UNSET
    unpublish_at: datetime | Unset | None = UNSET


def check_texts(title: str | Unset, description: str | Unset, price_cents: int | Unset = UNSET) -> None:
    """Refuse with every field that is wrong at once."""
    fields: dict[str, str] = {}
    if isinstance(title, str) and not 1 <= len(title.strip()) <= MAX_TITLE_LENGTH:
        fields["title"] = f"Enter a title of 1 to {MAX_TITLE_LENGTH} characters."
    if isinstance(description, str) and len(description) > MAX_DESCRIPTION_LENGTH:
        fields["description"] = f"The description may have {MAX_DESCRIPTION_LENGTH} characters at most."
    if isinstance(price_cents, int) and not 0 <= price_cents <= MAX_PRICE_CENTS:
        fields["price_cents"] = f"The price must be from 0 to {MAX_PRICE_CENTS} cents."
    for name, value in (("title", title), ("description", description)):
        if isinstance(value, str) and (not storable(value) or (not value.isprintable() and name == "title")):
            fields[name] = "This text has characters that cannot be stored."
    if fields:
        raise Invalid("invalid_input", next(iter(fields.values())), fields=fields)


def create(user: User, changes: Changes) -> Lesson:
    """A new lesson is a draft; unless it is to stay one, it is published by itself when its video is ready."""
    permissions.teaches(user)
    if isinstance(changes.title, Unset):
        raise Invalid.field("title", "Enter a title.")
    check_texts(changes.title, changes.description, changes.price_cents)
    lesson = _store(user, changes, changes.title.strip(), publish_on_ready=changes.status != "draft")
    _set_times(lesson, changes)
    return lesson


def create_once(user: User, changes: Changes, *, key: uuid.UUID) -> tuple[Lesson, bool]:
    """The same for a client that may ask again, since an answer can be lost: the lesson of this key, and whether it was made now.

    A lesson that was made before is given as it is by now, also from the trash."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(key), KEY_LOCK_SEED))))
    mine = select(Lesson).where(Lesson.creator_id == user.id, Lesson.client_key == key)
    before = db.session.scalar(mine, execution_options=in_trash.too())
    if before is not None:
        return before, False
    lesson = create(user, changes)
    lesson.client_key = key
    db.session.flush()
    return lesson, True


def begin(user: User, changes: Changes, *, file_name: str) -> Lesson:
    """A video is uploaded before the form is complete: a draft that is to stay one until the form is saved.

    Without a title it is shown by the name of the file."""
    permissions.teaches(user)
    typed = changes.title.strip() if isinstance(changes.title, str) else ""
    title = typed or _untitled(file_name)
    check_texts(title, changes.description, changes.price_cents)
    return _store(user, changes, title, publish_on_ready=False, is_unsaved=True, is_untitled=not typed)


def _untitled(file_name: str) -> str:
    shown = "".join(sign for sign in plain(file_name, max_length=MAX_FILE_NAME_SHOWN) if sign.isprintable())
    return f"Untitled ({shown})" if shown else "Untitled"


def _store(
    user: User,
    changes: Changes,
    title: str,
    *,
    publish_on_ready: bool,
    is_unsaved: bool = False,
    is_untitled: bool = False,
) -> Lesson:
    rate_limits.make("lessons", user.id)
    lesson = Lesson(
        creator_id=user.id,
        title=title,
        description="" if isinstance(changes.description, Unset) else changes.description,
        price_cents=0 if isinstance(changes.price_cents, Unset) else changes.price_cents,
        publish_on_ready=publish_on_ready,
        is_unsaved=is_unsaved,
        is_untitled=is_untitled,
    )
    if not isinstance(changes.course_id, Unset):
        _put_into_course(user, lesson, changes.course_id)
    db.session.add(lesson)
    db.session.flush()
    audit_log.record("lesson.created", lesson, title=lesson.title, publish_on_ready=lesson.publish_on_ready)
    return lesson


def course_of(user: User, course_id: uuid.UUID) -> Course:
    """A course that this person may put lessons into; Invalid if it is foreign, in the trash or gone."""
    try:
        return permissions.course_to_change(user, course_id)
    except Missing:
        raise Invalid.field("course_id", "There is no such course of yours.") from None


def _put_into_course(user: User, lesson: Lesson, course_id: uuid.UUID | None) -> None:
    if course_id == lesson.course_id:
        return
    if course_id is not None:
        course = course_of(user, course_id)
        try:
            permissions.held(course)
        except Missing:
            raise Invalid.field("course_id", "There is no such course of yours.") from None
        if not user.is_staff and course.instructor_id != user.id:
            raise Invalid.field("course_id", "There is no such course of yours.")
        lesson.position = _last_position(course_id) + 1
        lesson.trashed_course_id = None
    lesson.course_id = course_id
    lesson.section_id = None


def _last_position(course_id: uuid.UUID) -> int:
    """Also of those that others have in it, and of those in the trash, which come back to their places."""
    last = select(func.max(Lesson.position)).where(Lesson.course_id == course_id)
    with row_access.everything():
        return db.session.scalar(last, execution_options=in_trash.too()) or 0


def edit(
    user: User,
    lesson_id: uuid.UUID,
    changes: Changes,
    *,
    version: int | None = None,
    page_id: uuid.UUID | None = None,
) -> Lesson:
    """Change what was asked for. With `version`, refuse if another user saved in between.

    `page_id`: the open page that saves, for whose unsaved changes publication waits no longer."""
    check_texts(changes.title, changes.description, changes.price_cents)
    lesson = permissions.lesson_to_change(user, lesson_id)
    video = locking.lock_video_of(lesson)
    lesson = _lesson(video)
    if version is not None and lesson.version != version:
        raise Conflict("edit_conflict", "This lesson was saved by someone else while you were editing it.")
    before = {name: getattr(lesson, name) for name in ("title", "description", "price_cents", "course_id")}
    if isinstance(changes.title, str):
        lesson.title = changes.title.strip()
        lesson.is_unsaved = lesson.is_untitled = False
    if isinstance(changes.description, str):
        lesson.description = changes.description
    if isinstance(changes.price_cents, int):
        lesson.price_cents = changes.price_cents
    if not isinstance(changes.course_id, Unset):
        _put_into_course(user, lesson, changes.course_id)
    _record_edit(lesson, before)
    if changes.status == "draft":
        publication.withdraw(lesson)
    new_times = _set_times(lesson, changes)
    if changes.status == "published":
        _publish_or_request(video, in_time=True)
    if page_id is not None:
        publication.release(lesson, page_id, video.playing)
    elif new_times:  # the intent may have waited for nothing else
        publication.fulfil(lesson, video.playing)
    return lesson


def put_back(user: User, lesson_id: uuid.UUID, place: Place) -> Lesson:
    """Give a lesson back the place that it had; lessons that were put into another order since keep theirs. Invalid if its course is
    not there any more."""
    lesson = edit(user, lesson_id, Changes(course_id=place.course_id))
    lesson.position = place.position
    known = select(CourseSection.id).where(CourseSection.id == place.section_id)
    lesson.section_id = db.session.scalar(known)
    if place.course_id is None and place.trashed_course_id is not None:
        there = select(Course.id).where(Course.id == place.trashed_course_id, Course.deleted_at.is_not(None))
        lesson.trashed_course_id = db.session.scalar(there, execution_options=in_trash.too())
    db.session.flush()
    return lesson


def _set_times(lesson: Lesson, changes: Changes) -> bool:
    """What the changes say of the lesson's times. Only new times are looked at: one that is stored was right when it was set."""
    before = publication.state_of(lesson)
    not_before = (
        before.not_before if isinstance(changes.publish_not_before, Unset) else changes.publish_not_before
    )
    unpublish_at = before.unpublish_at if isinstance(changes.unpublish_at, Unset) else changes.unpublish_at
    if (not_before, unpublish_at) == (before.not_before, before.unpublish_at):
        return False
    fields: dict[str, str] = {}
    kept = lesson.status == "draft" and not lesson.publish_on_ready and changes.status != "published"
    for name, new, old in (
        ("publish_not_before", not_before, before.not_before),
        ("unpublish_at", unpublish_at, before.unpublish_at),
    ):
        if new is not None and new != old:
            if kept:
                fields[name] = "This lesson stays a draft, so it has no time. Choose that it is published."
            elif new <= transaction_time():
                fields[name] = "This time is over. Choose one that lies ahead, or none."
            elif new > transaction_time() + school_time.MAX_AHEAD:
                fields[name] = "Choose a time within the next five years."
    if not_before is not None and not_before != before.not_before and lesson.status == "published":
        fields["publish_not_before"] = (
            "This lesson is published already. Unpublish it first, or choose no time."
        )
    if not fields and not_before is not None and unpublish_at is not None and unpublish_at <= not_before:
        fields["unpublish_at"] = "Choose a time after the one at which it is published."
    if fields:
        raise Invalid("invalid_input", next(iter(fields.values())), fields=fields)
    return publication.set_times(lesson, not_before=not_before, unpublish_at=unpublish_at)


def _record_edit(lesson: Lesson, before: dict[str, object]) -> None:
    changed = {name: old for name, old in before.items() if getattr(lesson, name) != old}
    if not changed:
        return
    lesson.version += 1
    db.session.flush()
    audit_log.record(
        "lesson.updated",
        lesson,
        before={name: _plain(old) for name, old in changed.items()},
        after={name: _plain(getattr(lesson, name)) for name in changed},
    )


def _plain(value: object) -> object:
    return str(value) if isinstance(value, uuid.UUID) else value


def _lesson(video: LockedVideo) -> Lesson:
    if not isinstance(video.owner, Lesson):
        raise TypeError("this video is a course's")
    return video.owner


def _publish_or_request(video: LockedVideo, *, in_time: bool = False) -> bool:
    """True if it is published now, False if that waits for the video, or with `in_time` for the time that is set."""
    lesson = _lesson(video)
    if lesson.is_unsaved:
        raise Conflict(
            "not_saved", "This lesson was never saved. Open it, enter what is missing, and save it."
        )
    if in_time and lesson.publish_not_before is not None:
        publication.request(lesson)
        return publication.fulfil(lesson, video.playing)
    publication.publish_at_any_time(lesson)
    if lesson.is_playable:
        publication.publish(lesson, tracking=video.playing)
        return True
    publication.request(lesson)
    return False


def publish(lesson: Lesson, *, actor: Actor, priority: mux.Priority = "high") -> bool:
    """Publish now or when the video is ready, whatever time was set for it. Mux is asked about a stuck video at once; True if the lesson is published."""
    with transaction(actor):
        video = locking.lock_video_of(lesson)
        lesson = _lesson(video)
        transitions.ensure_tracked(video)
        row = video.on_its_way or video.playing
        # a temporary playback id is not the end: the asset is a true one, and Mux names its true playback id
        has_true_asset = row is not None and lesson.has_temporary_id and not lesson.has_temporary_asset
        if not has_true_asset:
            _refuse_unpublishable(lesson)
        if _publish_or_request(video):
            return True
        must_ask = row is not None and (has_true_asset or conditions.upload_is_stuck(row, transaction_time()))
    if row is None or not must_ask:
        return False
    with transaction(actor):  # apart: the request to publish is kept, also if Mux is not asked
        rate_limits.other_question(actor)
    try:
        ask_mux.check_upload(row.id, actor=actor, priority=priority, found_by="manual")
    except mux.Later as error:
        raise ask_mux.unavailable(error) from error
    except mux.MuxError as error:
        raise ask_mux.unavailable(error) from error
    return _after_the_look(lesson.id, actor)


def _after_the_look(lesson_id: uuid.UUID, actor: Actor) -> bool:
    """A person asked for it, so unsaved changes of a page hold nothing up."""
    with transaction(actor):
        video = locking.lock_video("lesson", lesson_id)
        if video is None:
            raise Missing()
        lesson = _lesson(video)
        _refuse_unpublishable(lesson)
        if lesson.is_playable and publication.publishes_by_itself(lesson):
            publication.publish(lesson, tracking=video.playing)
        return lesson.status == "published"


def _refuse_unpublishable(lesson: Lesson) -> None:
    if lesson.has_temporary_asset:
        raise Invalid(
            "temporary_asset",
            "This lesson has a temporary video id that Mux does not know. Please upload the video again.",
        )
    if lesson.video_processing_status in ("none", "deleting"):
        raise Invalid("no_video", "This lesson has no video yet. Please upload one first.")
    if lesson.video_processing_status == "error":
        raise Conflict("video_error", "The video of this lesson failed. Please upload it again.")
    if lesson.video_processing_status == "ready" and not lesson.is_playable:
        raise Conflict("video_error", "The video of this lesson has no playback id. Support can fix this.")


def note_unsaved_changes(lesson: Lesson, page_id: uuid.UUID, *, dirty: bool) -> bool:
    """An open page has unsaved changes (`dirty`) or has none any more; True if that publishes the lesson."""
    video = locking.lock_video_of(lesson)
    lesson = _lesson(video)
    if dirty:
        publication.hold(lesson, page_id)
        return False
    return publication.release(lesson, page_id, video.playing)


def unpublish(lesson: Lesson) -> bool:
    """Back to draft; a request to publish is withdrawn, too."""
    video = locking.lock_video_of(lesson)
    return publication.withdraw(_lesson(video))


def delete(user: User, lesson_id: uuid.UUID) -> None:
    """Move a lesson to the trash; a lesson that a student has bought stays."""
    lesson = permissions.lesson_to_change(user, lesson_id)
    video = locking.lock_video_of(lesson)
    if buyers.count(lesson_id):
        raise Conflict(
            "has_purchases",
            "This lesson was bought, so it cannot be deleted. Withdraw it from sale instead, or ask support to revoke its purchases.",
        )
    trash.put(video)
