"""The one writer of video states: uploads (tracking rows), and the lesson's or course's columns that are made from them.

What happens to an upload ends in `apply`, by whatever way it was found out: webhook, sweep, button, bulk action or command. The few
changes that are no event have a function of their own (`make_current`, `set_playback_id`, `clear_owner_columns`, ...).
All work under the lock of the lesson's (or course's) row, so everything about one video happens in one order, and write
their audit rows. No other module assigns these columns (tests/structure/test_one_writer.py). Nothing in here talks to Mux.
"""

from typing import Any

from sqlalchemy import exists, func, select

from lessonadmin.database import row_access
from lessonadmin.db import db, transaction_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Lesson, Owner, Tracking, owners
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.videos import conditions, outbox, publication, recheck_schedule, side_effects
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation, Outcome
from lessonadmin.domain.videos.state_machine import (
    KEPT_BACK,
    NOT_BEGUN,
    UPLOAD_ERRORS,
    State,
    VideoEvent,
    is_withdrawn,
    next_state,
    state_of,
    status_of,
)
from lessonadmin.text.temporary_ids import is_temporary

FAILED = (State.UPLOAD_FAILED, State.ASSET_FAILED)
GONE = (State.DELETING, State.DELETED)
ENDED = (*FAILED, *GONE, State.CANCELLED, *KEPT_BACK)
ASSET_FINISHED = (VideoEvent.ASSET_READY, VideoEvent.ASSET_UNPLAYABLE, VideoEvent.ASSET_ERRORED)


def apply(video: LockedVideo, upload: Tracking, observation: Observation) -> Outcome:
    """Let one thing happen to one upload: the state, then what follows from it, in this transaction."""
    state = state_of(upload.status, upload.error_type)
    replaced = upload.superseded_by is not None
    step = next_state(state, observation.video_event, seen=observation.seen, replaced=replaced)
    if step.ask:
        recheck_schedule.schedule_now(upload)
        return "ask"
    learned = _store_new_facts(upload, observation)
    if observation.video_event in ASSET_FINISHED and (state in ENDED or not upload.is_current):
        outbox.retry_deletion(upload.mux_asset_id)
    if step.state == state:
        if observation.playback_id is not None and _plays_by_temporary_id(upload):
            learned = set_playback_id(
                video, upload, playback_id=observation.playback_id, policy=observation.policy
            )
            if upload.is_current and isinstance(video.owner, Lesson):
                publication.fulfil(video.owner, upload)
        elif learned and upload.is_current:
            project(video)
        if upload.is_open:
            recheck_schedule.schedule_next(upload)
        _delete_if_unwanted(video, upload)
        return "applied" if learned else "no_change"
    _enter(video, upload, state, step.state, observation)
    return "applied"


def _store_new_facts(upload: Tracking, observation: Observation) -> bool:
    """Take over what is new. Ids are learned once: an upload never changes its asset."""
    learned = False
    for name, value in (
        ("upload_id", observation.upload_id if _takes_upload_id(upload, observation.upload_id) else None),
        ("mux_asset_id", observation.asset_id if not upload.real_asset_id else None),
        ("duration", observation.duration),
    ):
        if value is not None and getattr(upload, name) != value:
            setattr(upload, name, value)
            learned = True
    if observation.progress is not None and upload.is_open and observation.progress > (upload.progress or -1):
        upload.progress = observation.progress
        learned = True
    return learned


def _plays_by_temporary_id(upload: Tracking) -> bool:
    """It is said to be ready, but by an id that an older program made up."""
    return upload.status == "ready" and is_temporary(upload.mux_playback_id)


def _takes_upload_id(upload: Tracking, upload_id: str | None) -> bool:
    """An old upload learns its id at Mux, unless another one has it already (a shared asset)."""
    if upload_id is None or upload.upload_id not in (None, MIGRATED):
        return False
    if upload.upload_id is None:
        return True
    with row_access.everything():
        return not db.session.scalar(select(exists().where(Tracking.upload_id == upload_id)))


def _enter(
    video: LockedVideo, upload: Tracking, before: State, after: State, observation: Observation
) -> None:
    """Make the step and everything that belongs to it."""
    overtaken = not upload.is_current
    if after is State.READY and not overtaken:
        _supersede_ended(video, upload)
    _write_state(upload, before, after, observation, overtaken=overtaken)
    if after is State.WITHDRAWN and not overtaken:
        supersede(upload, by=None)  # whatever comes of it never reaches the lesson, unless staff take it over
        project(video)
    if after in ENDED and video.playing is not None and upload.is_current:
        supersede(
            upload, by=video.playing
        )  # beside a video that plays it is history, and the lesson stays as it was
    if upload.is_current:
        project(video)
        if after in GONE and isinstance(video.owner, Lesson):
            publication.withdraw(video.owner, why="its video was deleted")
    _delete_if_unwanted(video, upload)
    if observation.video_event is VideoEvent.LET_GO:
        side_effects.after_let_go(video.owner, upload)
        return
    if overtaken:
        side_effects.after_superseded_transition(video.owner, upload, after)
        return
    side_effects.after_transition(
        video.owner, upload, before, after, found_by=observation.found_by, replaced=_replaced(video, upload)
    )
    if after is State.READY and isinstance(video.owner, Lesson):
        publication.fulfil(video.owner, upload)


def _write_state(
    upload: Tracking, before: State, after: State, observation: Observation, *, overtaken: bool
) -> None:
    upload.status = status_of(after)
    upload.attention_at = None
    recheck_schedule.unschedule(upload)
    if not (overtaken and after in (State.DELETING, State.DELETED)):  # else why it failed is still to be told
        upload.error_type = upload.error_message = None
    if after is State.PROCESSING:
        upload.asset_seen_at = transaction_time()
        recheck_schedule.schedule_next(upload)
    elif after is State.READY:
        upload.mux_playback_id, upload.playback_policy, upload.progress = (
            observation.playback_id,
            observation.policy,
            100,
        )
        upload.ready_found_by = observation.found_by
        if not overtaken:
            upload.ready_at = transaction_time()
    elif after in KEPT_BACK:
        upload.error_type = KEPT_BACK[after]
    elif after in FAILED:
        upload.error_type = (
            UPLOAD_ERRORS.get(observation.video_event) or observation.error_type or "asset_errored"
        )
        upload.error_message = observation.error_message
    elif after is State.DELETED and observation.video_event is not VideoEvent.LET_GO:
        if overtaken or before in ENDED:
            outbox.mark_asset_deleted(upload.mux_asset_id)  # only then there can be a row for it
        if before not in (State.DELETING, State.CANCELLED) and not overtaken:
            upload.error_type, upload.error_message = "deleted_at_mux", "The video was deleted at Mux."


def _supersede_ended(video: LockedVideo, upload: Tracking) -> None:
    """The swap: what played gives way and is kept for the grace time; what had ended beside it is history."""
    for old in [one for one in video.current if one is not upload and not one.is_open]:
        plays = old.status == "ready"
        supersede(old, by=upload)
        if plays:
            outbox.request_deletion_after_grace(old)


def _replaced(video: LockedVideo, upload: Tracking) -> Tracking | None:
    return next((old for old in video.uploads if conditions.replaced_by(old, upload)), None)


def supersede_others(video: LockedVideo, *, to: Tracking) -> list[Tracking]:
    """A new attempt takes the place of every upload but the one that plays."""
    given = [upload for upload in video.current if upload is not to and upload is not video.playing]
    for upload in given:
        supersede(upload, by=to)
        recheck_schedule.unschedule(upload)
        _delete_if_unwanted(video, upload)
    return given


def make_current(video: LockedVideo, upload: Tracking, *, upload_id: str | None = None) -> None:
    """An upload that was outside the lesson counts from now on; open ones before it are cancelled at Mux too.

    `upload_id`: the id that Mux has just given it. The caller says what the upload is worth (`apply`) or shows it as
    it is (`project`).
    """
    for old in supersede_others(video, to=upload):
        outbox.request_cancellation(old)
    if upload_id is not None:
        upload.upload_id = upload_id
    upload.superseded_at = None
    recheck_schedule.schedule_next(upload)
    db.session.flush()


def supersede(upload: Tracking, *, by: Tracking | None) -> None:
    """Another upload took its place; from now on its events never touch the lesson.

    Flushed at once, since the database allows one playing and one coming upload at any moment.
    """
    upload.superseded_at = transaction_time()
    upload.superseded_by = by.id if by is not None else None
    db.session.flush()


def _delete_if_unwanted(video: LockedVideo, upload: Tracking) -> None:
    """An asset that came for an upload that is wanted no more must go at Mux, unless it is held for staff to decide."""
    kept_back = is_withdrawn(upload.status, upload.error_type)
    if upload.mux_asset_id is None or upload.status in ("deleting", "deleted") or kept_back:
        return
    if upload.status == "cancelled" or (not upload.is_current and upload.ready_at is None):
        outbox.request_deletion(upload, why="this upload is not needed any more")


def project(video: LockedVideo) -> None:
    """Make the owner's columns from its uploads."""
    owner = video.owner
    upload = video.shown
    status = _video_status(upload)
    plays, failed = status == "ready", status == "error"
    known = status in ("ready", "processing") or (failed and upload is not None and upload.status == "error")
    _set_columns(
        owner,
        video_processing_status=status,
        mux_asset_id=upload.mux_asset_id if upload is not None and known else None,
        mux_playback_id=upload.mux_playback_id if upload is not None and plays else None,
        playback_policy=upload.playback_policy if upload is not None and plays else None,
        video_duration=upload.duration if upload is not None and plays else None,
        video_error_type=upload.error_type if upload is not None and failed else None,
        video_error_message=upload.error_message if upload is not None and failed else None,
    )
    if isinstance(owner, Lesson):
        watched = video.watched
        _set_columns(owner, needs_attention_at=watched.attention_at if watched is not None else None)
        if owner.status == "published" and not plays:
            publication.withdraw(owner, why="its video does not play any more")
            if upload is not None and upload.is_open and all(one.ready_at is None for one in video.uploads):
                publication.request(owner)  # it never played here: another program published it too early


def _set_columns(owner: Owner, **columns: Any) -> None:
    # Only what is different: a row that was touched without a change still costs a query when it is flushed.
    for name, value in columns.items():
        if getattr(owner, name) != value:
            setattr(owner, name, value)


def _video_status(upload: Tracking | None) -> str:
    if upload is None or upload.status == "cancelled":
        return "none"
    if upload.status == "deleted":
        return "error" if upload.error_type else "none"
    return upload.status


def fail_before_upload(video: LockedVideo, upload: Tracking, *, message: str) -> None:
    """Mux issued no address for this upload: it ends outside the lesson, which stays as it was."""
    upload.status, upload.error_type, upload.error_message = "error", NOT_BEGUN, message
    recheck_schedule.unschedule(upload)
    audit_log.record("video.upload_not_created", video.owner, message=message)


def set_playback_id(video: LockedVideo, upload: Tracking, *, playback_id: str, policy: str | None) -> bool:
    """The same asset plays by another playback id, which Mux has confirmed; False if nothing was different."""
    before = (upload.mux_playback_id, upload.playback_policy)
    upload.mux_playback_id, upload.playback_policy = playback_id, policy
    upload.wanted_policy = policy or upload.wanted_policy  # from now on this is what the video has
    if not upload.is_current:
        return before != (playback_id, policy)
    shown = video.owner.mux_playback_id
    project(video)
    if before == (playback_id, policy) and shown == video.owner.mux_playback_id:
        return False
    audit_log.record(
        "video.playback_changed",
        video.owner,
        asset_id=upload.mux_asset_id,
        before=before[0],
        after=playback_id,
        policy=policy,
    )
    return True


def mark_needs_attention(video: LockedVideo, upload: Tracking) -> None:
    """This upload takes longer than a video should; it is still watched."""
    upload.attention_at = transaction_time()
    project(video)
    audit_log.record(
        "video.needs_attention", video.owner, upload_id=upload.upload_id, asset_id=upload.mux_asset_id
    )


def clear_owner_columns(video: LockedVideo) -> bool:
    """Show nothing any more of what no upload stands for: an id that names nothing at Mux, a deletion that was seen.
    False if nothing of that kind was shown."""
    owner = video.owner
    before = (owner.mux_asset_id, owner.mux_playback_id, owner.video_processing_status)
    for upload in video.current:
        if upload.status == "deleted":
            upload.error_type = upload.error_message = None
    project(video)
    if before == (owner.mux_asset_id, owner.mux_playback_id, owner.video_processing_status):
        return False
    audit_log.record("video.deleted", owner, asset_id=before[0], only_forgotten=True)
    return True


def swap_back(video: LockedVideo, *, new: Tracking, old: Tracking) -> None:
    """The video that was replaced plays again; the one that replaced it is kept for the grace time in its turn."""
    supersede(new, by=None)
    old.superseded_at = old.superseded_by = None
    db.session.flush()
    new.superseded_by = old.id
    outbox.request_deletion_after_grace(new)
    project(video)
    audit_log.record(
        "video.replaced", video.owner, before=new.mux_asset_id, after=old.mux_asset_id, undo=True
    )


def restore_asset(video: LockedVideo, old: Tracking, *, plays: bool) -> Tracking:
    """A new upload takes over the asset of one that was to be deleted. `plays`: it did when it was removed, so it does
    at once. Mux is asked, and has the last word."""
    names = ("mux_playback_id", "playback_policy", "duration", "progress", "ready_at", "ready_found_by")
    new = _add(
        video,
        upload_id=MIGRATED,
        mux_asset_id=old.mux_asset_id,
        wanted_policy=old.playback_policy or old.wanted_policy,
        status="ready" if plays else "processing",
        filename=old.filename,
        **({name: getattr(old, name) for name in names} if plays else {}),
    )
    if old.is_current:
        supersede(old, by=new)
    project(video)
    audit_log.record("video.restored", video.owner, asset_id=new.mux_asset_id)
    recheck_schedule.schedule_now(new)
    return new


def add_upload(video: LockedVideo, *, outside: bool = False, **columns: Any) -> Tracking:
    """One more upload of this lesson or course, from which nothing has come yet. `outside`: it touches nothing until
    it takes its place."""
    return _add(video, superseded_at=func.clock_timestamp() if outside else None, **columns)


def _add(video: LockedVideo, **columns: Any) -> Tracking:
    upload = Tracking(
        **{owners.COLUMNS[video.owner.kind].key: video.owner.id},
        owner_id=video.owner.owner_id,
        **columns,
    )
    db.session.add(upload)
    db.session.flush()
    video.uploads.append(upload)
    return upload


def ensure_tracked(video: LockedVideo) -> None:
    """Lessons from before tracking name their asset themselves: give it an upload, so that one set of rules serves all.

    Only a video with true ids that is said to be ready counts as one that plays; of any other Mux has the next word.
    """
    owner = video.owner
    asset_id = owner.mux_asset_id
    if owner.video_processing_status == "none" and video.on_its_way is not None:
        project(video)  # the upload was written by another program
    if not asset_id or is_temporary(asset_id) or video.of_asset(asset_id) is not None or video.current:
        return
    plays = owner.is_playable
    played = {
        "playback_policy": owner.playback_policy,
        "duration": owner.video_duration,
        "ready_at": owner.created_at,
    }
    _add(
        video,
        upload_id=MIGRATED,
        mux_asset_id=asset_id,
        mux_playback_id=None if owner.has_temporary_id else owner.mux_playback_id,
        wanted_policy=owner.playback_policy,
        created_at=owner.created_at,  # its true age, so that an old one counts as stuck
        status="ready" if plays else "processing",
        **(played if plays else {}),
    )
    if owner.video_processing_status == "none" and not (
        isinstance(owner, Lesson) and owner.status == "published"
    ):
        project(video)  # a published lesson is left as it is until Mux has spoken
