"""What people ask for: captions made of the speech, captions of their own, captions taken away, and the mark that a person has read them.

Each is a row before it is a call: `carrying_out` tells Mux, by a job after the commit or by the sweep. Works in the caller's transaction, under
the lock of the lesson or course, and talks to no one.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select

from lessonadmin import mux
from lessonadmin.db import actor, db, new_id, transaction_time
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.captions import learning, track_states
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import CaptionTrack, Course, Owner, Tracking, User
from lessonadmin.domain.videos import locking
from lessonadmin.domain.videos.locking import LockedVideo
from lessonadmin.queue import enqueue_after_commit
from lessonadmin.text import subtitles
from lessonadmin.text.texts import one_line

CARRY_OUT = "lessonadmin.jobs.videos.carry_out_captions"
NAMELESS = "Captions"  # what viewers choose in the player, while it is not known which language it will be
MAX_LABEL_LENGTH = 60
DELETABLE = ("ready", "preparing", "asked", "failed", "skipped")


def shown_for(upload_id: uuid.UUID) -> list[tuple[CaptionTrack, str]]:
    """What a page lists of an upload: every track that is not deleted, oldest first, and who has checked it."""
    wanted = (
        select(CaptionTrack, func.coalesce(func.nullif(User.name, ""), User.email, ""))
        .outerjoin(User, User.id == CaptionTrack.checked_by)
        .where(
            CaptionTrack.tracking_id == upload_id,
            CaptionTrack.state.not_in((track_states.DELETING, track_states.DELETED)),
        )
        .order_by(CaptionTrack.created_at, CaptionTrack.id)
    )
    return [(track, who) for track, who in db.session.execute(wanted)]


def language_of(owner: Owner) -> str | None:
    """What captions of this video begin with: the language of the course; None: it has none."""
    if isinstance(owner, Course):
        return owner.language
    if owner.course_id is None:
        return None
    return db.session.scalar(select(Course.language).where(Course.id == owner.course_id))


def why_not_made(tracks: Sequence[CaptionTrack], language: str) -> str | None:
    """The code of the reason why no captions are made; None: they are."""
    live = [one for one in tracks if one.source == "generated" and one.state in track_states.LIVE]
    taken = any(one.language == language or one.state != "ready" for one in live)
    return "captions_there" if taken or (live and language == mux.AUTOMATIC) else None


def make(owner: Owner, language: str) -> CaptionTrack:
    """Have Mux make captions of the speech in the video that plays."""
    if language not in mux.LANGUAGES:
        raise Invalid.field("language", "Mux cannot generate captions in this language.")
    video = locking.lock_video_of(owner)
    upload = video.playing
    if upload is None or upload.real_asset_id is None:
        raise Conflict("no_video", "The video does not play at the moment, so no captions can be made.")
    tracks = learning.of_upload(upload)
    if why_not_made(tracks, language) is not None:
        raise Conflict("captions_there", "Mux has made captions of this video already, or is making them.")
    return ask_for(video, upload, tracks, language)


def ask_for(video: LockedVideo, upload: Tracking, tracks: list[CaptionTrack], language: str) -> CaptionTrack:
    """The same for a caller that holds the lock and has seen that nothing is in the way."""
    label = NAMELESS if language == mux.AUTOMATIC else mux.LANGUAGES[language]
    return _asked(video, upload, tracks, source="generated", language=language, label=label)


def _asked(
    video: LockedVideo,
    upload: Tracking,
    tracks: list[CaptionTrack],
    *,
    source: str,
    language: str,
    label: str,
) -> CaptionTrack:
    row = CaptionTrack(
        id=new_id(),
        tracking_id=upload.id,
        source=source,
        state="asked",
        language=language,
        label=label,
        due_at=transaction_time(),
        created_at=transaction_time(),
        updated_at=transaction_time(),
    )
    db.session.add(row)
    tracks.append(row)
    learning.tell(video, upload, row)
    learning.conclude(video, upload, tracks)
    enqueue_after_commit(CARRY_OUT, str(row.id))
    return row


def add_own(owner: Owner, *, language: str, label: str, data: bytes) -> CaptionTrack:
    """Captions that a person wrote. Those of the same language stay until Mux has the new ones."""
    if language not in mux.LANGUAGES or language == mux.AUTOMATIC:
        raise Invalid.field("language", "Choose the language of the captions.")
    label = one_line(label) or mux.LANGUAGES[language]
    if len(label) > MAX_LABEL_LENGTH:
        raise Invalid.field(
            "label", f"Use at most {MAX_LABEL_LENGTH} characters for the name of the captions."
        )
    try:
        read = subtitles.read(data)
    except subtitles.Faulty as faulty:
        raise Invalid.field("captions", " ".join(faulty.faults)) from faulty
    video = locking.lock_video_of(owner)
    upload = video.playing
    if upload is None or upload.real_asset_id is None:
        raise Conflict("no_video", "The video does not play at the moment, so no captions can be added.")
    tracks = learning.of_upload(upload)
    if any(one.state in ("asked", "preparing") and one.webvtt is not None for one in tracks):
        raise Conflict("captions_coming", "Mux is still fetching the captions that were added before.")
    before = [one for one in tracks if one.language == language and one.state == "ready"]
    row = _asked(video, upload, tracks, source="own", language=language, label=label)
    row.webvtt, row.warning = read.as_webvtt(), " ".join(read.warnings) or None
    row.replaces_id = before[-1].id if before else None
    return row


def remove(owner: Owner, track_id: uuid.UUID) -> None:
    """Take captions away, here at once and at Mux right after."""
    video, upload, tracks, row = _opened(owner, track_id)
    if row.state not in DELETABLE:
        return
    learning.give_up(video, upload, row)
    learning.conclude(video, upload, tracks)
    enqueue_after_commit(CARRY_OUT, str(row.id))


def mark_checked(owner: Owner, track_id: uuid.UUID, *, checked: bool) -> None:
    """A person has read these captions, or takes that back."""
    video, _, _, row = _opened(owner, track_id)
    if row.state != "ready":
        raise Conflict("not_ready", "These captions are not ready, so they cannot be checked yet.")
    if checked == (row.checked_at is not None):
        return
    row.checked_at, row.checked_by = (transaction_time(), actor().id) if checked else (None, None)
    action = "video.captions_checked" if checked else "video.captions_unchecked"
    audit_log.record(action, video.owner, language=row.language, label=row.label)


def _opened(
    owner: Owner, track_id: uuid.UUID
) -> tuple[LockedVideo, Tracking, list[CaptionTrack], CaptionTrack]:
    """The track under the lock; Missing for one of another lesson, or of a video that was replaced."""
    video = locking.lock_video_of(owner)
    upload = video.playing
    tracks = learning.of_upload(upload) if upload is not None else []
    row = next((one for one in tracks if one.id == track_id), None)
    if upload is None or row is None or row.state == track_states.DELETED:
        raise Missing()
    return video, upload, tracks, row
