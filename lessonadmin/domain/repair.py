"""Old lessons healed: drafts whose video is long ready, and temporary ids that were never replaced.

Each lesson is judged by what Mux says now, never guessed: where two assets could be meant, the lesson is reported and
left alone. What a person keeps as a draft stays one. A lesson that was dealt with needs no second look, so a stopped
run goes on where it was and a second run changes nothing.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import budget, desks, publication, videos
from lessonadmin.domain.desks import Desk
from lessonadmin.domain.finding import Finder
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.models.video import MIGRATED
from lessonadmin.domain.reading import asset_news, gone_news

Result = Literal["updated", "skipped", "failed"]


@dataclass(frozen=True)
class Finding:
    """What became of one lesson, or would: `reason` groups the summary, `remark` tells the case."""

    lesson_id: uuid.UUID
    title: str
    result: Result
    reason: str
    remark: str = ""


def _needs_look() -> ColumnElement[bool]:
    tracked = exists().where(Tracking.lesson_id == Lesson.id, Tracking.mux_asset_id == Lesson.mux_asset_id)
    waits = and_(Lesson.video_processing_status == "ready", Lesson.publish_on_ready)
    has_video = func.btrim(func.coalesce(Lesson.mux_asset_id, "")) != ""
    return or_(
        Lesson.has_temporary_asset,
        and_(Lesson.status == "draft", has_video, or_(~tracked, waits), Lesson.publish_on_ready),
    )


def how_many() -> int:
    """Lessons that need a look, for a bar that shows how far it is."""
    found = db.session.scalar(select(func.count()).select_from(Lesson).where(_needs_look()))
    db.session.rollback()
    return found or 0


def candidates() -> Iterator[uuid.UUID]:
    """Lessons that need a look, by key, a page at a time, so that a million lessons take no memory."""
    last: uuid.UUID | None = None
    while True:
        page = select(Lesson.id).where(_needs_look()).order_by(Lesson.id).limit(200)
        ids = db.session.scalars(page if last is None else page.where(Lesson.id > last)).all()
        db.session.rollback()
        if not ids:
            return
        yield from ids
        last = ids[-1]


def untouched() -> dict[str, int]:
    """Drafts that need no look, counted by why."""
    has_video = func.btrim(func.coalesce(Lesson.mux_asset_id, "")) != ""
    tracked = exists().where(Tracking.lesson_id == Lesson.id, Tracking.mux_asset_id == Lesson.mux_asset_id)
    draft = and_(Lesson.status == "draft", ~Lesson.has_temporary_asset)
    kinds = {
        "no video": and_(draft, ~has_video),
        "kept as a draft by a person": and_(draft, has_video, ~Lesson.publish_on_ready),
        "watched already": and_(
            draft,
            has_video,
            Lesson.publish_on_ready,
            tracked,
            Lesson.video_is_open,
        ),
        "failed before": and_(
            draft, has_video, Lesson.publish_on_ready, tracked, Lesson.video_processing_status == "error"
        ),
    }
    counted = {
        reason: db.session.scalar(select(func.count()).select_from(Lesson).where(condition)) or 0
        for reason, condition in kinds.items()
    }
    db.session.rollback()
    return {reason: count for reason, count in counted.items() if count}


def mend(lesson_id: uuid.UUID, finder: Finder, *, actor: Actor, dry_run: bool) -> Finding | None:
    """Look at one lesson and heal it; None if it vanished."""
    lesson = db.session.get(Lesson, lesson_id, populate_existing=True)
    db.session.rollback()
    if lesson is None:
        return None
    try:
        if lesson.has_temporary_asset:
            return _mend_temporary(lesson, finder, actor=actor, dry_run=dry_run)
        return _mend_real(lesson, (lesson.mux_asset_id or "").strip(), actor=actor, dry_run=dry_run)
    except mux.MuxError as error:
        budget.went_wrong(error)
        return _said(lesson, "failed", "Mux could not be asked", f"{error.category}: {error.message}")


def _said(lesson: Lesson, result: Result, reason: str, remark: str = "") -> Finding:
    return Finding(lesson.id, lesson.title, result, reason, remark)


def _mend_temporary(lesson: Lesson, finder: Finder, *, actor: Actor, dry_run: bool) -> Finding:
    found = finder.assets_of(lesson)
    if len(found) > 1:
        return _said(lesson, "skipped", "ambiguous", "could be " + " or ".join(sorted(found)))
    if not found:
        if finder.is_waiting(lesson):
            return _said(lesson, "skipped", "upload not finished")
        if not dry_run:
            _forget(lesson, actor)
        return _said(lesson, "failed", "missing at Mux", f"{lesson.mux_asset_id} was cleared")
    return _mend_real(lesson, next(iter(found)), actor=actor, dry_run=dry_run)


def _mend_real(lesson: Lesson, asset_id: str, *, actor: Actor, dry_run: bool) -> Finding:
    budget.wait()
    try:
        asset = mux.get_asset(asset_id, priority="low")
    except mux.Gone:
        if not dry_run:
            _gone(lesson, asset_id, actor)
        return _said(lesson, "failed", "missing at Mux", f"{asset_id} was cleared")
    except mux.Refused as error:
        if error.category != "not_found":
            raise
        if not dry_run:
            _forget(lesson, actor)
        return _said(lesson, "failed", "missing at Mux", f"{asset_id} is no id of Mux's and was cleared")
    budget.went_well()
    if not dry_run:
        _take_over(lesson, asset, actor)
    return _judge(lesson, asset)


def _judge(lesson: Lesson, asset: mux.Asset) -> Finding:
    if asset.status == "errored":
        return _said(lesson, "failed", "failed at Mux", asset.error_message or "")
    if asset.status != "ready":
        return _said(lesson, "updated", "watched from now on", asset.id)
    if not any(found.policy in ("public", "signed") for found in asset.playback_ids):
        return _said(lesson, "failed", "ready without a playback id", asset.id)
    if not lesson.publish_on_ready:
        return _said(lesson, "updated", "true ids, kept as a draft", asset.id)
    return _said(lesson, "updated", "published", asset.id)


def _take_over(lesson: Lesson, asset: mux.Asset, actor: Actor) -> None:
    with transaction(actor):
        desk = desks.desk_of(lesson)
        row = _row_for(desk, asset)
        news = asset_news(
            asset, wanted_policy=row.wanted_policy, found_by="manual", seen=True, any_policy=True
        )
        videos.apply(desk, row, news)
        playing = desk.playing
        if playing is not None and isinstance(desk.owner, Lesson) and publication.is_playable(desk.owner):
            publication.fulfil(desk.owner, playing)


def _row_for(desk: Desk, asset: mux.Asset) -> Tracking:
    """The upload that this asset came from; one of its own where none is known."""
    known = desk.of_asset(asset.id)
    if known is None and asset.upload_id:
        known = next((row for row in desk.rows if row.upload_id == asset.upload_id), None)
    if known is not None and known.is_current:
        return known
    policies = {found.policy for found in asset.playback_ids}
    row = videos.new_row(
        desk,
        upload_id=MIGRATED,  # the true one is learned with the asset, if it is nobody else's
        mux_asset_id=asset.id,
        wanted_policy="signed" if policies == {"signed"} else "public",
        outside=True,
    )
    videos.take_place(desk, row)
    return row


def _gone(lesson: Lesson, asset_id: str, actor: Actor) -> None:
    with transaction(actor):
        desk = desks.desk_of(lesson)
        videos.ensure_tracked(desk)
        row = desk.of_asset(asset_id)
        if row is not None and row.is_current:
            videos.apply(desk, row, gone_news(asset_id, found_by="manual"))
        else:
            videos.project(desk)


def _forget(lesson: Lesson, actor: Actor) -> None:
    """An id that names nothing at Mux is only forgotten; the wish to publish stands for the next upload."""
    with transaction(actor):
        desk = desks.desk_of(lesson)
        videos.forget(desk)
