"""Publish, unpublish and republish for one lesson of a bulk action, and the same verdicts as SQL for the preview.

Each function is safe to repeat. A person asked for it, so neither an earlier "unpublish" nor a time that was planned prevents it.
"""

import uuid

from sqlalchemy import ColumnElement, case, literal

from lessonadmin.db import Actor, db, transaction
from lessonadmin.db import actor as current_actor
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import before, leases, results
from lessonadmin.domain.batches.actions import recheck
from lessonadmin.domain.batches.results import Result
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.polling.ask_mux import Answers, UploadSnapshot
from lessonadmin.domain.videos import locking, publication, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.wording import why_failed

PLAYABLE = Lesson.is_playable
COMING = Lesson.video_is_open


def publish_verdict() -> ColumnElement[str]:
    return case(
        (Lesson.status == "published", "published_already"),
        (Lesson.is_unsaved, "not_saved"),
        (PLAYABLE, "publishes"),
        (Lesson.has_temporary_asset, "temporary"),
        (COMING & Lesson.publish_on_ready & Lesson.publish_not_before.is_(None), "intended_already"),
        (COMING, "intends"),
        (Lesson.video_processing_status == "error", "video_failed"),
        (Lesson.video_processing_status == "ready", "no_playback_id"),
        (Lesson.video_processing_status == "deleting", "being_deleted"),
        else_=literal("no_video"),
    )


def _publish_verdict(lesson: Lesson) -> str:
    if lesson.status == "published":
        return "published_already"
    if lesson.is_unsaved:
        return "not_saved"
    if lesson.is_playable:
        return "publishes"
    if lesson.has_temporary_asset:
        return "temporary"
    if lesson.video_is_open:
        waits_for_video_alone = lesson.publish_on_ready and lesson.publish_not_before is None
        return "intended_already" if waits_for_video_alone else "intends"
    other = {"error": "video_failed", "ready": "no_playback_id", "deleting": "being_deleted"}
    return other.get(lesson.video_processing_status, "no_video")


def _opened(lesson_id: uuid.UUID) -> tuple[LockedVideo, Lesson] | None:
    video = locking.lock_video("lesson", lesson_id)
    return (video, video.owner) if video is not None and isinstance(video.owner, Lesson) else None


def publish(lesson_id: uuid.UUID) -> Result:
    """Publish what plays, request it for what is coming; everything else is left alone and says why."""
    opened = _opened(lesson_id)
    if opened is None:
        return results.of("missing")
    video, lesson = opened
    code, was = _publish_verdict(lesson), before.of(lesson)
    if code == "publishes":
        publication.publish(lesson, tracking=video.playing)
    elif code == "intends":
        transitions.ensure_tracked(video)
        publication.publish_at_any_time(lesson)
        publication.request(lesson)
    elif code == "video_failed":
        return results.of(code, why_failed(lesson.video_error_type, lesson.video_error_message))
    return results.of(code, before=was)


def unpublish_verdict() -> ColumnElement[str]:
    return case(
        (Lesson.status == "published", "unpublishes"),
        (Lesson.publish_on_ready, "withdraws"),
        else_=literal("draft_already"),
    )


def unpublish(lesson_id: uuid.UUID) -> Result:
    """Back to draft; a request to publish is withdrawn."""
    opened = _opened(lesson_id)
    if opened is None:
        return results.of("missing")
    lesson = opened[1]
    was = before.of(lesson)
    if lesson.status == "published":
        code = "unpublishes"
    else:
        code = "withdraws" if lesson.publish_on_ready else "draft_already"
    publication.withdraw(lesson)
    return results.of(code, before=was)


def republish_verdict() -> ColumnElement[str]:
    return recheck.recheck_verdict("lesson")


def republish(lesson_id: uuid.UUID, *, actor: Actor, answers: Answers) -> Result:
    """Ask Mux what the lesson's video truly is, take that over, and publish it if it plays. Raises MuxError."""
    with transaction(actor):
        _keep_before(lesson_id)
        subjects, nothing = recheck.subjects_of("lesson", lesson_id)
    if not subjects:
        return results.of(nothing)
    for subject in subjects:
        _take_over(subject, actor=actor, answers=answers)
    with transaction(actor):
        opened = _opened(lesson_id)
        if opened is None:
            return results.of("missing")
        return _conclude(*opened)


def _keep_before(lesson_id: uuid.UUID) -> None:
    """Written down at once: Mux may answer, and publish it, before this action has come to its end."""
    opened, batch_id = _opened(lesson_id), current_actor().batch
    if opened is not None and batch_id is not None:
        leases.keep_before(batch_id, {lesson_id: before.of(opened[1])})


def _take_over(subject: UploadSnapshot, *, actor: Actor, answers: Answers) -> None:
    observation, operation = recheck.asked(subject, actor=actor, answers=answers, any_policy=True)
    with transaction(actor):
        audit_log.record_mux_call(
            subject.kind, subject.target_id, operation, "ok", observation.video_event.value
        )
        found = locking.lock_video_of_upload(subject.tracking_id)
        if found is not None:
            video, upload = found
            ask_mux.apply_locked(video, upload, observation)
            # An upload that was ready before may still have had the wrong way to play it.
            if upload.status == "ready" and observation.playback_id is not None:
                transitions.set_playback_id(
                    video, upload, playback_id=observation.playback_id, policy=observation.policy
                )


def _conclude(video: LockedVideo, lesson: Lesson) -> Result:
    db.session.flush()
    code = _publish_verdict(lesson)
    if code in ("publishes", "published_already"):
        publication.publish(lesson, tracking=video.playing)
        return Result("done", f"Published, as Mux has it: {lesson.mux_playback_id}.", "publishes")
    if code in ("intends", "intended_already"):
        publication.request(lesson)
        return Result(
            "done", "Mux is still working on it; it is published automatically when it is ready.", "intends"
        )
    if code == "video_failed":
        return results.failed(why_failed(lesson.video_error_type, lesson.video_error_message))
    return results.of(code)
