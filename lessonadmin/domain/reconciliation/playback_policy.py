"""Give a video that plays the right playback id: another one of its asset, or a new one if there is none.

A paid lesson plays by a signed id only, once keys are there; its public one is then closed at Mux. Mux is asked
before a playback id is created, so one that an interrupted run created is found by the next and never created twice.
"""

import uuid

from sqlalchemy import exists, or_, select

from lessonadmin import config, mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Course, Kind, Lesson, Tracking, in_trash
from lessonadmin.domain.videos import locking, transitions


def fix(asset_id: str, *, actor: Actor) -> bool:
    """Give everything that plays this asset a playback id that Mux has and that fits; False if nothing was to be done.

    Raises MuxError if Mux cannot be asked; then nothing was changed, or the next run goes on.
    """
    asset = _look(asset_id)
    if asset is None or asset.status != "ready":
        return False  # missing or stale: another kind of difference
    signs = config.current().signs_playback
    must_sign = _must_be_signed(asset_id)
    db.session.rollback()
    if must_sign and not signs:
        return False  # it could not be played: keys must be set first
    chosen = _choose(asset, must_sign=must_sign, signs=signs)
    taken = [_take(kind, owner, asset_id, chosen, actor) for kind, owner in _owners(asset_id)]
    closed = [
        _close(asset_id, one, actor) for one in asset.playback_ids if must_sign and one.policy == "public"
    ]
    return any(taken) or any(closed)


def _look(asset_id: str) -> mux.Asset | None:
    mux_budget.wait_or_stop()
    try:
        asset = mux.get_asset(asset_id, priority="low")
    except mux.Gone:
        return None
    mux_budget.went_well()
    return asset


def _owners(asset_id: str) -> list[tuple[Kind, uuid.UUID]]:
    found = locking.owners_with_asset(asset_id)
    db.session.rollback()
    return found


def _must_be_signed(asset_id: str) -> bool:
    """It costs money, or it was uploaded to be signed; without keys only the latter is known."""
    rows = select(Tracking.id).where(
        Tracking.mux_asset_id == asset_id,
        Tracking.is_current,
        Tracking.asked_policy == "signed",
    )
    if db.session.scalar(rows.limit(1)) is not None:
        return True
    if not config.current().signs_playback:
        return False
    paid = select(Lesson.id).where(Lesson.mux_asset_id == asset_id, Lesson.price_cents > 0)
    return db.session.scalar(paid.limit(1), execution_options=in_trash.too()) is not None


def _choose(asset: mux.Asset, *, must_sign: bool, signs: bool) -> mux.PlaybackId:
    wanted = "signed" if must_sign else "public"
    fitting = [one for one in asset.playback_ids if one.policy == wanted]
    if not fitting and signs and not must_sign:
        fitting = [one for one in asset.playback_ids if one.policy == "signed"]
    if fitting:
        return fitting[0]
    mux_budget.wait_or_stop()
    made = mux.create_playback_id(asset.id, policy=wanted, priority="low")
    mux_budget.went_well()
    return made


def _take(kind: Kind, owner_id: uuid.UUID, asset_id: str, chosen: mux.PlaybackId, actor: Actor) -> bool:
    """Swap one lesson's (or course's) playback id and its policy, together."""
    with transaction(actor):
        video = locking.lock_video(kind, owner_id, in_trash_too=True)
        if video is None:
            return False
        transitions.ensure_tracked(video)
        row = video.playing
        if row is None or row.mux_asset_id != asset_id:
            return False
        return transitions.set_playback_id(video, row, playback_id=chosen.id, policy=chosen.policy)


def _close(asset_id: str, public: mux.PlaybackId, actor: Actor) -> bool:
    """Delete the public playback id at Mux, unless something still plays by it."""
    used = db.session.scalar(
        select(
            or_(
                exists().where(
                    Tracking.mux_playback_id == public.id,
                    Tracking.is_current,
                    Tracking.status == "ready",
                ),
                exists().where(Lesson.mux_playback_id == public.id, Lesson.mux_asset_id == asset_id),
                exists().where(Course.mux_playback_id == public.id, Course.mux_asset_id == asset_id),
            )
        ),
        execution_options=in_trash.too(),
    )
    db.session.rollback()
    if used:
        return False
    mux_budget.wait_or_stop()
    try:
        mux.delete_playback_id(asset_id, public.id, priority="low")
    except mux.Gone:
        return False
    mux_budget.went_well()
    with transaction(actor):
        for kind, owner_id in locking.owners_with_asset(asset_id):
            audit_log.record_for("video.playback_closed", kind, owner_id, playback_id=public.id)
    return True
