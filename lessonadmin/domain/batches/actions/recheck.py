"""Recheck, for a lesson, a course or one upload: ask Mux and apply the answer. Safe to repeat.

With the same verdicts as SQL for the preview.
"""

import uuid

from sqlalchemy import ColumnElement, and_, case, func, literal, select, update

from lessonadmin import mux
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import results
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import AssetDeletion, Kind, Tracking, owners
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.polling.ask_mux import Answers, UploadSnapshot
from lessonadmin.domain.videos import cleanup, locking, outbox, transitions, wording
from lessonadmin.domain.videos.conditions import ASKABLE, current, has_real_id, is_askable
from lessonadmin.domain.videos.observations import Observation, gone_observation
from lessonadmin.domain.videos.state_machine import VideoEvent


def recheck_verdict(kind: Kind) -> ColumnElement[str]:
    model = owners.MODELS[kind]
    return case(
        (current(model, ASKABLE), "asks"),
        (and_(has_real_id(model), ~current(model)), "asks"),
        (current(model, Tracking.status == "deleting"), "being_deleted"),
        (model.has_temporary_asset, "temporary"),
        else_=literal("no_video"),
    )


def subjects_of(kind: Kind, target_id: uuid.UUID) -> tuple[list[UploadSnapshot], str]:
    """The uploads that Mux can be asked about, the one on its way first; if none, the code that says why."""
    video = locking.lock_video(kind, target_id)
    if video is None:
        return [], "missing"
    transitions.ensure_tracked(video)
    if video.to_ask:
        return [UploadSnapshot.of(row) for row in video.to_ask], "asks"
    if video.deleting is not None:
        return [], "being_deleted"
    return [], "temporary" if video.owner.has_temporary_asset else "no_video"


def calls_for(kind: Kind, target_id: uuid.UUID, answers: Answers) -> int:
    """How many calls to Mux asking about this lesson or course costs at most."""
    column = owners.COLUMNS[kind]
    rows = db.session.execute(
        select(Tracking.mux_asset_id, Tracking.upload_id).where(
            column == target_id, Tracking.is_current, ASKABLE
        )
    ).all()
    db.session.rollback()
    return sum(answers.cost(*row) for row in rows) if rows else 1


def calls_for_upload(tracking_id: uuid.UUID, answers: Answers) -> int:
    row = db.session.execute(
        select(Tracking.mux_asset_id, Tracking.upload_id).where(Tracking.id == tracking_id)
    ).first()
    db.session.rollback()
    return answers.cost(*row) if row is not None else 0


def asked(
    subject: UploadSnapshot, *, actor: Actor, answers: Answers, any_policy: bool = False
) -> tuple[Observation, str]:
    """Mux's answer about one upload; an upload that Mux forgot has expired. A failure is noted, then raised."""
    try:
        return ask_mux.observe(subject, answers=answers, found_by="manual", any_policy=any_policy)
    except mux.Gone:
        if subject.asset_id:
            return gone_observation(subject.asset_id, found_by="manual"), "get_asset"
        return Observation(video_event=VideoEvent.UPLOAD_EXPIRED, seen=True), "get_upload"
    except mux.MuxError as error:
        with transaction(actor):
            ask_mux.note_failure(subject, error)
        raise


def recheck(kind: Kind, target_id: uuid.UUID, *, actor: Actor, answers: Answers) -> Result:
    """Ask Mux about a lesson's or course's video. Raises MuxError."""
    with transaction(actor):
        subjects, nothing = subjects_of(kind, target_id)
    if nothing == "being_deleted":
        return _check_deletion(kind, target_id, actor=actor, priority=answers.priority)
    if not subjects:
        return results.of(nothing)
    changed = [_recheck(subject, actor=actor, answers=answers) for subject in subjects]
    owner = locking.find_owner(kind, target_id)
    watched = locking.read_video(owner).watched if owner is not None else None
    said = _said(any(changed), watched)
    db.session.rollback()
    return results.of("asks", said)


def _recheck(subject: UploadSnapshot, *, actor: Actor, answers: Answers) -> bool:
    # The policy that an asset from before tracking was requested with is unknown: the one it has is right.
    any_policy = subject.upload_id == MIGRATED and subject.playback_id is None
    observation, operation = asked(subject, actor=actor, answers=answers, any_policy=any_policy)
    with transaction(actor):
        audit_log.record_mux_call(
            subject.kind, subject.target_id, operation, "ok", observation.video_event.value
        )
        return ask_mux.apply_observation(subject, observation) == "applied"


def _said(changed: bool, upload: Tracking | None) -> str:
    """What Mux was found to say about an upload."""
    if upload is None:
        return wording.answer_of_mux("none", changed=changed, error_type=None, message=None)
    gone = upload.status == "deleted"
    status = ("error" if upload.error_type else "none") if gone else upload.status
    return wording.answer_of_mux(
        status, changed=changed, error_type=upload.error_type, message=upload.error_message
    )


def _check_deletion(kind: Kind, target_id: uuid.UUID, *, actor: Actor, priority: mux.Priority) -> Result:
    """A deletion that Mux has put off is tried now; one that waits for its grace time goes on waiting."""
    with transaction(actor):
        ids = db.session.scalars(
            update(AssetDeletion)
            .where(
                outbox.open_deletions_of(kind, target_id),
                AssetDeletion.lease_token.is_(None),
                AssetDeletion.attempts > 0,
            )
            .values(due_at=func.clock_timestamp())
            .returning(AssetDeletion.id)
        ).all()
    if not ids:
        return results.of("being_deleted")
    gone = [cleanup.finish_deletion(deletion_id, actor=actor, priority=priority) for deletion_id in ids]
    return results.of("asks", "The video is deleted at Mux." if all(gone) else "Mux has not deleted it yet.")


def recheck_upload_verdict() -> ColumnElement[str]:
    return case(
        (ASKABLE, "asks"), (Tracking.status == "deleting", "being_deleted"), else_=literal("nothing_to_ask")
    )


def recheck_upload(tracking_id: uuid.UUID, *, actor: Actor, answers: Answers) -> Result:
    """Ask Mux about one upload, current or overtaken. Raises MuxError."""
    row = db.session.get(Tracking, tracking_id, populate_existing=True)
    if row is None:
        return results.of("missing")
    subject, status, askable = UploadSnapshot.of(row), row.status, is_askable(row)
    db.session.rollback()
    if not askable:
        return results.of("being_deleted" if status == "deleting" else "nothing_to_ask")
    changed = _recheck(subject, actor=actor, answers=answers)
    said = _said(changed, db.session.get(Tracking, tracking_id, populate_existing=True))
    db.session.rollback()
    return results.of("asks", said)
