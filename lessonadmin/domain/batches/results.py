"""What can become of one row of a bulk action: a code, whether that changes the row, and one sentence for people.

The preview counts these codes with SQL, the run returns them row by row: both speak of the same things. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Status = Literal["done", "skipped", "failed", "later"]

DONE = {
    "publishes": "Published.",
    "intends": "Will be published automatically when its video is ready.",
    "unpublishes": "Moved to draft.",
    "withdraws": "Will no longer be published automatically.",
    "asks": "Mux is asked, and what it says is applied.",
    "deletes": "The video is removed here and at Mux.",
    "cancels": "The upload is cancelled.",
    "forgets": "What was left of a video is forgotten; there is none at Mux.",
    "restores": "The video is back, and the lesson or course is what it was before.",
    "restores_publication": "It is again what it was before.",
    "publishes_after_all": "It waits for its video again; the video is ready by now, so it is published.",
    "takes_over": "The file is taken over: it is processed like every upload, and then plays and publishes as the lesson is set.",
    "makes_captions": "Mux is asked to make captions.",
    "replays": "The event is applied again.",
    "moves": "It is moved to the end of the course.",
    "takes_out": "It is taken out of its course.",
    "restores_place": "It is back in its place.",
    "reprices": "It gets the new price.",
    "restores_price": "It has its former price again.",
    "trashes": "It goes to the trash.",
    "untrashes": "It is restored from the trash.",
    "untrashes_published": "It is restored from the trash and published.",
    "untrashes_as_draft": "It is restored from the trash as a draft, since its video does not play any more.",
}
SKIPPED = {
    "published_already": "It is published already.",
    "intended_already": "It waits for its video already and will then be published.",
    "not_saved": "Its instructor has not saved it yet: its title or price may be missing.",
    "draft_already": "It is a draft already, and nothing is promised.",
    "no_video": "It has no video.",
    "video_failed": "Its video failed; it needs a new upload, or “Re-sync and publish” if Mux has it after all.",
    "captions_there": "It has captions, or they are being made.",
    "no_playback_id": "Its video has no playback id; “Re-sync and publish” gets it from Mux.",
    "temporary": "It has a temporary video id that Mux does not know: run fix-lessons, or upload the video again.",
    "being_deleted": "Its video is being deleted.",
    "nothing_to_ask": "There is nothing at Mux to ask about.",
    "nothing_to_clear": "There is no video to remove.",
    "not_held": "No file of it is held.",
    "another_coming": "Another upload of the same lesson or course is running: cancel it first, or wait for it.",
    "too_late": "Its asset is deleted at Mux or about to be, or another video has taken its place.",
    "as_before": "It is already as it was before.",
    "changed_since": "It was changed since, so it is left as it is.",
    "video_gone": "Its video was deleted or does not play, so it cannot be published again.",
    "other_video": "It has another video since, so it is not published again.",
    "not_recorded": "What it was before was not recorded, so it cannot be undone.",
    "bought_since": "A student bought it after this was confirmed, so its video was not removed. Check the buyers before you remove it.",
    "in_course_already": "It is in this course already.",
    "in_no_course": "It is in no course.",
    "course_gone": "The course is not there any more, or is not yours.",
    "price_already": "It has this price already.",
    "bought": "A student bought it, so it cannot be deleted. Unpublish it instead: then it is withdrawn from sale, and students who bought it keep it.",
    "not_deleted": "It is not in the trash any more.",
    "missing": "It is not there any more.",
}
SENTENCES = DONE | SKIPPED
NOTHING_LEFT = "None of these lessons is there any more, so there is nothing to do."
# The same for instructors, where the words for staff name what only staff have.
FOR_OWNERS = {
    "not_saved": "It was never saved: open it, enter what is missing, and save it.",
    "video_failed": "Its video failed: upload it again.",
    "no_playback_id": "Its video has no playback id; support can fix this.",
    "temporary": "It has a temporary video id that Mux does not know: upload the video again.",
}


@dataclass(frozen=True)
class Result:
    """What became of one row. `later`: Mux did not answer, the row is tried again by itself. `before`: what the row was, for
    an undo."""

    status: Status
    note: str
    code: str = ""
    before: Mapping[str, object] | None = field(default=None, compare=False)


def of(code: str, note: str | None = None, *, before: Mapping[str, object] | None = None) -> Result:
    """The result that a code stands for, in its own words or in better ones. What was skipped has no `before`."""
    done = code in DONE
    return Result("done" if done else "skipped", note or SENTENCES[code], code, before if done else None)


def sentence(code: str, *, for_owner: bool) -> str:
    """The words of a code, for instructors or for staff."""
    return FOR_OWNERS.get(code, SENTENCES[code]) if for_owner else SENTENCES[code]


def in_words_for_owner(result: Result) -> Result:
    """The same result as instructors read it; a note of its own words stays."""
    if result.code not in FOR_OWNERS or result.note != SENTENCES[result.code]:
        return result
    return replace(result, note=FOR_OWNERS[result.code])


def failed(note: str) -> Result:
    return Result("failed", note, "failed")


def later(note: str) -> Result:
    return Result("later", note, "later")
