"""The one writer of video states: tracking rows, and the lesson's or course's columns that are made from them.

What happens to an upload ends in `apply`, by whatever way it was found out: webhook, sweep, button, bulk action or command. The few
changes that are no event have a function of their own (`take_place`, `set_playback_id`, `forget`, ...). All work under
the lock of the lesson's (or course's) row, so everything about one video happens in one order, and write their audit
rows. No other module assigns these columns (tests/structure/test_one_writer.py). Nothing in here talks to Mux.
"""

from typing import Any

from sqlalchemy import exists, func, select

from lessonadmin.db import db, transaction_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Lesson, Owner, Tracking, owners
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.videos import conditions, outbox, publication, recheck_schedule, side_effects
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation, Outcome
from lessonadmin.domain.videos.state_machine import (
    KEPT_BACK,
    UPLOAD_ERRORS,
    State,
    VideoEvent,
    next_state,
    state_of,
    status_of,
)
from lessonadmin.text.temporary_ids import is_temporary

FAILED = (State.UPLOAD_FAILED, State.ASSET_FAILED)
GONE = (State.DELETING, State.DELETED)
ENDED = (*FAILED, *GONE, State.CANCELLED, *KEPT_BACK)
ASSET_FINISHED = (VideoEvent.ASSET_READY, VideoEvent.ASSET_UNPLAYABLE, VideoEvent.ASSET_ERRORED)


def apply(video: LockedVideo, row: Tracking, observation: Observation) -> Outcome:
    """Let one thing happen to one upload: the state, then what follows from it, in this transaction."""
    state = state_of(row.status, row.error_type)
    step = next_state(state, observation.video_event, seen=observation.seen)
    if step.ask:
        recheck_schedule.schedule_now(row)
        return "ask"
    learned = _store_new_facts(row, observation)
    if observation.video_event in ASSET_FINISHED and (state in ENDED or not row.is_current):
        outbox.retry_deletion(row.mux_asset_id)
    if step.state == state:
        if observation.playback_id is not None and _plays_by_temporary_id(row):
            learned = set_playback_id(
                video, row, playback_id=observation.playback_id, policy=observation.policy
            )
            if row.is_current and isinstance(video.owner, Lesson):
                publication.fulfil(video.owner, row)
        elif learned and row.is_current:
            project(video)
        if row.is_open:
            recheck_schedule.schedule_next(row)
        _delete_if_unwanted(video, row)
        return "applied" if learned else "no_change"
    _enter(video, row, state, step.state, observation)
    return "applied"


def _store_new_facts(row: Tracking, observation: Observation) -> bool:
    """Take over what is new. Ids are learned once: an upload never changes its asset."""
    learned = False
    for name, value in (
        ("upload_id", observation.upload_id if _takes_upload_id(row, observation.upload_id) else None),
        ("mux_asset_id", observation.asset_id if not real_asset_id(row) else None),
        ("duration", observation.duration),
    ):
        if value is not None and getattr(row, name) != value:
            setattr(row, name, value)
            learned = True
    if observation.progress is not None and row.is_open and observation.progress > (row.progress or -1):
        row.progress = observation.progress
        learned = True
    return learned


def real_asset_id(row: Tracking) -> str | None:
    """The asset that Mux has for this upload: rows from an older program may hold an id that it had made up."""
    return None if row.has_temporary_asset else row.mux_asset_id


def _plays_by_temporary_id(row: Tracking) -> bool:
    """It is said to be ready, but by an id that an older program made up."""
    return row.status == "ready" and is_temporary(row.mux_playback_id)


def _takes_upload_id(row: Tracking, upload_id: str | None) -> bool:
    """An old row learns the upload that it came from, unless that is another row's already (a shared asset)."""
    if upload_id is None or row.upload_id not in (None, MIGRATED):
        return False
    return row.upload_id is None or not db.session.scalar(
        select(exists().where(Tracking.upload_id == upload_id))
    )


def _enter(video: LockedVideo, row: Tracking, before: State, after: State, observation: Observation) -> None:
    """Make the step and everything that belongs to it."""
    overtaken = not row.is_current
    if after is State.READY and not overtaken:
        _supersede_ended(video, row)
    _write_state(row, before, after, observation, overtaken=overtaken)
    if after is State.WITHDRAWN and not overtaken:
        supersede(row, by=None)  # whatever comes of it never reaches the lesson, unless staff take it over
        project(video)
    if after in ENDED and video.playing is not None and row.is_current:
        supersede(
            row, by=video.playing
        )  # beside a video that plays it is history, and the lesson stays as it was
    if row.is_current:
        project(video)
        if after in GONE and isinstance(video.owner, Lesson):
            publication.withdraw(video.owner, why="its video is gone")
    _delete_if_unwanted(video, row)
    if observation.video_event is VideoEvent.LET_GO:
        side_effects.after_let_go(video.owner, row)
        return
    if overtaken:
        side_effects.after_superseded_transition(video.owner, row, after)
        return
    side_effects.after_transition(
        video.owner, row, before, after, found_by=observation.found_by, replaced=_replaced(video, row)
    )
    if after is State.READY and isinstance(video.owner, Lesson):
        publication.fulfil(video.owner, row)


def _write_state(
    row: Tracking, before: State, after: State, observation: Observation, *, overtaken: bool
) -> None:
    row.status = status_of(after)
    row.attention_at = None
    recheck_schedule.unschedule(row)
    if not (overtaken and after in (State.DELETING, State.DELETED)):  # else why it failed is still to be told
        row.error_type = row.error_message = None
    if after is State.PROCESSING:
        row.asset_seen_at = transaction_time()
        recheck_schedule.schedule_next(row)
    elif after is State.READY:
        row.mux_playback_id, row.playback_policy, row.progress = (
            observation.playback_id,
            observation.policy,
            100,
        )
        row.ready_found_by = observation.found_by
        if not overtaken:
            row.ready_at = transaction_time()
    elif after in KEPT_BACK:
        row.error_type = KEPT_BACK[after]
    elif after in FAILED:
        row.error_type = (
            UPLOAD_ERRORS.get(observation.video_event) or observation.error_type or "asset_errored"
        )
        row.error_message = observation.error_message
    elif after is State.DELETED and observation.video_event is not VideoEvent.LET_GO:
        if overtaken or before in ENDED:
            outbox.mark_asset_deleted(row)  # only then it can have been promised
        if before not in (State.DELETING, State.CANCELLED) and not overtaken:
            row.error_type, row.error_message = "deleted_at_mux", "The video was deleted at Mux."


def _supersede_ended(video: LockedVideo, row: Tracking) -> None:
    """The swap: what played gives way and is kept for the grace time; what had ended beside it is history."""
    for old in [one for one in video.current if one is not row and not one.is_open]:
        plays = old.status == "ready"
        supersede(old, by=row)
        if plays:
            outbox.request_deletion_after_grace(old)


def _replaced(video: LockedVideo, row: Tracking) -> Tracking | None:
    return next((old for old in video.rows if conditions.replaced_by(old, row)), None)


def supersede_others(video: LockedVideo, *, to: Tracking) -> list[Tracking]:
    """A new attempt takes the place of every upload but the one that plays."""
    given = [row for row in video.current if row is not to and row is not video.playing]
    for row in given:
        supersede(row, by=to)
        recheck_schedule.unschedule(row)
        _delete_if_unwanted(video, row)
    return given


def make_current(video: LockedVideo, row: Tracking, *, upload_id: str | None = None) -> None:
    """An upload that was outside the lesson counts from now on; open ones before it are cancelled at Mux too.

    `upload_id`: the id that Mux has just given it. The caller says what the upload is worth (`apply`) or shows it as
    it is (`project`).
    """
    for old in supersede_others(video, to=row):
        outbox.request_cancellation(old)
    if upload_id is not None:
        row.upload_id = upload_id
    row.superseded_at = None
    recheck_schedule.schedule_next(row)
    db.session.flush()


def supersede(row: Tracking, *, by: Tracking | None) -> None:
    """Another upload took its place; from now on its events never touch the lesson.

    Flushed at once, since the database allows one playing and one coming upload at any moment.
    """
    row.superseded_at = transaction_time()
    row.superseded_by = by.id if by is not None else None
    db.session.flush()


def _delete_if_unwanted(video: LockedVideo, row: Tracking) -> None:
    """An asset that came for an upload that is wanted no more must go at Mux, unless it is held for staff to decide."""
    kept_back = state_of(row.status, row.error_type) in KEPT_BACK
    if row.mux_asset_id is None or row.status in ("deleting", "deleted") or kept_back:
        return
    if row.status == "cancelled" or (not row.is_current and row.ready_at is None):
        outbox.request_deletion(row, why="nobody wants this upload any more")


def project(video: LockedVideo) -> None:
    """Make the owner's columns from its rows."""
    owner = video.owner
    row = video.shown
    status = _video_status(row)
    plays, failed = status == "ready", status == "error"
    known = status in ("ready", "processing") or (failed and row is not None and row.status == "error")
    _set_columns(
        owner,
        video_processing_status=status,
        mux_asset_id=row.mux_asset_id if row is not None and known else None,
        mux_playback_id=row.mux_playback_id if row is not None and plays else None,
        playback_policy=row.playback_policy if row is not None and plays else None,
        video_duration=row.duration if row is not None and plays else None,
        video_error_type=row.error_type if row is not None and failed else None,
        video_error_message=row.error_message if row is not None and failed else None,
    )
    if isinstance(owner, Lesson):
        watched = video.watched
        _set_columns(owner, needs_attention_at=watched.attention_at if watched is not None else None)
        if owner.status == "published" and not plays:
            publication.withdraw(owner, why="its video does not play any more")
            if row is not None and row.is_open and all(one.ready_at is None for one in video.rows):
                publication.request(owner)  # it never played here: another program published it too early


def _set_columns(owner: Owner, **columns: Any) -> None:
    # Only what is different: a row that was touched without a change still costs a query when it is flushed.
    for name, value in columns.items():
        if getattr(owner, name) != value:
            setattr(owner, name, value)


def _video_status(row: Tracking | None) -> str:
    if row is None or row.status == "cancelled":
        return "none"
    if row.status == "deleted":
        return "error" if row.error_type else "none"
    return row.status


def fail_before_upload(video: LockedVideo, row: Tracking, *, message: str) -> None:
    """Mux issued no address for this upload: it ends outside the lesson, which stays as it was."""
    row.status, row.error_type, row.error_message = "error", "upload_not_created", message
    recheck_schedule.unschedule(row)
    audit_log.record("video.upload_not_created", video.owner, message=message)


def set_playback_id(video: LockedVideo, row: Tracking, *, playback_id: str, policy: str | None) -> bool:
    """The same asset plays by another playback id, which Mux has confirmed; False if nothing was different."""
    before = (row.mux_playback_id, row.playback_policy)
    row.mux_playback_id, row.playback_policy = playback_id, policy
    row.wanted_policy = policy or row.wanted_policy  # from now on this is what the video has
    if not row.is_current:
        return before != (playback_id, policy)
    shown = video.owner.mux_playback_id
    project(video)
    if before == (playback_id, policy) and shown == video.owner.mux_playback_id:
        return False
    audit_log.record(
        "video.playback_changed",
        video.owner,
        asset_id=row.mux_asset_id,
        before=before[0],
        after=playback_id,
        policy=policy,
    )
    return True


def mark_needs_attention(video: LockedVideo, row: Tracking) -> None:
    """This upload takes longer than a video should; it is still watched."""
    row.attention_at = transaction_time()
    project(video)
    audit_log.record("video.needs_attention", video.owner, upload_id=row.upload_id, asset_id=row.mux_asset_id)


def clear_owner_columns(video: LockedVideo) -> bool:
    """Show nothing any more of what no upload stands for: an id that names nothing at Mux, a deletion that was seen.
    False if nothing of that kind was shown."""
    owner = video.owner
    before = (owner.mux_asset_id, owner.mux_playback_id, owner.video_processing_status)
    for row in video.current:
        if row.status == "deleted":
            row.error_type = row.error_message = None
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


def restore_asset(video: LockedVideo, old: Tracking) -> Tracking:
    """A new upload takes over the asset of one that was to be deleted; Mux has the last word on whether it plays."""
    new = _add(
        video,
        upload_id=MIGRATED,
        mux_asset_id=old.mux_asset_id,
        wanted_policy=old.playback_policy or old.wanted_policy,
        status="processing",
        filename=old.filename,
    )
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
    row = Tracking(
        **{owners.COLUMNS[video.owner.kind].key: video.owner.id},
        owner_id=video.owner.owner_id,
        **columns,
    )
    db.session.add(row)
    db.session.flush()
    video.rows.append(row)
    return row


def ensure_tracked(video: LockedVideo) -> None:
    """Lessons from before tracking name their asset themselves: give it a row, so that one set of rules serves all.

    Only a video with true ids that is said to be ready counts as one that plays; of any other Mux has the next word.
    """
    owner = video.owner
    asset_id = owner.mux_asset_id
    if owner.video_processing_status == "none" and video.on_its_way is not None:
        project(video)  # the row was written by another program
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
