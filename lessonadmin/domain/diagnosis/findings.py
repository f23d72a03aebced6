"""The causes that a diagnosis can find, each with its sentence and button: from the database, and from Mux's answer.

These functions read facts that are gathered already; they ask neither the database nor Mux.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lessonadmin import mux
from lessonadmin.domain.diagnosis.facts import VideoFacts
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.models.videos import ANY_POLICY
from lessonadmin.domain.videos.wording import why_failed

Severity = Literal["fine", "waiting", "trouble"]


@dataclass(frozen=True)
class Button:
    """What to press: an action of the table, on these rows; or, with `page`, where to go: a page of the panel, or the
    form in which its instructor uploads (FORM)."""

    label: str
    action: str | None = None
    target: str | None = None
    ids: tuple[uuid.UUID, ...] = ()
    page: str | None = None


@dataclass(frozen=True)
class Finding:
    """One cause, said in one sentence, with one thing to do (or none, if waiting is all there is)."""

    cause: str
    sentence: str
    severity: Severity
    button: Button | None = None
    other: Button | None = None  # where staff have to decide between two


def press(case: VideoFacts, action: str, label: str) -> Button:
    return Button(label, action, case.owner.kind, (case.owner.id,))


def recheck(case: VideoFacts, label: str = "Ask Mux now") -> Button:
    return press(case, "recheck", label)


def republish(case: VideoFacts) -> Button:
    if isinstance(case.owner, Lesson):
        return press(case, "republish", "Republish")
    return recheck(case)


def clear(case: VideoFacts) -> Button:
    return press(case, "clear_asset", "Clear asset")


FORM = "form"
DOCTOR = Button("Open the doctor", page="doctor")
UPLOAD = Button("Upload a video", page=FORM)


def unplayable(case: VideoFacts, cause: str) -> Finding:
    said = {
        "no_playback_id": "Mux made the video but gave it no playback id, so nobody can play it. Add one in the Mux dashboard, then press “Republish”.",
        "wrong_policy": "Mux made the video with another playback policy than we asked for. “Republish” takes it over as it is.",
    }[cause]
    return Finding(cause, said, "trouble", republish(case))


# What the local rows say about the cause, state by state.


def finding_in_database(case: VideoFacts) -> Finding:
    if case.temporary:
        return _temporary(case)
    by_status = {
        "none": _none,
        "uploading": _uploading,
        "processing": _processing,
        "ready": _ready,
        "error": _failed,
        "deleting": _deleting,
    }
    return by_status[case.status](case)


def _temporary(case: VideoFacts) -> Finding:
    if not case.owner.has_temporary_asset and case.owner.mux_asset_id:
        said = "It has a temporary playback id, so it does not play and is not on sale. Mux is asked for the true one by itself; “Republish” does it now."
        return Finding("temporary_id", said, "trouble", republish(case))
    if case.shown is not None and (case.shown.mux_asset_id or case.shown.upload_id):
        said = "It has a temporary video id that Mux does not know, but its upload is on record: “Republish” finds the true one."
        return Finding("temporary_id", said, "trouble", republish(case))
    said = "It has a temporary video id that Mux never knew, and no upload is on record. Run fix-lessons; if that finds nothing, clear it and ask for a new upload."
    return Finding("temporary_id", said, "trouble", clear(case))


def _none(case: VideoFacts) -> Finding:
    if case.shown is not None and case.shown.status == "cancelled":
        said = "The upload was cancelled by a person here. A new one can begin any time."
        return Finding("cancelled", said, "fine", UPLOAD)
    if case.shown is None and case.withdrawn:
        last = case.withdrawn[-1]
        if last.is_held:
            return Finding("no_video", "No video plays here, and none is on its way.", "fine", UPLOAD)
        said = f"{last.began} lost the right to this {case.owner.kind} on {last.since}, before the file of an upload was at Mux. That upload was cancelled; a new one can begin any time."
        return Finding("right_lost", said, "fine", UPLOAD)
    return Finding("no_video", "No video was ever uploaded here.", "fine", UPLOAD)


def held(case: VideoFacts) -> Iterator[Finding]:
    """Files that wait for a decision of staff, each with both answers."""
    for one in case.withdrawn:
        if not one.is_held:
            continue
        ids = (one.upload.id,)
        said = f"{one.began} started this upload and lost the right to this {case.owner.kind} on {one.since}; the file arrived afterwards. It is held: nobody sees it."
        yield Finding(
            "held",
            said,
            "trouble",
            Button("Take it over", "take_over", "tracking", ids),
            Button("Delete it at Mux", "clear_asset", "tracking", ids),
        )


def _uploading(case: VideoFacts) -> Finding:
    if case.expired:
        said = f"The upload address was given out {case.age} ago and has expired. Ask Mux once more, then ask the teacher to upload again."
        return Finding("url_expired", said, "trouble", recheck(case))
    if case.shown is not None and case.shown.bytes_in_at is not None:
        said = f"The browser says that everything is sent ({case.since_bytes} ago); Mux has not confirmed it yet."
        return Finding("bytes_sent", said, "trouble" if case.stuck else "waiting", recheck(case))
    said = f"The upload address was given out {case.age} ago and no file has been heard of: the upload still runs, the page was closed, or a message was lost."
    return Finding("no_bytes", said, "trouble" if case.stuck else "waiting", recheck(case))


def _processing(case: VideoFacts) -> Finding:
    at = f", {case.progress} % done at the last look" if case.progress is not None else ""
    if case.stuck:
        said = f"Mux has been preparing this video for {case.age}{at}. That is slow, but it is still watched.{_then(case)}"
        return Finding("preparing_slowly", said, "trouble", recheck(case))
    said = f"Mux is preparing this video ({case.age} so far{at}). That is normal.{_then(case)}"
    return Finding("preparing", said, "waiting", recheck(case))


def _then(case: VideoFacts) -> str:
    if not isinstance(case.owner, Lesson):
        return ""
    return " Then it is published by itself." if case.owner.publish_on_ready else " Then it stays a draft."


def _ready(case: VideoFacts) -> Finding:
    if not case.owner.mux_playback_id:
        return unplayable(case, "no_playback_id")
    lesson = case.owner if isinstance(case.owner, Lesson) else None
    draft = lesson is not None and lesson.status != "published"
    if lesson is not None and draft and lesson.publish_on_ready:
        said = "The video is ready and the lesson was to be published by itself, but nobody did it."
        return Finding("promise_unkept", said, "trouble", press(case, "publish", "Publish"))
    if case.is_replacement and case.stuck:
        return replacement(case)
    if draft:
        said = "The video is ready; the lesson is a draft because somebody wants it so."
        return Finding("draft", said, "fine", press(case, "publish", "Publish"))
    if lesson is not None:
        return Finding("published", "It is published and plays. There is nothing to do.", "fine")
    return Finding("fine", "The preview plays. There is nothing to do.", "fine")


def replacement(case: VideoFacts) -> Finding:
    """A new video beside one that plays: on its way as it should be, or late."""
    if not case.stuck:
        said = "A new video is on its way; the present one plays until it is ready."
        return Finding("replacement", said, "waiting")
    if case.watched_status == "processing":
        so_far = f"Mux has been preparing it for {case.age}"
    elif case.watched is not None and case.watched.bytes_in_at is not None:
        so_far = (
            f"the browser said {case.since_bytes} ago that everything is sent, and Mux has not confirmed it"
        )
    else:
        so_far = f"its upload address was given out {case.age} ago, and no file has been heard of"
    said = f"The new video is late: {so_far}. The old one plays until it is ready."
    return Finding("replacement_late", said, "trouble", recheck(case))


FAILURES = {
    "upload_timed_out": "url_expired",
    "upload_errored": "upload_errored",
    "upload_cancelled": "cancelled_elsewhere",
    "deleted_at_mux": "deleted_at_mux",
}


def _failed(case: VideoFacts) -> Finding:
    error = case.owner.video_error_type
    if error in ("no_playback_id", "wrong_policy"):
        return unplayable(case, error)
    cause = FAILURES.get(error or "", "asset_errored")
    said = why_failed(error, case.owner.video_error_message)
    if cause == "upload_errored" and case.owner.video_error_message:
        said = f"{said} Mux says: {case.owner.video_error_message}"
    return Finding(cause, said, "trouble", clear(case))


def _deleting(case: VideoFacts) -> Finding:
    deletion = case.deletion
    if deletion is not None and deletion.last_error:
        said = f"The video is being deleted; Mux has not done it yet ({deletion.last_error}). It is tried again by itself."
        return Finding("deletion_pending", said, "waiting", recheck(case, "Try now"))
    if deletion is not None and case.in_grace:
        said = "The video was cleared and is kept at Mux for the grace time; then it is deleted by itself."
        return Finding("deletion_pending", said, "waiting")
    return Finding("deletion_pending", "The video is being deleted at Mux.", "waiting", recheck(case))


# What Mux's answer, beside the local rows, says about the cause. It is only there when staff asked for it.


def finding_at_mux(case: VideoFacts) -> Finding | None:
    look = case.look
    if look is None:
        return None
    if look.error is not None:
        return mux_trouble(look.error.category, look.error.message)
    if look.strange:
        return Finding(
            "wrong_environment",
            "Mux knows this video no more, nor any other of ours: the access token seems to belong to another Mux environment.",
            "trouble",
            DOCTOR,
        )
    if look.asset_gone and case.watched_status in ("ready", "processing", "uploading"):
        return Finding(
            "deleted_at_mux",
            f"The {case.noun} was deleted at Mux and we were not told. Press the button to take over that it is gone, then ask for a new upload.",
            "trouble",
            recheck(case, "Take that over"),
        )
    return _asset_against_ours(case, look) or _upload_against_ours(case, look)


def _asset_against_ours(case: VideoFacts, look: Look) -> Finding | None:
    asset = look.asset
    if asset is None:
        return None
    if asset.status == "ready":
        return _ready_there(case, asset)
    if asset.status == "errored" and case.watched_status != "error":
        words = f": {asset.error_message.rstrip('.')}" if asset.error_message else ""
        return Finding(
            "asset_errored",
            f"Mux could not process the {case.noun}{words}. Its message never reached us; take it over, then ask for a new file.",
            "trouble",
            recheck(case, "Take that over"),
        )
    if asset.status == "preparing" and case.watched_status == "uploading":
        said = "The file is in and Mux works on it; we were not told yet."
        return Finding("processing_not_told", said, "waiting", recheck(case))
    return None


def _ready_there(case: VideoFacts, asset: mux.Asset) -> Finding | None:
    """Mux has it ready: what do the local rows say?"""
    if case.moving:
        if not asset.playback_ids or not _fits(case, asset):
            return unplayable(case, "wrong_policy" if asset.playback_ids else "no_playback_id")
        said = f"Mux has the {case.noun} ready, but its message never reached us. One press takes it over."
        return Finding("ready_not_told", said, "trouble", recheck(case, "Take it over"))
    if (
        case.watched_status == "error"
        and asset.playback_ids
        and case.owner.video_error_type != "wrong_policy"
    ):
        said = "We say that it failed, but Mux has the video ready. “Republish” takes it over."
        return Finding("ready_after_all", said, "trouble", republish(case))
    if case.watched_status == "ready" and not _same_playback_id(case, asset):
        said = "Mux plays this video under another playback id than the one we have. “Republish” corrects it."
        return Finding("wrong_playback_id", said, "trouble", republish(case))
    return None


def _fits(case: VideoFacts, asset: mux.Asset) -> bool:
    if case.watched is None or case.watched.wanted_policy == ANY_POLICY:
        return True
    return asset.playback_id_for(case.watched.wanted_policy) is not None


def _same_playback_id(case: VideoFacts, asset: mux.Asset) -> bool:
    return any(one.id == case.owner.mux_playback_id for one in asset.playback_ids)


ENDINGS = {
    "timed_out": ("url_expired", "The upload address expired before the file was in"),
    "cancelled": ("cancelled_elsewhere", "The upload was cancelled at Mux"),
    "errored": ("upload_errored", "Mux could not use the file"),
}


def _upload_against_ours(case: VideoFacts, look: Look) -> Finding | None:
    if case.watched_status != "uploading" or look.asset is not None:
        return None
    ending = ENDINGS.get(look.upload.status) if look.upload is not None else None
    if look.upload_gone:
        ending = ("url_expired", "Mux does not know this upload any more")
    if ending is None:
        return None
    cause, words = ending
    reason = look.upload.error_message if look.upload is not None else None
    said = f": {reason.rstrip('.')}" if reason else ""
    return Finding(
        cause,
        f"{words}{said}. Take that over, then ask the teacher to upload it again.",
        "trouble",
        recheck(case, "Take that over"),
    )


def mux_trouble(category: str, message: str) -> Finding:
    """Mux could not be asked: a wrong token needs an operator, everything else passes."""
    message = message if message.endswith((".", "…", "!", "?")) else f"{message}."
    if category == "auth_error":
        return Finding("wrong_token", message, "trouble", DOCTOR)
    if category == "rate_limit":
        return Finding("mux_busy", f"{message} It is asked again by itself.", "waiting")
    if category in ("temp_asset", "not_found"):
        return Finding("nothing_at_mux", message, "trouble")
    return Finding(
        "mux_unreachable",
        f"{message} Nothing is concluded from that; it is asked again by itself.",
        "trouble",
        DOCTOR,
    )
