"""Asking Mux about one upload, and letting the answer happen.

No transaction is open while Mux is asked. A failed look is not an answer: only "gone" for a real id clears anything,
the rest is written down beside the upload and tried again later.
"""

import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select

from lessonadmin import mux
from lessonadmin.db import Actor, db, later, transaction, transaction_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.captions import learning
from lessonadmin.domain.errors import Missing, Unavailable
from lessonadmin.domain.models import Kind, Tracking
from lessonadmin.domain.polling import not_found_guard
from lessonadmin.domain.videos import locking, recheck_schedule, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import (
    FoundBy,
    Observation,
    Outcome,
    asset_observation,
    gone_observation,
    upload_observation,
)
from lessonadmin.domain.videos.state_machine import VideoEvent
from lessonadmin.text.temporary_ids import is_temporary

FRESH_SECONDS = 30.0


@dataclass(frozen=True)
class Answers:
    """How Mux is asked: with which token, and what its pages have said already, by asset id and by upload id."""

    priority: mux.Priority
    pages: Mapping[str, mux.Asset] = field(default_factory=dict)
    read_at: float = field(default_factory=time.monotonic)

    @property
    def fresh(self) -> bool:
        """Pages grow old; single calls never do."""
        return not self.pages or time.monotonic() - self.read_at < FRESH_SECONDS

    def asset(self, asset_id: str) -> mux.Asset:
        return self.pages.get(asset_id) or mux.get_asset(asset_id, priority=self.priority)

    def upload(self, upload_id: str) -> mux.Upload:
        return mux.get_upload(upload_id, priority=self.priority)

    def made_of(self, upload_id: str | None) -> mux.Asset | None:
        """The asset that came of an upload, if a page has shown it."""
        return self.pages.get(upload_id or "")

    def cost(self, asset_id: str | None, upload_id: str | None) -> int:
        """How many calls it takes at most to ask about an upload."""
        known = None if is_temporary(asset_id) else asset_id
        if (known or upload_id or "") in self.pages:
            return 0
        return 1 if known else 2


@dataclass(frozen=True)
class UploadSnapshot:
    """What must be known of an upload to ask about it, read without a lock."""

    tracking_id: uuid.UUID
    kind: Kind
    target_id: uuid.UUID
    upload_id: str | None
    asset_id: str | None
    wanted_policy: str
    playback_id: str | None = None

    @classmethod
    def of(cls, upload: Tracking) -> "UploadSnapshot":
        kind: Kind = upload.target_type
        return cls(
            upload.id,
            kind,
            upload.target_id,
            upload.upload_id,
            upload.real_asset_id,
            upload.wanted_policy,
            upload.mux_playback_id,
        )


def unavailable(error: mux.MuxError, *, what: str = "Checking with Mux is") -> Unavailable:
    """A failed call in words for the person who waits for it. `what` is unavailable; why is for support, who have the alarm
    of the refused token."""
    if error.category == "auth_error":
        said = f"{what} unavailable right now. Support has been notified; please try again later."
        return Unavailable("mux_unavailable", said, for_support=True)
    wait = None if error.retry_after is None else math.ceil(error.retry_after)
    said = "Very many questions to Mux are under way" if error.category == "busy" else "Mux does not answer"
    return Unavailable(
        "mux_unavailable", f"{said} right now. Nothing was changed; please try again.", retry_after=wait
    )


def observe(
    subject: UploadSnapshot, *, answers: Answers, found_by: FoundBy, any_policy: bool = False
) -> tuple[Observation, str]:
    """What Mux says, and which call said so. Raises MuxError if it says nothing that can be used."""
    asset_id = subject.asset_id
    mux_upload: mux.Upload | None = None
    if not asset_id and (made := answers.made_of(subject.upload_id)) is not None:
        asset_id = made.id
    elif not asset_id and subject.upload_id:
        mux_upload = answers.upload(subject.upload_id)
        asset_id = mux_upload.asset_id
    if asset_id and not (mux_upload is not None and mux_upload.status == "errored"):
        try:
            asset = answers.asset(asset_id)
        except mux.Gone:
            return gone_observation(asset_id, found_by=found_by), "get_asset"
        except mux.Refused as error:
            # Not even an id of Mux's: a person who asks gets that answer, a sweep alone never clears anything for it.
            if error.category != "not_found" or found_by != "manual":
                raise
            return gone_observation(asset_id, found_by=found_by), "get_asset"
        observation = asset_observation(
            asset,
            wanted_policy=subject.wanted_policy,
            found_by=found_by,
            seen=True,
            any_policy=any_policy,
            keep=subject.playback_id,
        )
        return observation, "get_asset"
    if mux_upload is not None:
        return upload_observation(mux_upload, found_by=found_by, seen=True), "get_upload"
    return Observation(video_event=VideoEvent.UPLOAD_WAITING, found_by=found_by), "nothing to ask"


def check_upload(
    tracking_id: uuid.UUID,
    *,
    actor: Actor,
    priority: mux.Priority,
    found_by: FoundBy,
    any_policy: bool = False,
) -> Outcome:
    """Ask about one upload and apply the answer. Raises MuxError after noting it."""
    upload = db.session.get(Tracking, tracking_id, populate_existing=True)
    if upload is None:
        raise Missing()
    subject = UploadSnapshot.of(upload)
    db.session.rollback()  # no transaction stays open while Mux is asked
    try:
        observation, operation = observe(
            subject, answers=Answers(priority), found_by=found_by, any_policy=any_policy
        )
        gone = observation.video_event is VideoEvent.ASSET_DELETED
    except mux.Gone:
        # An upload that Mux forgot can make no asset any more.
        observation = Observation(video_event=VideoEvent.UPLOAD_EXPIRED, found_by=found_by, seen=True)
        operation, gone = "get_upload", True
    except mux.MuxError as error:
        with transaction(actor):
            note_failure(subject, error)
        raise
    unasked = found_by == "sweep" and gone
    with transaction(actor):
        outcome = not_found_guard.GONE if unasked else "ok"
        audit_log.record_mux_call(
            subject.kind, subject.target_id, operation, outcome, observation.video_event.value
        )
        if unasked and not_found_guard.suspicious_not_found():
            _record_ignored_answer(subject)
            return "no_change"
        return apply_observation(subject, observation)


def _record_ignored_answer(subject: UploadSnapshot) -> None:
    found = locking.lock_video_of_upload(subject.tracking_id)
    if found is None:
        return
    _, upload = found
    upload.attempts += 1
    upload.last_look_at = func.clock_timestamp()
    upload.last_look_error = not_found_guard.IGNORED_MESSAGE
    recheck_schedule.schedule_next(upload)


def apply_observation(subject: UploadSnapshot, observation: Observation) -> Outcome:
    """Apply an answer under the lock; an upload that vanished meanwhile needs nothing."""
    found = locking.lock_video_of_upload(subject.tracking_id)
    if found is None:
        return "no_change"
    return apply_locked(*found, observation)


def apply_locked(video: LockedVideo, upload: Tracking, observation: Observation) -> Outcome:
    """The same for a caller that holds the lock."""
    upload.attempts += 1
    upload.last_look_at = transaction_time()
    upload.last_look_error = None
    if observation.seen:
        upload.last_answer, upload.last_answer_at = observation.video_event.value, func.clock_timestamp()
    if observation.video_event is VideoEvent.UPLOAD_WAITING and ran_out(upload):
        observation = replace(observation, video_event=VideoEvent.UPLOAD_EXPIRED)
    outcome = transitions.apply(video, upload, observation)
    if upload.is_open:
        recheck_schedule.schedule_next(upload)
    elif outcome != "ask":
        recheck_schedule.unschedule(upload)
    learned = learning.learn(video, upload, observation)
    return "applied" if learned and outcome == "no_change" else outcome


def ran_out(upload: Tracking) -> bool:
    """By the local clock: Mux sends no event when an address expires. An asset that comes after all is welcome."""
    if upload.status != "uploading" or upload.expires_at is None:
        return False
    return bool(db.session.scalar(select(func.clock_timestamp() > upload.expires_at)))


def note_failure(subject: UploadSnapshot, error: mux.MuxError) -> None:
    """Write down why a look failed; the next one comes after the pause that Mux asks for or the usual silence."""
    if error.category == "busy":
        return  # Mux was not even asked
    audit_log.record_mux_call(subject.kind, subject.target_id, "look", error.category, error.message)
    found = locking.lock_video_of_upload(subject.tracking_id)
    if found is None:
        return
    _, upload = found
    upload.attempts += 1
    upload.last_look_at = func.clock_timestamp()
    upload.last_look_error = f"{error.category}: {error.message}"
    if upload.is_open or upload.next_check_at is not None:
        recheck_schedule.schedule_next(upload)
    if error.retry_after:
        upload.next_check_at = later(error.retry_after)  # type: ignore[assignment]
