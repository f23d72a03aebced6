"""Which lessons and courses `fix-lessons` looks at, and why it leaves the other drafts alone.

It takes temporary ids wherever they stand (lesson, course, upload; draft or published), and true assets that no
upload tracks. It leaves a draft with a true playback id as it is: that one was finished and kept, and `publish_on_ready`,
which is true by default in the database, is no sign that anyone wanted it published.
"""

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select

from lessonadmin.db import db
from lessonadmin.domain.models import Kind, Lesson, Owner, Tracking, owners
from lessonadmin.domain.models.lessons import OPEN_STATUSES
from lessonadmin.text.temporary_ids import is_temporary, temporary

Target = tuple[Kind, uuid.UUID]
PAGE = 200
STILL = ("none", *OPEN_STATUSES)


def has_true_playback_id(owner: Owner) -> bool:
    """An id that may have come from Mux stands there to play by."""
    return bool((owner.mux_playback_id or "").strip()) and not is_temporary(owner.mux_playback_id)


def _filled(column: Any) -> ColumnElement[bool]:
    return and_(func.btrim(func.coalesce(column, "")) != "", ~temporary(column))


def _uploads(kind: Kind, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(owners.COLUMNS[kind] == owners.MODELS[kind].id, *conditions)


def _needs_look(kind: Kind) -> ColumnElement[bool]:
    model = owners.MODELS[kind]
    asset, plays = _filled(model.mux_asset_id), _filled(model.mux_playback_id)
    status = model.video_processing_status
    tracked = _uploads(kind, Tracking.mux_asset_id == model.mux_asset_id)
    lost_id = and_(~plays, or_(~tracked, status == "ready"))
    unwatched = and_(plays, ~tracked, status.in_(STILL))
    if kind == "lesson":
        wanted = or_(Lesson.status == "published", Lesson.publish_on_ready)
        # a draft that says that its video is on its way is looked at, and stays a draft
        begun = or_(Lesson.status == "published", Lesson.video_is_open)
        lost_id, unwatched = and_(lost_id, wanted), and_(unwatched, begun)
    stray = _uploads(kind, Tracking.status == "ready", temporary(Tracking.mux_playback_id))
    return or_(model.has_temporary_id, stray, and_(asset, or_(lost_id, unwatched)))


def how_many() -> int:
    """Lessons and courses that need a look, for a bar that shows how far it is."""
    found = sum(
        db.session.scalar(select(func.count()).select_from(model).where(_needs_look(kind))) or 0
        for kind, model in owners.MODELS.items()
    )
    db.session.rollback()
    return found


def candidates() -> Iterator[Target]:
    """Lessons and courses that need a look, by key, a page at a time, so that a million lessons take no memory."""
    for kind, model in owners.MODELS.items():
        last: uuid.UUID | None = None
        while True:
            page = select(model.id).where(_needs_look(kind)).order_by(model.id).limit(PAGE)
            ids = db.session.scalars(page if last is None else page.where(model.id > last)).all()
            db.session.rollback()
            if not ids:
                break
            for owner_id in ids:
                yield kind, owner_id
            last = ids[-1]


def untouched() -> dict[str, int]:
    """Drafts that need no look, counted by why."""
    why = case(
        (func.btrim(func.coalesce(Lesson.mux_asset_id, "")) == "", "no video"),
        (~Lesson.publish_on_ready, "kept as a draft by a person"),
        (_filled(Lesson.mux_playback_id), "finished and not published"),
        (Lesson.video_is_open, "watched already"),
        (Lesson.video_processing_status == "error", "failed before"),
        else_=literal("nothing to do"),
    ).label("why")
    drafts = select(why, func.count()).where(Lesson.status == "draft", ~_needs_look("lesson")).group_by("why")
    counted: dict[str, int] = {}
    for reason, count in db.session.execute(drafts):
        counted[reason] = count
    db.session.rollback()
    return counted
