"""The causes that the local rows name, each with its sentence and buttons, state by state.

These functions read facts that are gathered already; they ask neither the database nor Mux. What Mux last said, and when,
is one of the facts.
"""

from collections.abc import Iterator

from lessonadmin.domain import school_time
from lessonadmin.domain.diagnosis.facts import Answer, VideoFacts
from lessonadmin.domain.diagnosis.finding import (
    DOCTOR,
    UPLOAD,
    Button,
    Finding,
    Severity,
    ask_again,
    cancel_upload,
    check,
    press,
    republish,
)
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.videos.wording import why_failed

# An answer that is older than this is worth asking for again before anyone else is asked for anything.
FRESH_SECONDS = 900


def unplayable(case: VideoFacts, cause: str) -> Finding:
    said = {
        "no_playback_id": "The video has no playback id at Mux, so it cannot be played. Add one in the Mux dashboard, then press “Re-sync and publish”.",
        "wrong_policy": "The video has another playback policy at Mux than requested. “Re-sync and publish” accepts it as it is.",
    }[cause]
    return Finding(cause, said, "trouble", (republish(case),))


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
        said = "It has a temporary playback id, so it does not play and is not on sale. Mux is asked for the true one automatically; “Re-sync and publish” does it now."
        return Finding("temporary_id", said, "trouble", (republish(case),))
    if case.shown is not None and (case.shown.mux_asset_id or case.shown.upload_id):
        said = "It has a temporary video id that Mux does not know, but its upload is known: “Re-sync and publish” finds the true one."
        return Finding("temporary_id", said, "trouble", (republish(case),))
    said = f"It has a temporary video id that Mux never knew, and no upload is known. If fix-lessons finds nothing, {case.instructor} must upload the video again."
    return Finding(
        "temporary_id", said, "trouble", (ask_again(case), press(case, "clear_asset", "Remove video"))
    )


def _none(case: VideoFacts) -> Finding:
    if case.not_begun is not None:
        return not_begun(case)
    if case.shown is not None and case.shown.status == "cancelled":
        said = "The upload was cancelled here. A new one can begin any time."
        return Finding("cancelled", said, "fine", (UPLOAD,))
    if case.shown is None and case.withdrawn:
        last = case.withdrawn[-1]
        if last.is_held:
            return Finding(
                "no_video", "No video plays here, and none is uploading or processing.", "fine", (UPLOAD,)
            )
        said = f"{last.began} lost the right to this {case.owner.kind} on {last.since}, before the file of an upload was at Mux. That upload was cancelled; a new one can begin any time."
        return Finding("right_lost", said, "fine", (UPLOAD,))
    return Finding("no_video", "No video was ever uploaded here.", "fine", (UPLOAD,))


# Categories of a call for an upload address whose cause goes on until an operator removes it.
LASTING = {
    "auth_error": ("wrong_token", "Mux did not accept Lessonadmin’s access token"),
    "quota": ("plan_used_up", "the limit of the Mux plan is reached"),
}


def not_begun(case: VideoFacts) -> Finding:
    """Mux gave no address for the newest upload: that is never the fault of the file."""
    refused = case.not_begun
    if refused is None:
        raise ValueError("an upload that could not begin is needed")
    when = f"{case.instructor} tried to upload “{refused.upload.filename}”" if refused.upload.filename else f"{case.instructor} tried to upload a video"  # fmt: skip
    lasting = LASTING.get(refused.category or "")
    if lasting is not None:
        cause, why = lasting
        said = f"{when}, but {why}, so no upload began. The file is not the cause. Once the doctor finds Mux in order, ask for it again."
        return Finding(cause, said, "trouble", (DOCTOR, ask_again(case)))
    said = f"{when}, but Mux gave no address to upload to, so no upload began. The file is not the cause; {case.instructor} must choose it again."
    if refused.upload.error_message:
        said = f"{said} What happened: {refused.upload.error_message}"
    return Finding("upload_not_begun", said, "trouble", (ask_again(case),))


def held(case: VideoFacts) -> Iterator[Finding]:
    """Files that wait for a decision of staff, each with both answers."""
    for one in case.withdrawn:
        if not one.is_held:
            continue
        ids = (one.upload.id,)
        said = f"{one.began} started this upload and lost the right to this {case.owner.kind} on {one.since}; the file arrived afterwards. It is held: only staff see it."
        take = Button("Take it over", "take_over", "tracking", ids)
        yield Finding(
            "held", said, "trouble", (take, Button("Delete it at Mux", "clear_asset", "tracking", ids))
        )


def _uploading(case: VideoFacts) -> Finding:
    if case.expired:
        said = f"Upload started {case.age} ago; the time to finish it is over. Check with Mux whether the file arrived at the last moment; if not, {case.instructor} must choose it again."
        return Finding("url_expired", said, "trouble", (check(case), ask_again(case)))
    answer = case.no_file_at_mux
    severity: Severity = "trouble" if case.stuck else "waiting"
    if answer is not None:
        return _no_file(case, answer)
    if case.shown is not None and case.shown.bytes_in_at is not None:
        said = f"The browser finished sending {case.since_bytes} ago; Mux has not confirmed it yet."
        return Finding("bytes_sent", said, severity, (check(case),))
    said = f"Upload started {case.age} ago; no file has arrived. Check with Mux whether it has one."
    return Finding("no_bytes", said, severity, (check(case),))


def _no_file(case: VideoFacts, answer: Answer) -> Finding:
    """Mux was asked and waits for the file: nothing was lost on the way, so only the browser can bring it."""
    sent = case.watched is not None and case.watched.bytes_in_at is not None
    said = f"Mux has received no complete file. {answer.asked}"
    if sent:
        said = f"{said} The browser said {case.since_bytes} ago that everything was sent."
    if case.stuck:
        said = f"{said} {case.instructor} must choose the file again." if sent else _not_arrived(case, answer)
        buttons = (ask_again(case), cancel_upload(), check(case))
        if answer.seconds > FRESH_SECONDS:
            buttons = (check(case), ask_again(case), cancel_upload())
        return Finding("no_file", said, "trouble", buttons)
    said = f"{said} Upload started {case.age} ago and may still be running; if its page was closed, {case.instructor} must choose the file again."
    return Finding("no_file", said, "waiting", (check(case), ask_again(case), cancel_upload()))


def _not_arrived(case: VideoFacts, answer: Answer) -> str:
    """Its instructor alone can bring the file, and hears of it once."""
    upload = case.watched
    until = upload.expires_at if upload is not None else None
    told = upload.attention_at if upload is not None else None
    last = f" until {school_time.in_words(until)}" if until is not None else ""
    heard = f" They were told on {school_time.in_words(told)}." if told is not None else ""
    return (
        f"The file of the {case.noun} has not arrived: Mux has been waiting for it for {case.age}. {answer.asked} {case.instructor} can go on"
        f" with it in the browser where the upload began{last}, or choose the file again.{heard}"
    )


def _processing(case: VideoFacts) -> Finding:
    at = f", {case.progress} % done" if case.progress is not None else ""
    answer = case.answer
    asked = f" {answer.asked}" if answer is not None else ""
    if case.stuck:
        said = f"Mux has been preparing this video for {case.age}{at}. That is slow; Mux is asked about it regularly.{asked}{_then(case)}"
        return Finding("preparing_slowly", said, "trouble", (check(case),))
    said = f"Mux is preparing this video ({case.age} so far{at}). That is normal.{asked}{_then(case)}"
    return Finding("preparing", said, "waiting", (check(case),))


def _then(case: VideoFacts) -> str:
    if not isinstance(case.owner, Lesson):
        return ""
    if not case.owner.publish_on_ready:
        return " Then it stays a draft."
    at = case.owner.publish_not_before
    return f" Publishes when ready{f', not before {school_time.in_words(at)}' if at is not None else ''}."


def _ready(case: VideoFacts) -> Finding:
    if not case.owner.mux_playback_id:
        return unplayable(case, "no_playback_id")
    lesson = case.owner if isinstance(case.owner, Lesson) else None
    draft = lesson is not None and lesson.status != "published"
    if lesson is not None and draft and lesson.publish_on_ready and lesson.publish_not_before is not None:
        at = school_time.in_words(lesson.publish_not_before)
        said = f"The video is ready; the lesson is published on {at}, as its instructor planned."
        return Finding("planned", said, "waiting", (press(case, "publish", "Publish now"),))
    if lesson is not None and draft and lesson.publish_on_ready:
        said = "The video is ready and the lesson was to be published automatically, but that did not happen."
        return Finding("promise_unkept", said, "trouble", (press(case, "publish", "Publish"),))
    if case.is_replacement and case.stuck:
        return replacement(case)
    if draft:
        said = "The video is ready; the lesson is a draft, as its instructor wants it."
        return Finding("draft", said, "fine", (press(case, "publish", "Publish"),))
    if lesson is not None:
        return Finding("published", "It is published and plays. There is nothing to do.", "fine")
    return Finding("fine", "The preview plays. There is nothing to do.", "fine")


def captions(case: VideoFacts) -> Iterator[Finding]:
    """Why the video that plays has no captions, if some were asked for."""
    upload = case.shown
    if upload is None or upload.status != "ready":
        return
    if upload.captions == "failed":
        said = f"It has no captions: Mux was to make them and did not. {case.captions_error}"
        yield Finding("captions_failed", said, "trouble", (check(case),))
    elif upload.captions == "skipped":
        said = "It has no captions: Mux heard no speech in the video and skipped them."
        yield Finding("captions_skipped", said, "fine")
    elif upload.captions == "preparing":
        said = "Mux is making its captions; that takes longer than the video itself. It is asked about them regularly."
        yield Finding("captions_preparing", said, "waiting", (check(case),))


def replacement(case: VideoFacts) -> Finding:
    """A new video beside one that plays: on its way as it should be, or late."""
    if not case.stuck:
        said = "A new video is uploading or processing; the current one plays until it is ready."
        return Finding("replacement", said, "waiting")
    kept = "The current video plays until then."
    answer = case.no_file_at_mux if case.watched_status == "uploading" else None
    if answer is not None:
        said = f"The new video is late. {_not_arrived(case, answer)} {kept}"
        return Finding("replacement_late", said, "trouble", (ask_again(case), cancel_upload(), check(case)))
    if case.watched_status == "processing":
        so_far = f"Mux has been preparing it for {case.age}"
    elif case.watched is not None and case.watched.bytes_in_at is not None:
        so_far = f"the browser finished sending {case.since_bytes} ago, and Mux has not confirmed it"
    else:
        so_far = f"its upload started {case.age} ago, and no file has arrived"
    return Finding("replacement_late", f"The new video is late: {so_far}. {kept}", "trouble", (check(case),))


FAILURES = {
    "upload_timed_out": ("url_expired", "The upload was not finished in time, so Mux closed it."),
    "upload_errored": ("upload_errored", "Mux could not use the file that was uploaded."),
    "upload_cancelled": ("cancelled_elsewhere", "The upload was cancelled at Mux, not here."),
    "deleted_at_mux": ("deleted_at_mux", "The video was deleted at Mux, not here."),
}


def _failed(case: VideoFacts) -> Finding:
    error, message = case.owner.video_error_type, case.owner.video_error_message
    if error in ("no_playback_id", "wrong_policy"):
        return unplayable(case, error)
    if error not in FAILURES:
        said = f"{why_failed(error, message)} {case.instructor} has to do that."
        return Finding("asset_errored", said, "trouble", (ask_again(case), check(case)))
    cause, said = FAILURES[error]
    if cause == "upload_errored" and message:
        said = f"{said} Mux says: {message}"
    said = f"{said} {case.instructor} must upload it again."
    return Finding(cause, said, "trouble", (ask_again(case), check(case)))


def _deleting(case: VideoFacts) -> Finding:
    deletion = case.deletion
    if deletion is not None and deletion.last_error:
        said = f"The video is being deleted; Mux has not done it yet ({deletion.last_error}). It is tried again automatically."
        return Finding("deletion_pending", said, "waiting", (check(case),))
    if deletion is not None and case.in_grace:
        said = (
            "The video was removed and is kept at Mux for the grace time; then it is deleted automatically."
        )
        return Finding("deletion_pending", said, "waiting")
    return Finding("deletion_pending", "The video is being deleted at Mux.", "waiting", (check(case),))
