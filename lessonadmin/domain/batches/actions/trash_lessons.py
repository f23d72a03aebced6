"""Move a lesson to the trash, and its undo, which also publishes it again; and restore lessons that were chosen in the trash.

A lesson that a student has is refused by the one rule for that.
"""

import uuid
from collections.abc import Mapping

from sqlalchemy import ColumnElement, case, exists, literal

from lessonadmin.domain import permissions
from lessonadmin.domain.batches import before, results
from lessonadmin.domain.batches.before import BEFORE
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.lessons import lessons, trash
from lessonadmin.domain.models import Lesson, Purchase
from lessonadmin.domain.videos import locking


def verdict() -> ColumnElement[str]:
    bought = exists().where(Purchase.lesson_id == Lesson.id, Purchase.is_in_force)
    return case((bought, "bought"), else_=literal("trashes"))


def put(lesson_id: uuid.UUID) -> Result:
    video, user = locking.lock_video("lesson", lesson_id), permissions.acting_user()
    if video is None or user is None:
        return results.of("missing")
    was = before.of(video.owner)
    try:
        lessons.delete(user, lesson_id)
    except Conflict:
        return results.of("bought")
    return results.of("trashes", before=was)


def restore(lesson_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    """What a bulk action has deleted comes back as it was: published again if it was and its video plays."""
    stored = options.get(BEFORE)
    published = isinstance(stored, Mapping) and stored.get("status") == "published"
    return _restored(lesson_id, published=published, already="as_before")


def restore_verdict(*, publish: bool) -> ColumnElement[str]:
    published = Lesson.before_trash["status"].astext == "published"
    return case(
        (Lesson.deleted_at.is_(None), "not_deleted"),
        (published & Lesson.is_playable & literal(publish), "untrashes_published"),
        (published & literal(publish), "untrashes_as_draft"),
        else_=literal("untrashes"),
    )


def restore_deleted(lesson_id: uuid.UUID, *, publish: bool) -> Result:
    """Out of the trash, by a person who chose it there. `publish`: as well what was published when it was deleted."""
    video = locking.lock_video("lesson", lesson_id, in_trash_too=True)
    if video is None or not isinstance(video.owner, Lesson):
        return results.of("missing")
    published = publish and (video.owner.before_trash or {}).get("status") == "published"
    return _restored(lesson_id, published=published, already="not_deleted")


def _restored(lesson_id: uuid.UUID, *, published: bool, already: str) -> Result:
    video, user = locking.lock_video("lesson", lesson_id, in_trash_too=True), permissions.acting_user()
    if video is None or user is None:
        return results.of("missing")
    if not video.in_trash:
        return results.of(already)
    was, publish = before.of(video.owner), published and video.owner.is_playable
    trash.restore(user, "lesson", lesson_id, publish=publish)
    code = "untrashes_published" if publish else "untrashes_as_draft" if published else "untrashes"
    return results.of(code, before=was)
