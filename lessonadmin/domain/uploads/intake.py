"""Videos that another program wrote into the tables, taken in by themselves: a few a pass, once Mux has confirmed them.

Two kinds are found, each by an index of its own: what names a true asset and playback id but was never said to be a
video that plays (an import that did not fill `video_processing_status`), and temporary playback ids of a true asset,
after the usual silence, since the program that made them up may be about to write the true ones. A draft of the first
kind is left alone; a temporary asset id needs a search through all of Mux, which is `fix-lessons`.
"""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text, update

from lessonadmin import config
from lessonadmin.db import JOB_QUIETLY, db, later, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Kind, Tracking, owners
from lessonadmin.domain.models.lessons import UNTAKEN_COURSE, UNTAKEN_LESSON
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.videos import conditions, locking, transitions
from lessonadmin.domain.videos.recheck_schedule import MAX_SILENCE_SECONDS
from lessonadmin.text.temporary_ids import temporary

MAX_PER_PASS = 10
RESERVED_CALLS = 6.0  # of the background's calls, left to what is on its way

NOT_TAKEN_IN: dict[Kind, str] = {"lesson": UNTAKEN_LESSON, "course": UNTAKEN_COURSE}


def due() -> list[tuple[Kind, uuid.UUID]]:
    """Lessons and courses whose video is to be taken in, at most a few."""
    _schedule_temporary_ids()
    found: list[tuple[Kind, uuid.UUID]] = []
    for kind in NOT_TAKEN_IN:
        for query in wanted(kind):
            ids = db.session.scalars(query.limit(MAX_PER_PASS - len(found))).all()
            found += [(kind, owner_id) for owner_id in ids]
    db.session.rollback()
    return found


def wanted(kind: Kind) -> tuple[Select[uuid.UUID], Select[uuid.UUID]]:
    """Those that were never said to play, and those with a temporary playback id: each answered by its own index."""
    model = owners.MODELS[kind]
    never_said = and_(text(NOT_TAKEN_IN[kind]), ~temporary(model.mux_playback_id), ~conditions.current(model))
    silent = and_(
        temporary(model.mux_playback_id),
        model.updated_at <= later(-config.current().recheck_after_seconds),
        ~conditions.current(model, or_(Tracking.is_open, _plays_by_temporary_id())),
    )
    queries = (
        select(model.id).where(condition, _has_true_asset(model)).order_by(order)
        for condition, order in ((never_said, model.id), (silent, model.updated_at))
    )
    first, second = queries
    return first, second


def _has_true_asset(model: Any) -> ColumnElement[bool]:
    return and_(func.btrim(model.mux_asset_id) != "", conditions.has_real_id(model))


def _plays_by_temporary_id() -> ColumnElement[bool]:
    return and_(Tracking.status == "ready", temporary(Tracking.mux_playback_id))


def _schedule_temporary_ids() -> None:
    """An upload that is said to play by a temporary id is asked about like one that is on its way."""
    never = Tracking.last_look_at.is_(None)
    wanted = (
        select(Tracking.id)
        .where(
            _plays_by_temporary_id(),
            Tracking.is_current,
            Tracking.next_check_at.is_(None),
            Tracking.updated_at <= later(-config.current().recheck_after_seconds),
            or_(never, Tracking.last_look_at <= later(-MAX_SILENCE_SECONDS)),
        )
        .order_by(Tracking.updated_at)
        .limit(MAX_PER_PASS)
    )
    db.session.execute(
        update(Tracking)
        .where(Tracking.id.in_(wanted))
        .values(next_check_at=func.clock_timestamp(), updated_at=Tracking.updated_at)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()


def take_in(target: tuple[Kind, uuid.UUID]) -> bool:
    """Give one video a tracked upload and let Mux's word decide what it is; False if Mux cannot be asked (any more).

    A Mux that does not answer leaves it with that upload, which is asked about again like any other.
    """
    answered = False
    with mux_budget.call(reserve=RESERVED_CALLS) as granted:
        if granted:
            tracking_id = _upload_to_check(*target)
            if tracking_id is not None:
                ask_mux.check_upload(tracking_id, actor=JOB_QUIETLY, priority="low", found_by="sweep")
                _project(*target)
            answered = True
    return answered


def _upload_to_check(kind: Kind, owner_id: uuid.UUID) -> uuid.UUID | None:
    """The upload to ask about; None if the rows already say it all."""
    with transaction(JOB_QUIETLY):
        video = locking.lock_video(kind, owner_id)
        if video is None:
            return None
        transitions.ensure_tracked(video)
        upload = video.on_its_way
        if upload is None:
            transitions.project(video)
        return upload.id if upload is not None else None


def _project(kind: Kind, owner_id: uuid.UUID) -> None:
    """What Mux said may be that nothing is new; then at least the untrue is not shown any more."""
    with transaction(JOB_QUIETLY):
        video = locking.lock_video(kind, owner_id)
        if video is not None:
            transitions.project(video)
