"""Move a lesson to the trash, and its undo, which also publishes it again. A lesson that a student has is refused by the one rule for that."""

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
    """Out of the trash, and published again if it was and its video plays."""
    video, user = locking.lock_video("lesson", lesson_id, in_trash_too=True), permissions.acting_user()
    if video is None or user is None or not isinstance(video.owner, Lesson):
        return results.of("missing")
    if not video.in_trash:
        return results.of("as_before")
    stored = options.get(BEFORE)
    published = isinstance(stored, Mapping) and stored.get("status") == "published"
    publish = published and video.owner.is_playable
    trash.restore(user, "lesson", lesson_id, publish=publish)
    if published and not publish:
        return results.of("untrashes_as_draft")
    return results.of("untrashes")
