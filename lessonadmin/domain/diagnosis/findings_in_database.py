"""What our own record says about the cause, state by state, without asking anybody."""

from collections.abc import Iterator

from lessonadmin.domain.diagnosis.facts import CaseFile
from lessonadmin.domain.diagnosis.findings import (
    UPLOAD,
    Button,
    Finding,
    clear,
    press,
    recheck,
    republish,
    unplayable,
)
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.videos.wording import why_failed


def by_record(case: CaseFile) -> Finding:
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


def _temporary(case: CaseFile) -> Finding:
    if not case.owner.has_temporary_asset and case.owner.mux_asset_id:
        said = "It has a temporary playback id, so it does not play and is not on sale. Mux is asked for the true one by itself; “Republish” does it now."
        return Finding("temporary_id", said, "trouble", republish(case))
    if case.row is not None and (case.row.mux_asset_id or case.row.upload_id):
        said = "It has a temporary video id that Mux does not know, but its upload is on record: “Republish” finds the true one."
        return Finding("temporary_id", said, "trouble", republish(case))
    said = "It has a temporary video id that Mux never knew, and no upload is on record. Run fix-lessons; if that finds nothing, clear it and ask for a new upload."
    return Finding("temporary_id", said, "trouble", clear(case))


def _none(case: CaseFile) -> Finding:
    if case.row is not None and case.row.status == "cancelled":
        said = "The upload was cancelled by a person here. A new one can begin any time."
        return Finding("cancelled", said, "fine", UPLOAD)
    if case.row is None and case.withdrawn:
        last = case.withdrawn[-1]
        if last.is_held:
            return Finding("no_video", "No video plays here, and none is on its way.", "fine", UPLOAD)
        said = f"{last.began} lost the right to this {case.owner.kind} on {last.since}, before the file of an upload was at Mux. That upload was cancelled; a new one can begin any time."
        return Finding("right_lost", said, "fine", UPLOAD)
    return Finding("no_video", "No video was ever uploaded here.", "fine", UPLOAD)


def held(case: CaseFile) -> Iterator[Finding]:
    """Files that wait for a decision of staff, each with both answers."""
    for one in case.withdrawn:
        if not one.is_held:
            continue
        ids = (one.row.id,)
        said = f"{one.began} started this upload and lost the right to this {case.owner.kind} on {one.since}; the file arrived afterwards. It is held: nobody sees it."
        yield Finding(
            "held",
            said,
            "trouble",
            Button("Take it over", "take_over", "tracking", ids),
            Button("Delete it at Mux", "clear_asset", "tracking", ids),
        )


def _uploading(case: CaseFile) -> Finding:
    if case.expired:
        said = f"The upload address was given out {case.age} ago and has expired. Ask Mux once more, then ask the teacher to upload again."
        return Finding("url_expired", said, "trouble", recheck(case))
    if case.row is not None and case.row.bytes_in_at is not None:
        said = f"The browser says that everything is sent ({case.since_bytes} ago); Mux has not confirmed it yet."
        return Finding("bytes_sent", said, "trouble" if case.stuck else "waiting", recheck(case))
    said = f"The upload address was given out {case.age} ago and no file has been heard of: the upload still runs, the page was closed, or a message was lost."
    return Finding("no_bytes", said, "trouble" if case.stuck else "waiting", recheck(case))


def _processing(case: CaseFile) -> Finding:
    at = f", {case.progress} % done at the last look" if case.progress is not None else ""
    if case.stuck:
        said = f"Mux has been preparing this video for {case.age}{at}. That is slow, but it is still watched.{_then(case)}"
        return Finding("preparing_slowly", said, "trouble", recheck(case))
    said = f"Mux is preparing this video ({case.age} so far{at}). That is normal.{_then(case)}"
    return Finding("preparing", said, "waiting", recheck(case))


def _then(case: CaseFile) -> str:
    if not isinstance(case.owner, Lesson):
        return ""
    return " Then it is published by itself." if case.owner.publish_on_ready else " Then it stays a draft."


def _ready(case: CaseFile) -> Finding:
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


def replacement(case: CaseFile) -> Finding:
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


def _failed(case: CaseFile) -> Finding:
    error = case.owner.video_error_type
    if error in ("no_playback_id", "wrong_policy"):
        return unplayable(case, error)
    cause = FAILURES.get(error or "", "asset_errored")
    said = why_failed(error, case.owner.video_error_message)
    if cause == "upload_errored" and case.owner.video_error_message:
        said = f"{said} Mux says: {case.owner.video_error_message}"
    return Finding(cause, said, "trouble", clear(case))


def _deleting(case: CaseFile) -> Finding:
    deletion = case.deletion
    if deletion is not None and deletion.last_error:
        said = f"The video is being deleted; Mux has not done it yet ({deletion.last_error}). It is tried again by itself."
        return Finding("deletion_pending", said, "waiting", recheck(case, "Try now"))
    if deletion is not None and case.in_grace:
        said = "The video was cleared and is kept at Mux for the grace time; then it is deleted by itself."
        return Finding("deletion_pending", said, "waiting")
    return Finding("deletion_pending", "The video is being deleted at Mux.", "waiting", recheck(case))
