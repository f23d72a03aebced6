"""Give a lesson another price, and its undo. What students have bought stays theirs; the price itself is checked where it is typed."""

import uuid
from collections.abc import Mapping

from sqlalchemy import ColumnElement, case, literal

from lessonadmin.domain import permissions, prices
from lessonadmin.domain.batches import before, results
from lessonadmin.domain.batches.before import BEFORE
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import Lesson, User
from lessonadmin.domain.videos import locking

PRICE = "price_cents"


def chosen(_user: User, text: str) -> dict[str, object]:
    """The option out of what is typed; Invalid for what is no price."""
    return {PRICE: prices.parse_price(text)}


def verdict(options: Mapping[str, object]) -> ColumnElement[str]:
    return case((Lesson.price_cents == options.get(PRICE), "price_already"), else_=literal("reprices"))


def set_price(lesson_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    return _changed(lesson_id, options.get(PRICE), "reprices", "price_already")


def restore(lesson_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    """The price that it had."""
    stored = options.get(BEFORE)
    price = stored.get(PRICE) if isinstance(stored, Mapping) else None
    return _changed(lesson_id, price, "restores_price", "as_before")


def _changed(lesson_id: uuid.UUID, price: object, done: str, already: str) -> Result:
    video, user = locking.lock_video("lesson", lesson_id), permissions.acting_user()
    if video is None or user is None or not isinstance(video.owner, Lesson):
        return results.of("missing")
    if not isinstance(price, int):
        return results.of("not_recorded")
    if video.owner.price_cents == price:
        return results.of(already)
    was = {**before.of(video.owner), PRICE: video.owner.price_cents}
    lessons.edit(user, lesson_id, Changes(price_cents=price))
    return results.of(done, before=was)
