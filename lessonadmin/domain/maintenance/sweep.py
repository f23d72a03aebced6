"""The sweep: one pass over everything that may have been missed (lost webhooks, expired uploads, parked events, the outbox,
imported videos, files of lessons, notices to students, mails, open batches, stuck uploads, pages that were closed with unsaved changes).

Every part finds its work in rows that are due, never in a window of time, and one part that fails never stops the
others. Two passes at once do no harm: an advisory lock ends the second one.

The clock lets workers ask about uploads (`with_workers`) and does what they cannot; `flask sweep` asks about every upload
itself. Batches are enqueued in either. Deletions and cancellations were enqueued when they were requested: what is due
later is few, and every pass does it itself.
"""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import func, select

from lessonadmin import config
from lessonadmin.db import JOB, alone, db, each_alone, transaction, transaction_time
from lessonadmin.domain import mux_budget
from lessonadmin.domain.account_life import link_mail
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.batches import scheduling
from lessonadmin.domain.captions import carrying_out, fetching
from lessonadmin.domain.lesson_files import contents
from lessonadmin.domain.lessons import publication_warnings, trash
from lessonadmin.domain.models import AssetDeletion, Kind, Lesson, Tracking, UploadCancellation
from lessonadmin.domain.notifications import announcing, delivery
from lessonadmin.domain.polling import survey
from lessonadmin.domain.uploads import intake
from lessonadmin.domain.videos import cleanup, conditions, locking, publication, transitions, wording
from lessonadmin.domain.videos.locking import Target
from lessonadmin.domain.webhooks import applier, inbox

log = logging.getLogger(__name__)

LOCK = 0x1E550A  # any number, the same in every process
MAX_OUTBOX_ROWS = 50
BATCH_SECONDS = 10.0  # in one pass, for bulk actions when no worker can do them
TELL_SECONDS = 10.0  # in one pass, for notices to students whose job is lost
APPLY_SECONDS = 60.0  # in one pass, for webhooks that no applier applies
S = TypeVar("S")
T = TypeVar("T")


@dataclass
class Summary:
    """What one pass did, a figure a part; `failed` names the parts that could not finish."""

    figures: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    ran: bool = True


def sweep(between: Callable[[], None] = lambda: None, *, with_workers: bool = False) -> Summary:
    """Do everything that is due, once. `between` is called before each part (the clock leaves its heartbeat there)."""
    summary = Summary()
    parts = PARTS | (SHARED_WITH_WORKERS if with_workers else {})
    with db.engine.connect() as connection, alone(LOCK, on=connection) as first:
        if not first:
            summary.ran = False
            return summary
        for name, part in parts.items():
            try:
                between()
                summary.figures[name] = part()
            except Exception as error:  # one part that fails must not stop the others
                db.session.rollback()
                log.exception("the sweep could not finish: %s", name)
                summary.failed[name] = type(error).__name__
    return summary


class RowsFailed(Exception):
    """So many rows could not be done; the others were."""


def _each(ids: Sequence[S], do: Callable[[S], T]) -> list[T]:
    """Do it for each row; one that fails does not stop the others, and is reported at the end."""
    done: list[T] = []
    failures: list[Exception] = []
    for one in ids:
        with each_alone(log, "the sweep failed at %s", one, on_failure=failures.append):
            done.append(do(one))
    if failures:
        raise RowsFailed(len(failures))
    return done


def _waiting_events() -> int:
    """Webhooks that are stored and that no applier has applied."""
    until = time.monotonic() + APPLY_SECONDS
    return applier.help_if_needed(lambda: time.monotonic() < until)


def _events() -> int:
    """Parked events whose owner may be here by now, failed ones that deserve another try."""
    due = inbox.due()
    db.session.rollback()
    _each(due, lambda one: inbox.replay(one, actor=JOB))
    return len(due)


def _imported() -> int:
    """Videos that another program wrote into the tables."""
    answers = True

    def take_in(target: tuple[Kind, uuid.UUID]) -> bool:
        nonlocal answers
        answers = answers and intake.take_in(target)
        return answers

    return sum(_each(intake.due(), take_in))


def _uploads() -> int:
    return _changed(survey.check_due(actor=JOB))


def _uploads_that_workers_leave() -> int:
    return _changed(survey.hand_over_due(actor=JOB))


def _changed(found: survey.Survey) -> int:
    if found.failures:
        raise RowsFailed(len(found.failures))
    return found.changed


def _needs_attention() -> int:
    """Tell the owner, once, that a video takes too long, also a new one beside a video that plays. It is still watched,
    a webhook may come after a day. A file that has not arrived is for the owner alone: staff do not have it."""
    ids = db.session.scalars(
        select(Tracking.id)
        .where(conditions.to_be_told(), Tracking.attention_at.is_(None))
        .order_by(Tracking.created_at)
        .limit(500)
    ).all()
    db.session.rollback()
    return sum(_each(ids, _mark))


def _mark(tracking_id: uuid.UUID) -> bool:
    with transaction(JOB):
        found = locking.lock_video_of_upload(tracking_id)
        still = select(Tracking.id).where(Tracking.id == tracking_id, conditions.to_be_told())
        if found is None or db.session.scalar(still) is None:
            return False
        video, row = found
        transitions.mark_needs_attention(video, row)
        if conditions.has_no_file(row, transaction_time()):
            said = wording.no_file(
                video.owner.title,
                since=row.created_at,
                until=row.expires_at,
                beside=video.playing is not None,
            )
            audit_log.notify("needs_attention", video.owner, said, tracking=row, cause="no_file")
            return True
        which = "video" if video.playing is None else "new video"
        missing = "has not arrived at Mux" if row.status == "uploading" else "is still being processed by Mux"
        so_far = f"The {which} of “{video.owner.title}” {missing} after {config.current().stuck_after_seconds // 60} minutes."
        audit_log.notify(
            "needs_attention",
            video.owner,
            f"{so_far} Support has been notified, and it is still being checked; if the upload was interrupted, open its page"
            " in the browser where it began: it can go on there.",
            tracking=row,
            cause="stuck",
        )
        audit_log.notify_staff(
            "alarm",
            video.owner,
            f"{so_far} Open the {video.owner.kind} to see why, and what to do.",
            cause="stuck_for_staff",
            but=video.owner.owner_id,
        )
        return True


def _publications() -> int:
    """Lessons whose time has come, or whose publication waited for a page that is not heard of any more."""
    ids = db.session.scalars(select(Lesson.id).where(publication.due()).limit(500)).all()
    db.session.rollback()
    return sum(_each(ids, _catch_up))


def _catch_up(lesson_id: uuid.UUID) -> bool:
    with transaction(JOB):
        video = locking.lock_video("lesson", lesson_id)
        if video is None or not isinstance(video.owner, Lesson):
            return False
        return publication.catch_up(video.owner, video.playing)


def _publication_warnings() -> int:
    """Lessons whose video will hardly be ready at the time that was set for them."""
    due = publication_warnings.due()
    db.session.rollback()
    return sum(_each(due, _warn))


def _warn(lesson_id: uuid.UUID) -> bool:
    with transaction(JOB):
        video = locking.lock_video("lesson", lesson_id)
        return video is not None and publication_warnings.warn(video)


def _trash() -> int:
    """Deleted lessons and courses whose time in the trash is over, each in a transaction of its own."""
    ids = trash.due()
    db.session.rollback()
    return sum(_each(ids, _end))


def _end(target: Target) -> bool:
    with transaction(JOB):
        return trash.end_if_due(target)


def _outbox(
    model: type[AssetDeletion] | type[UploadCancellation], finish: Callable[[uuid.UUID], bool], calls: int
) -> int:
    due = db.session.scalars(
        select(model.id)
        .where(model.done_at.is_(None), model.due_at <= func.clock_timestamp())
        .order_by(model.due_at)
        .limit(MAX_OUTBOX_ROWS)
    ).all()
    db.session.rollback()
    return _within_budget(due, finish, calls)


def _within_budget(due: Sequence[uuid.UUID], finish: Callable[[uuid.UUID], bool], calls: int) -> int:
    granted = True

    def finish_within_budget(row_id: uuid.UUID) -> bool:
        nonlocal granted
        done = False
        if granted:
            with mux_budget.call(calls) as granted:
                done = granted and finish(row_id)
        return done

    return sum(_each(due, finish_within_budget))


def _deletions() -> int:
    return _outbox(AssetDeletion, lambda one: cleanup.finish_deletion(one, actor=JOB), 2)


def _cancellations() -> int:
    return _outbox(UploadCancellation, lambda one: cleanup.finish_cancellation(one, actor=JOB), 2)


def _captions() -> int:
    due = carrying_out.due(MAX_OUTBOX_ROWS)
    return _within_budget(due, lambda one: carrying_out.carry_out(one, actor=JOB), carrying_out.CALLS)


def _transcripts() -> int:
    """Captions that are ready and whose text is not here."""
    due = fetching.due(MAX_OUTBOX_ROWS)
    return _within_budget(due, lambda one: fetching.fetch(one, actor=JOB), fetching.CALLS)


def _batches() -> int:
    """Batches that no job works on: the job was lost, its worker killed, or a pause is over."""
    until = time.monotonic() + BATCH_SECONDS
    return sum(_each(scheduling.due(), lambda one: scheduling.continue_batch(one, until=until)))


def _announcements() -> int:
    """Notices to students of which no job writes any: it was lost, or its worker killed."""
    return announcing.tell_what_is_silent(TELL_SECONDS)


def _never_issued() -> int:
    """Uploads interrupted between the commit and Mux's answer: their URL was never given out."""
    ids = db.session.scalars(
        select(Tracking.id).where(
            Tracking.upload_id.is_(None),
            Tracking.mux_asset_id.is_(None),
            Tracking.status == "uploading",
            Tracking.next_check_at <= func.clock_timestamp(),
        )
    ).all()
    db.session.rollback()
    for tracking_id in ids:
        with transaction(JOB):
            found = locking.lock_video_of_upload(tracking_id)
            if found is not None and found[1].upload_id is None and found[1].status == "uploading":
                transitions.fail_before_upload(*found, message="The upload was interrupted before it began.")
    return len(ids)


PARTS: dict[str, Callable[[], int]] = {
    "waiting_events": _waiting_events,
    "events": _events,
    "never_issued": _never_issued,
    "imported": _imported,
    "uploads": _uploads,
    "needs_attention": _needs_attention,
    "publications": _publications,
    "publication_warnings": _publication_warnings,
    "trash": _trash,
    "cancellations": _cancellations,
    "deletions": _deletions,
    "captions": _captions,
    "transcripts": _transcripts,
    "batches": _batches,
    "files_to_store": contents.move_to_store,
    "files_over": contents.remove_over,
    "announcements": _announcements,
    "mails": delivery.send_due,
    "links": link_mail.send_due,
}
SHARED_WITH_WORKERS: dict[str, Callable[[], int]] = {"uploads": _uploads_that_workers_leave}
