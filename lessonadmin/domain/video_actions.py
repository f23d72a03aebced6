"""Recheck and clear asset, for a lesson, a course or one upload, with the same verdicts as SQL for the preview.

Rechecking asks Mux and lets the answer happen; clearing takes the video away from everything that uses it and leaves
the deletion at Mux to its promise. Both may be repeated without harm.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, update

from lessonadmin import config, mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import calls, deletions, desks, looking, outcomes, removal, videos
from lessonadmin.domain.desks import Desk, Kind
from lessonadmin.domain.looking import Subject
from lessonadmin.domain.models import AssetDeletion, Course, Lesson, Tracking
from lessonadmin.domain.models.video import MIGRATED, OPEN_STATUSES
from lessonadmin.domain.outcomes import Result
from lessonadmin.domain.reading import gone_news
from lessonadmin.domain.video_state import Happening
from lessonadmin.domain.videos import News

ASKED_ABOUT = (*OPEN_STATUSES, "ready", "error")
# In the words of a bulk action's options: keep the asset at Mux for REPLACED_GRACE_SECONDS before it is deleted.
GRACE = "grace"


def is_temporary(model: type[Any]) -> ColumnElement[bool]:
    """Rows whose own asset id is one that an older program of ours made up."""
    found: ColumnElement[bool] = func.coalesce(model.mux_asset_id.like(r"temp\_%"), False)
    return found


def _current(model: type[Any], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    column = Tracking.lesson_id if model is Lesson else Tracking.course_id
    return exists().where(column == model.id, Tracking.superseded_at.is_(None), *conditions)


def _has_real_id(model: type[Any]) -> ColumnElement[bool]:
    return and_(model.mux_asset_id.is_not(None), ~is_temporary(model))


ASKABLE = and_(
    Tracking.status.in_(ASKED_ABOUT),
    or_(Tracking.mux_asset_id.is_not(None), Tracking.upload_id.is_not(None)),
)


def recheck_verdict(kind: Kind) -> ColumnElement[str]:
    model = Lesson if kind == "lesson" else Course
    return case(
        (_current(model, ASKABLE), "asks"),
        (and_(_has_real_id(model), ~_current(model)), "asks"),
        (_current(model, Tracking.status == "deleting"), "being_deleted"),
        (is_temporary(model), "temporary"),
        else_=literal("no_video"),
    )


def subjects_of(kind: Kind, target_id: uuid.UUID) -> tuple[list[Subject], str]:
    """The uploads that Mux can be asked about, the one on its way first; if none, the code that says why."""
    desk = desks.open_desk(kind, target_id)
    if desk is None:
        return [], "missing"
    videos.ensure_tracked(desk)
    rows = [row for row in (desk.on_its_way, desk.playing) if row is not None]
    if not rows:
        rows = [row for row in desk.current if row.status == "error"][-1:]
    rows = [row for row in rows if row.mux_asset_id or row.upload_id]
    if rows:
        return [Subject.of(row) for row in rows], "asks"
    if desk.deleting is not None:
        return [], "being_deleted"
    return [], "temporary" if mux.is_temporary(desk.owner.mux_asset_id) else "no_video"


def calls_for(kind: Kind, target_id: uuid.UUID) -> int:
    """How many calls to Mux asking about this lesson or course costs at most."""
    column = Tracking.lesson_id if kind == "lesson" else Tracking.course_id
    rows = db.session.scalars(
        select(Tracking.mux_asset_id).where(column == target_id, Tracking.superseded_at.is_(None), ASKABLE)
    ).all()
    db.session.rollback()
    return max(1, sum(1 if asset_id else 2 for asset_id in rows))


def calls_for_upload(tracking_id: uuid.UUID) -> int:
    asset_id = db.session.scalar(select(Tracking.mux_asset_id).where(Tracking.id == tracking_id))
    db.session.rollback()
    return 1 if asset_id else 2


def asked(
    subject: Subject, *, actor: Actor, priority: mux.Priority, any_policy: bool = False
) -> tuple[News, str]:
    """Mux's answer about one upload; an upload that Mux forgot has expired. A failure is noted, then raised."""
    try:
        return looking.ask(subject, priority=priority, found_by="manual", any_policy=any_policy)
    except mux.Gone:
        if subject.asset_id:
            return gone_news(subject.asset_id, found_by="manual"), "get_asset"
        return News(happening=Happening.UPLOAD_EXPIRED, seen=True), "get_upload"
    except mux.MuxError as error:
        with transaction(actor):
            looking.note_failure(subject, error)
        raise


def recheck(kind: Kind, target_id: uuid.UUID, *, actor: Actor, priority: mux.Priority) -> Result:
    """Ask Mux about a lesson's or course's video. Raises MuxError."""
    with transaction(actor):
        subjects, nothing = subjects_of(kind, target_id)
    if nothing == "being_deleted":
        return _check_deletion(kind, target_id, actor=actor, priority=priority)
    if not subjects:
        return outcomes.of(nothing)
    changed = [_recheck(subject, actor=actor, priority=priority) for subject in subjects]
    owner = desks.find_owner(kind, target_id)
    state = owner.video_processing_status if owner is not None else "gone"
    db.session.rollback()
    return outcomes.of("asks", _said(any(changed), state))


def _recheck(subject: Subject, *, actor: Actor, priority: mux.Priority) -> bool:
    # Of an asset from before tracking nobody knows with which policy it was asked for: whatever it has is right.
    any_policy = subject.upload_id == MIGRATED and subject.playback_id is None
    news, operation = asked(subject, actor=actor, priority=priority, any_policy=any_policy)
    with transaction(actor):
        calls.note(subject.kind, subject.target_id, operation, "ok", news.happening.value)
        return looking.let_happen(subject, news) == "applied"


def _said(changed: bool, state: str) -> str:
    return f"Mux had news: the video is now “{state}”." if changed else f"Mux agrees: the video is “{state}”."


def _check_deletion(kind: Kind, target_id: uuid.UUID, *, actor: Actor, priority: mux.Priority) -> Result:
    """A deletion that Mux has put off is tried now; one that waits for its grace time goes on waiting."""
    with transaction(actor):
        ids = db.session.scalars(
            update(AssetDeletion)
            .where(
                AssetDeletion.target_type == kind,
                AssetDeletion.target_id == target_id,
                AssetDeletion.done_at.is_(None),
                AssetDeletion.lease_token.is_(None),
                AssetDeletion.attempts > 0,
            )
            .values(due_at=func.clock_timestamp())
            .returning(AssetDeletion.id)
        ).all()
    if not ids:
        return outcomes.of("being_deleted")
    gone = [removal.finish(deletion_id, actor=actor, priority=priority) for deletion_id in ids]
    return outcomes.of("asks", "The video is gone at Mux." if all(gone) else "Mux has not removed it yet.")


def recheck_upload_verdict() -> ColumnElement[str]:
    return case(
        (ASKABLE, "asks"), (Tracking.status == "deleting", "being_deleted"), else_=literal("nothing_to_ask")
    )


def recheck_upload(tracking_id: uuid.UUID, *, actor: Actor, priority: mux.Priority) -> Result:
    """Ask Mux about one upload, current or overtaken. Raises MuxError."""
    row = db.session.get(Tracking, tracking_id, populate_existing=True)
    if row is None:
        return outcomes.of("missing")
    subject, status = Subject.of(row), row.status
    db.session.rollback()
    if status == "deleting":
        return outcomes.of("being_deleted")
    if status not in ASKED_ABOUT or not (subject.asset_id or subject.upload_id):
        return outcomes.of("nothing_to_ask")
    changed = _recheck(subject, actor=actor, priority=priority)
    after = db.session.scalar(select(Tracking.status).where(Tracking.id == tracking_id))
    db.session.rollback()
    return outcomes.of("asks", _said(changed, after or "gone"))


def _grace(options: Mapping[str, object]) -> float:
    return float(config.current().replaced_grace_seconds) if options.get(GRACE) else 0.0


CLEARABLE = and_(Tracking.mux_asset_id.is_not(None), Tracking.status.not_in(("deleting", "deleted")))
GIVEN_UP = and_(Tracking.mux_asset_id.is_(None), Tracking.status.in_((*OPEN_STATUSES, "error")))


def clear_verdict(kind: Kind) -> ColumnElement[str]:
    model = Lesson if kind == "lesson" else Course
    left_over = or_(
        model.mux_asset_id.is_not(None),
        model.mux_playback_id.is_not(None),
        model.video_processing_status == "error",
    )
    return case(
        (_current(model, CLEARABLE), "deletes"),
        (and_(_has_real_id(model), ~_current(model)), "deletes"),
        (_current(model, GIVEN_UP), "cancels"),
        (_current(model, Tracking.status == "deleting"), "being_deleted"),
        (left_over, "forgets"),
        else_=literal("nothing_to_clear"),
    )


def _clear_verdict(desk: Desk) -> str:
    owner = desk.owner
    if any(row.mux_asset_id and row.status not in ("deleting", "deleted") for row in desk.current):
        return "deletes"
    if any(not row.mux_asset_id and row.status in (*OPEN_STATUSES, "error") for row in desk.current):
        return "cancels"
    if desk.deleting is not None:
        return "being_deleted"
    left_over = owner.mux_asset_id or owner.mux_playback_id or owner.video_processing_status == "error"
    return "forgets" if left_over else "nothing_to_clear"


def clear(kind: Kind, target_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    """Take the video away from a lesson or course, and from every other one that uses the same asset."""
    assets = _assets_of(kind, target_id)
    locked = _locked({(kind, target_id)}, assets)
    desk = locked.get((kind, target_id))
    if desk is None:
        return outcomes.of("missing")
    videos.ensure_tracked(desk)
    code = _clear_verdict(desk)
    if code in ("nothing_to_clear", "being_deleted"):
        return outcomes.of(code)
    grace = _grace(options)
    removal.clear(desk, grace_seconds=grace)
    _clear_others(locked, (kind, target_id), assets, grace)
    return outcomes.of(code)


def _assets_of(kind: Kind, target_id: uuid.UUID) -> set[str]:
    """Read without a lock, so that all locks can then be taken in one order."""
    column = Tracking.lesson_id if kind == "lesson" else Tracking.course_id
    model = Lesson if kind == "lesson" else Course
    found = set(
        db.session.scalars(
            select(Tracking.mux_asset_id).where(
                column == target_id, Tracking.superseded_at.is_(None), CLEARABLE
            )
        )
    )
    found.add(db.session.scalar(select(model.mux_asset_id).where(model.id == target_id)))
    return {asset_id for asset_id in found if asset_id and not mux.is_temporary(asset_id)}


def _locked(targets: set[tuple[Kind, uuid.UUID]], assets: set[str]) -> dict[tuple[Kind, uuid.UUID], Desk]:
    """Everything that uses these assets, locked in the order that everybody keeps."""
    owners = set(targets)
    for asset_id in assets:
        owners |= set(removal.owners_of(asset_id))
    locked = {owner: desks.open_desk(*owner) for owner in sorted(owners)}
    return {owner: desk for owner, desk in locked.items() if desk is not None}


def _clear_others(
    locked: dict[tuple[Kind, uuid.UUID], Desk], but: tuple[Kind, uuid.UUID], assets: set[str], grace: float
) -> None:
    for owner, desk in locked.items():
        for asset_id in sorted(assets) if owner != but else ():
            removal.clear_asset(desk, asset_id, grace_seconds=grace)


def clear_upload_verdict() -> ColumnElement[str]:
    return case(
        (CLEARABLE, "deletes"),
        (and_(GIVEN_UP, Tracking.superseded_at.is_(None)), "cancels"),
        (Tracking.status == "deleting", "being_deleted"),
        else_=literal("nothing_to_clear"),
    )


def clear_upload(tracking_id: uuid.UUID, options: Mapping[str, object]) -> Result:
    """Take one upload away: its asset from everything that uses it, or the upload itself while it is open."""
    row = db.session.get(Tracking, tracking_id, populate_existing=True)
    if row is None:
        return outcomes.of("missing")
    asset_id = row.mux_asset_id if row.status not in ("deleting", "deleted") else None
    target: tuple[Kind, uuid.UUID] = ("lesson" if row.lesson_id else "course", row.target_id)
    locked = _locked({target}, {asset_id} if asset_id else set())
    desk = locked.get(target)
    row = desk.row(tracking_id) if desk is not None else None
    if desk is None or row is None:
        return outcomes.of("missing")
    if asset_id is not None:
        for one in locked.values():
            removal.clear_asset(one, asset_id, grace_seconds=_grace(options))
        return outcomes.of("deletes")
    if row.mux_asset_id is None and row.superseded_at is None and row.status in (*OPEN_STATUSES, "error"):
        deletions.promise_cancellation(row)
        videos.apply(desk, row, News(happening=Happening.CANCEL))
        return outcomes.of("cancels")
    return outcomes.of("being_deleted" if row.status == "deleting" else "nothing_to_clear")
