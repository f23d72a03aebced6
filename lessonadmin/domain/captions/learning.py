"""What Mux says about captions, written down: the one writer of `CaptionTrack`, and of how an upload's captions stand.

Events and looks at an asset end here, under the lock of the lesson or course, in whatever order they come. While Mux works on
captions their upload is asked about like one that is on its way, in the same pages; so lost webhooks cost no call of their own.
Nothing in here talks to Mux, and no video changes its state.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import db, new_id, transaction_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.captions import track_states, transcripts
from lessonadmin.domain.models import CaptionTrack, Tracking
from lessonadmin.domain.videos import locking, recheck_schedule
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.domain.videos.observations import Observation
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.text import subtitles

# A look may be older than the event that told of a new track.
YOUNG = timedelta(minutes=2)
# Captions that were asked for with the upload are among the tracks when the video is ready; this long Mux may be late.
LATE = timedelta(minutes=15)
GIVEN_UP = timedelta(days=1)
FETCH = "lessonadmin.jobs.videos.fetch_transcript"
NEVER_MADE = "Mux made no captions."
NEVER_FINISHED = "Mux did not finish them within a day."


def of_upload(upload: Tracking) -> list[CaptionTrack]:
    """Every track that its asset has or had, oldest first."""
    wanted = select(CaptionTrack).where(CaptionTrack.tracking_id == upload.id)
    return list(db.session.scalars(wanted.order_by(CaptionTrack.created_at, CaptionTrack.id)))


def locked(row_id: uuid.UUID) -> tuple[LockedVideo, Tracking, list[CaptionTrack], CaptionTrack] | None:
    """A track as it is under the lock of its lesson or course, with the others of its upload."""
    upload_id = db.session.scalar(select(CaptionTrack.tracking_id).where(CaptionTrack.id == row_id))
    found = locking.lock_video_of_upload(upload_id) if upload_id is not None else None
    if found is None:
        return None
    video, upload = found
    tracks = of_upload(upload)
    row = next((one for one in tracks if one.id == row_id), None)
    return (video, upload, tracks, row) if row is not None else None


def learn(video: LockedVideo, upload: Tracking, observation: Observation) -> bool:
    """An event or a look showed the asset of an upload; False if its captions are as they were."""
    told = observation.text_tracks
    if observation.asset_id is None or observation.asset_id != upload.mux_asset_id:
        return False
    if not told and upload.captions is None and (upload.caption_language is None or upload.status != "ready"):
        return False
    tracks = of_upload(upload)
    worked = _at_work(tracks) is not None
    changed = [_take(video, upload, tracks, one, seen=observation.seen) for one in told]
    if observation.seen:
        changed += [_missing(video, upload, one, told) for one in tracks]
    return conclude(video, upload, tracks, worked=worked) or any(changed)


def learn_track(video: LockedVideo, upload: Tracking, track: mux.TextTrack) -> bool:
    """An event told of one track; False if that was known."""
    tracks = of_upload(upload)
    worked = _at_work(tracks) is not None
    changed = _take(video, upload, tracks, track, seen=False)
    return conclude(video, upload, tracks, worked=worked) or changed


def _at_work(tracks: Sequence[CaptionTrack]) -> CaptionTrack | None:
    """The oldest that Mux still works on, also beside others that are ready."""
    return next((one for one in tracks if one.state == "preparing"), None)


def _take(
    video: LockedVideo, upload: Tracking, tracks: list[CaptionTrack], heard: mux.TextTrack, *, seen: bool
) -> bool:
    row = _row_of(heard, tracks)
    before = row.state if row is not None else None
    after = track_states.next_state(before, track_states.STATES.get(heard.status), seen=seen)
    if after is None:
        return False  # nothing that is understood was said of a track that is not known
    if row is None:
        row = CaptionTrack(
            id=new_id(),
            tracking_id=upload.id,
            mux_track_id=heard.id,
            source="generated" if heard.generated else "own",
            state=after,
            created_at=transaction_time(),
            updated_at=transaction_time(),
        )
        db.session.add(row)
        tracks.append(row)
    learned = _name(row, heard, finished=before not in (None, "preparing"))
    if before == after:
        return learned
    row.state = after
    row.error = (heard.error_message or "") if after == "failed" else None
    if after in ("failed", track_states.DELETED):
        row.webvtt = None
    tell(video, upload, row)
    if after == "ready":
        _transcribe(upload, row)
    if after == "ready" and row.replaces_id is not None:
        _take_the_place(video, upload, row, tracks)
    return True


def _transcribe(upload: Tracking, row: CaptionTrack) -> None:
    """What a person wrote is known here; the text of others is fetched."""
    row.attempts, row.due_at, row.transcribed_at = 0, None, None
    if row.webvtt is not None:
        transcripts.keep(row, upload, subtitles.read(row.webvtt.encode(), most=len(row.webvtt) * 4))
    elif upload.lesson_id is not None:
        enqueue_after_commit(FETCH, str(row.id))


def _take_the_place(
    video: LockedVideo, upload: Tracking, row: CaptionTrack, tracks: Sequence[CaptionTrack]
) -> None:
    """The captions that these replace are deleted only now, so viewers are never without."""
    for one in tracks:
        if one.id == row.replaces_id and one.state not in (track_states.DELETING, track_states.DELETED):
            give_up(video, upload, one)


def give_up(video: LockedVideo, upload: Tracking, row: CaptionTrack) -> None:
    """Deleted here at once, and at Mux by `carrying_out`."""
    row.state, row.due_at, row.attempts, row.error = track_states.DELETING, transaction_time(), 0, None
    row.webvtt = None
    tell(video, upload, row)


def _row_of(heard: mux.TextTrack, tracks: Sequence[CaptionTrack]) -> CaptionTrack | None:
    """By Mux's id; a track that was asked for carries the id of its row until then."""
    known = next((one for one in tracks if one.mux_track_id == heard.id), None)
    if known is None and heard.passthrough is not None:
        asked = (one for one in tracks if one.mux_track_id is None and str(one.id) == heard.passthrough)
        known = next(asked, None)
        if known is not None:
            known.mux_track_id = heard.id
            known.due_at = None if known.state == "asked" else known.due_at
    return known


def _name(row: CaptionTrack, heard: mux.TextTrack, *, finished: bool) -> bool:
    """A language that Mux has found out is not forgotten for an older "auto"."""
    older = finished and heard.status == "preparing"
    language = row.language if older or heard.language is None else heard.language
    label = row.label if older or heard.name is None else heard.name
    changed = (language, label) != (row.language, row.label)
    row.language, row.label = language, label
    return changed


def _missing(video: LockedVideo, upload: Tracking, row: CaptionTrack, shown: Sequence[mux.TextTrack]) -> bool:
    """A look that does not show a track says that it was deleted, unless the track is so young that the look may be older."""
    if row.state == track_states.DELETED or row.mux_track_id in {None, *(one.id for one in shown)}:
        return False
    if transaction_time() - row.updated_at < YOUNG:
        return False
    row.state, row.due_at = track_states.DELETED, None
    tell(video, upload, row)
    return True


def conclude(
    video: LockedVideo, upload: Tracking, tracks: list[CaptionTrack], *, worked: bool = False
) -> bool:
    """How the captions of this upload stand, and whether Mux is asked about them again. `worked`: until now it worked on some."""
    before = (upload.captions, upload.captions_language)
    for one in tracks:
        if one.state == "preparing" and _gave_up(one.created_at, GIVEN_UP):
            one.state, one.error = "failed", NEVER_FINISHED
            tell(video, upload, one)
    shown = track_states.shown(tracks)
    if shown is not None:
        upload.captions = "preparing" if shown.state == "asked" else shown.state
        upload.captions_language = shown.language
    elif tracks:
        upload.captions, upload.captions_language = "none", None
    elif upload.caption_language is not None:
        _never_seen(video, upload)
    at_work = _at_work(tracks)
    if upload.status == "ready" and (at_work or (shown is None and upload.captions == "preparing")):
        since = at_work.created_at if at_work is not None else upload.ready_at
        recheck_schedule.schedule_for_captions(upload, since=since or upload.created_at)
    elif upload.status == "ready" and (worked or before[0] == "preparing"):
        recheck_schedule.unschedule(upload)
    return before != (upload.captions, upload.captions_language)


def _never_seen(video: LockedVideo, upload: Tracking) -> None:
    """They were asked for with the upload, and Mux shows none yet."""
    late = upload.ready_at is not None and _gave_up(upload.ready_at, LATE)
    after = "failed" if late else "preparing"
    if after == "failed" and upload.captions != after and upload.is_current:
        audit_log.record("video.captions_failed", video.owner, message=NEVER_MADE)
    upload.captions, upload.captions_language = after, upload.caption_language


def _gave_up(since: datetime, after: timedelta) -> bool:
    return transaction_time() - since >= after


def tell(video: LockedVideo, upload: Tracking, row: CaptionTrack) -> None:
    """In the audit trail of the lesson or course; of a video that was replaced nothing is told."""
    if upload.is_current:
        audit_log.record(
            f"video.captions_{row.state}",
            video.owner,
            language=row.language,
            label=row.label,
            message=row.error or None,
            source=row.source,
        )
