"""Video states and failures in plain words: what happened, and what to do. One sentence a thing, for every surface."""

from datetime import UTC, datetime

from lessonadmin import mux
from lessonadmin.domain import school_time
from lessonadmin.domain.videos.state_machine import NOT_BEGUN

FAILURE_SENTENCES = {
    "upload_timed_out": "The upload was not finished in time, so Mux closed it. Please upload the video again.",
    "upload_errored": "Mux could not use the file that was uploaded. Please check that it plays and upload it again.",
    "upload_cancelled": "The upload was cancelled at Mux. Please upload the video again.",
    "no_playback_id": "The video has no playback id at Mux. Support can fix this with “Re-sync and publish”.",
    "wrong_policy": "The video has another playback policy at Mux than requested. Support can fix this.",
    "deleted_at_mux": "The video was deleted at Mux. Please upload it again.",
    "asset_errored": "Mux could not process this video.",
}

NO_REASON = "Mux gave no address to upload to."
# Why another upload is asked for.
REASONS_FOR_ANOTHER = {
    "upload_timed_out": "The upload was not finished in time.",
    "upload_errored": "Mux could not use the file that arrived; please check that it plays.",
    "upload_cancelled": "The upload was cancelled at Mux.",
    "deleted_at_mux": "The video was deleted at Mux.",
    NOT_BEGUN: "The last upload could not begin; the file was not the cause.",
}
# error type -> the same as the few words below a badge in a list
FAILURES_IN_SHORT = {
    "upload_timed_out": "Mux received no complete file",
    "upload_errored": "Mux could not use the file",
    "upload_cancelled": "The upload was cancelled at Mux",
    "no_playback_id": "Mux gave the video no playback address",
    "wrong_policy": "The video has the wrong playback policy",
    "deleted_at_mux": "Deleted at Mux, not in Lessonadmin",
    "asset_errored": "Mux could not process the file",
    NOT_BEGUN: "The upload could not begin",
}
# how the call for an upload address ended -> why there is no upload
REFUSALS = {
    "auth_error": "Mux refused the upload: access token",
    "quota": "Mux refused the upload: the limit of the plan",
    "unknown": "Mux refused the upload",
    **dict.fromkeys(
        ("timeout", "network", "server_error", "rate_limit"), "Mux did not answer when the upload began"
    ),
}
LATE = {
    "uploading": "Mux has received no complete file yet",
    "processing": "Mux is still processing the file",
}
NO_FILE = "The file has not arrived"
HELD = "A file is held until support decides"

CAPTIONS_SENTENCES = {
    "none": "This video has no captions.",
    "preparing": "Captions{in_language} will be ready soon. The video plays meanwhile.",
    "ready": "Captions{in_language} are in the player.",
    "failed": "Mux could not make captions for this video.",
    "skipped": "Mux heard no speech in this video, so it made no captions.",
}

STATUS_SENTENCES = {
    "none": "There is no video yet.",
    "uploading": "Mux is waiting for the file.",
    "processing": "Mux is processing the video.",
    "ready": "The video is ready.",
    "deleting": "The video is being deleted.",
}
TEMPORARY = "The video has a temporary id and does not play; the true one is looked up at Mux automatically."
REPLACEMENT_SENTENCES = {
    "uploading": "Mux is waiting for the file of its replacement.",
    "processing": "Mux is processing its replacement.",
}

# kind of notice -> (about one thing, about several of the same cause)
HEADLINES = {
    "lesson_published": ("Your lesson is published", "{} lessons are published"),
    "video_ready": ("Your video is ready", "{} videos are ready"),
    "video_failed": ("A video failed", "{} videos failed"),
    "needs_attention": ("A video is taking longer than usual", "{} videos are taking longer than usual"),
    "video_deleted": ("A video was deleted", "{} videos were deleted"),
    "upload_again": ("Please upload a video again", "Please upload {} videos again"),
    "lesson_given": ("Access to a lesson", "Access to {} lessons"),
    "lesson_revoked": ("Access to a lesson was revoked", "Access to {} lessons was revoked"),
    "lesson_new_video": ("A lesson of yours has a new video", "{} lessons of yours have new videos"),
    "lesson_withdrawn": ("A lesson of yours left the catalogue", "{} lessons of yours left the catalogue"),
    "course_new_lesson": ("A course of yours has a new lesson", "{} courses of yours have new lessons"),
    "publication_time": ("The time of a lesson", "The times of {} lessons"),
    "account": ("Your account was changed", "{} changes of your account"),
    "alarm": ("Lessonadmin needs attention", "{} things in Lessonadmin need attention"),
}
# cause -> the same, where it says more than the kind
HEADLINES_BY_CAUSE = {
    "held": ("A file is held until you decide", "{} files are held until you decide"),
    "no_file": ("The file of a video has not arrived", "The files of {} videos have not arrived"),
    "stuck_for_staff": ("A lesson is stuck", "{} lessons are stuck"),
    "publication_at_risk": (
        "A lesson may not be published in time",
        "{} lessons may not be published in time",
    ),
    "publication_late": (
        "A lesson is published later than planned",
        "{} lessons are published later than planned",
    ),
    "publication_missed": (
        "A lesson was not published in its time",
        "{} lessons were not published in their time",
    ),
    "unpublished_in_time": ("A lesson was unpublished as planned", "{} lessons were unpublished as planned"),
}
# What a message says first and its headline has said, with the title
SAID_BY_THE_HEADLINE = ("“{}” is published.", "The video of “{}” is ready.", "The video of “{}” failed.")
# cause -> what it did to several videos at once
FAILURE_SENTENCES_FOR_MANY = {
    "upload_timed_out": "Their uploads were not finished in time, so Mux closed them. Please upload the videos again.",
    "upload_errored": "Mux could not use the files that were uploaded. Please check that they play and upload them again.",
    "upload_cancelled": "Their uploads were cancelled at Mux. Please upload the videos again.",
    "asset_errored": "Mux could not process them. Please check that the files play and upload them again.",
    "no_playback_id": "They have no playback id at Mux. Support can fix this with “Re-sync and publish”.",
    "wrong_policy": "They have another playback policy at Mux than requested. Support can fix this.",
    "deleted_at_mux": "They were deleted at Mux. Please upload them again.",
    "held": "They arrived after their uploaders had lost the right to them. No user sees them until you decide.",
    "stuck_for_staff": "Their videos take longer than usual. Open each one to see why, and what to do.",
    "no_file": "Go on with each in the browser where its upload began, or choose its file again.",
    "publication_at_risk": "Their videos will hardly be ready at the times that you set. Open each one to see what is missing.",
    "publication_late": "Something was missing at the times that you set. Each is published as soon as that has changed.",
    "publication_missed": "They could not be published in the times that you set. They are drafts now.",
    "unpublished_in_time": "The times that you set are over. Their buyers can still watch them.",
    "stuck": "They are still being checked. If you closed a page during its upload, upload that video again.",
}
OTHER_HEADLINES = ("News from Lessonadmin", "{} news from Lessonadmin")


def why_failed_in_short(error_type: str | None) -> str:
    """What went wrong, as few words for a row of a list."""
    return FAILURES_IN_SHORT.get(error_type or "", FAILURES_IN_SHORT["asset_errored"])


def why_attention(cause: str, detail: str | datetime | None) -> str:
    """Why something needs a person, as one short sentence for a row of a list.

    `detail`: of what failed or is unplayable its error type, of what is missing since when, of what was refused how the
    call ended, of what is stuck the state of its upload.
    """
    if isinstance(detail, datetime):
        return f"Missing at Mux since {detail.astimezone(UTC):%-d %b}"
    said = {
        "held": HELD,
        "missing_at_mux": "Missing at Mux",
        "refused": REFUSALS.get(detail or "", FAILURES_IN_SHORT[NOT_BEGUN]),
        "no_file": NO_FILE,
        "stuck": LATE.get(detail or "", LATE["processing"]),
    }
    return said.get(cause) or why_failed_in_short("deleted_at_mux" if cause == "deleted_at_mux" else detail)


def no_file(title: str, *, since: datetime, until: datetime | None, beside: bool) -> str:
    """What the owner of an upload without a file is told. `beside`: a video plays meanwhile."""
    which = "new video" if beside else "video"
    last = f" until {school_time.in_words(until)}" if until is not None else ""
    return (
        f"The file of the {which} of “{title}” has not arrived: Mux has been waiting for it since {school_time.in_words(since)}."
        f" Open its page in the browser where the upload began to go on with it{last}, or choose the file again."
    )


def headline(kind: str, count: int = 1, cause: str | None = None) -> str:
    """What a notice is about, for a subject line or above a digest."""
    one, many = HEADLINES_BY_CAUSE.get(cause or "") or HEADLINES.get(kind, OTHER_HEADLINES)
    return one if count == 1 else many.format(count)


def beyond_headline(message: str, title: str) -> str:
    """What a message says that its headline and title have not said."""
    for said in SAID_BY_THE_HEADLINE:
        message = message.removeprefix(said.format(title))
    return message.strip()


def why_many(cause: str | None) -> str:
    """What several have in common, in one sentence; nothing is known of causes of tomorrow."""
    return FAILURE_SENTENCES_FOR_MANY.get(cause or "", "")


def why_again(status: str, error_type: str | None) -> str:
    """Why an instructor is asked to upload again, in one sentence; nothing where they gave up themselves."""
    if status == "uploading":
        return "Mux has received no complete file."
    if status == "error" and error_type not in REASONS_FOR_ANOTHER:
        return "Mux could not process the file; please check that it plays."
    return REASONS_FOR_ANOTHER.get(error_type or "", "")


# What Mux was found to say when a person asked: (nothing new, something new).
ANSWERS = {
    "uploading": ("Mux is still waiting for the file.", "Mux is waiting for the file."),
    "processing": ("Mux has the file and is still preparing the video.", "Mux has the file and is preparing the video."),
    "ready": ("The video is ready at Mux, as it is here.", "The video is ready at Mux, and plays now."),
    "deleting": ("Mux has not deleted the video yet.", "The video is being deleted at Mux."),
    "none": ("Mux has no video for it.", "Mux has no video for it any more."),
}  # fmt: skip


def answer_of_mux(status: str, *, changed: bool, error_type: str | None, message: str | None) -> str:
    """What was found when Mux was asked, and that it was just now."""
    if status == "error":
        said = why_failed(error_type, message)
        return f"{said if changed else f'Mux says nothing new. {said}'} Asked just now."
    said = ANSWERS.get(status, ("Mux says nothing new.", "Mux had news."))[changed]
    return f"{said} Asked just now."


def why_failed(error_type: str | None, message: str | None) -> str:
    """What went wrong and what to do, with Mux's own words where there are any."""
    said = (message or "").strip()
    if error_type == NOT_BEGUN:
        return f"The upload could not begin, for a reason that has nothing to do with the file: {said or NO_REASON}"
    if error_type in FAILURE_SENTENCES and error_type != "asset_errored":
        return FAILURE_SENTENCES[error_type]
    if said:
        return f"Mux could not process this video: {said.rstrip('.')}. Please check the file and upload it again."
    return "Mux could not process this video. Please check that the file plays and upload it again."


def language_name(code: str | None) -> str:
    """As people call it; "" while it is not known, and its code if Mux makes no captions in it."""
    return "" if code in (None, mux.AUTOMATIC) else mux.LANGUAGES.get(str(code), str(code))


def languages_by_name() -> list[tuple[str, str]]:
    """Code and name of each that Mux makes captions in."""
    named = [pair for pair in mux.LANGUAGES.items() if pair[0] != mux.AUTOMATIC]
    return sorted(named, key=lambda pair: pair[1])


def captions_sentence(status: str, language: str | None) -> str:
    """How the captions of a video stand; the language by its name, once it is known."""
    name = language_name(language)
    in_language = f" in {name}" if name else ""
    return CAPTIONS_SENTENCES[status].format(in_language=in_language)
