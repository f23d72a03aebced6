"""The timeline's words: audit actions, events and calls as short sentences, details as one plain line. Pure."""

import uuid
from collections.abc import Mapping
from typing import Any

from lessonadmin.domain.prices import money
from lessonadmin.text.ids import as_id
from lessonadmin.text.texts import plain

AUDIT_WORDS = {
    "lesson.created": "Created the lesson",
    "lesson.updated": "Changed the lesson",
    "lesson.published": "Published",
    "lesson.unpublished": "Moved to draft",
    "lesson.publish_requested": "Set to publish when the video is ready",
    "lesson.publish_withdrawn": "Turned off automatic publishing",
    "lesson.times_changed": "Changed when the lesson is published or unpublished",
    "lesson.publication_late": "Its time to be published came too early",
    "lesson.publication_at_risk": "Told the instructor that its video may not be ready in time",
    "lesson.deleted": "Deleted the lesson",
    "lesson.restored": "Restored the lesson from the trash",
    "lesson.deleted_permanently": "Deleted the lesson permanently",
    "lesson.preview_link_created": "Created a preview link",
    "lesson.preview_link_ended": "Ended a preview link",
    "lesson.file_added": "Added a file for students",
    "lesson.file_removed": "Removed a file for students",
    "lesson.file_restored": "Restored a file for students",
    "lesson.handed_over": "Gave the lesson to another instructor",
    "course.created": "Created the course",
    "course.updated": "Changed the course",
    "course.deleted": "Deleted the course",
    "course.restored": "Restored the course from the trash",
    "course.deleted_permanently": "Deleted the course permanently",
    "course.reordered": "Put the lessons in another order",
    "course.sections_changed": "Changed the sections",
    "course.cover_chosen": "Chose the lesson whose picture the course has",
    "course.handed_over": "Gave the course to another instructor",
    "video.upload_started": "Upload started",
    "video.upload_resumed": "Upload continued",
    "video.upload_not_created": "Mux gave no address for an upload",
    "video.upload_cancelled": "Upload cancelled",
    "video.upload_again_asked": "Asked the instructor to upload again",
    "video.held": "A file arrived after its upload was withdrawn; it is held",
    "video.taken_over": "Took over the file that was held",
    "video.processing": "Mux has the file and works on it",
    "video.ready": "The video is ready",
    "video.failed": "The video failed",
    "video.replaced": "A new video took the place of the old one",
    "video.delete_requested": "Deletion of the video requested",
    "video.deleted": "The video is deleted",
    "video.let_go": "Removed here; the asset stays at Mux for another lesson or course",
    "video.restored": "Brought the cleared video back",
    "video.needs_attention": "The video is taking longer than usual",
    "video.playback_changed": "The video has another playback id",
    "video.picture_chosen": "Chose the picture",
    "video.playback_closed": "Its public playback id was closed at Mux",
    "video.captions_asked": "Requested captions from Mux",
    "video.captions_deleting": "Removed captions",
    "video.captions_checked": "Marked captions as checked",
    "video.captions_unchecked": "Took back that captions are checked",
    "video.captions_preparing": "Mux works on captions",
    "video.captions_ready": "Captions are ready",
    "video.captions_failed": "Captions failed",
    "video.captions_skipped": "Mux skipped captions: it heard no speech",
    "video.captions_deleted": "Captions were deleted",
    "purchase.made": "Bought",
    "purchase.given": "Gave the lesson to a student",
    "purchase.revoked": "Revoked a purchase",
    "purchase.restored": "Restored a purchase",
    "note.added": "Added a note",
}
ACTORS = {"webhook": "Mux (webhook)", "job": "background job", "cli": "command line"}
OPERATIONS = {
    "create_upload": "Requested an upload address from Mux",
    "get_upload": "Checked upload with Mux",
    "get_asset": "Checked video with Mux",
    "delete_asset": "Requested deletion at Mux",
    "captions_asked": "Requested captions from Mux",
    "captions_deleting": "Requested deletion of captions at Mux",
    "look": "Checked with Mux",
    "nothing to ask": "Had nothing to check with Mux",
}
OUTCOMES = {
    "applied": "",
    "no_change": "changed nothing",
    "ignored": "ignored",
    "unmatched": "unmatched: no upload here fits",
    "failed": "could not be applied",
}
# What Mux was found to say.
ANSWERS = {
    "upload_waiting": "Mux waits for the file",
    "upload_errored": "Mux could not use the file",
    "upload_cancelled": "the upload is cancelled",
    "upload_expired": "the time to upload is over",
    "asset_seen": "Mux is preparing the video",
    "asset_ready": "the video is ready",
    "asset_unplayable": "the video cannot be played",
    "asset_errored": "Mux could not process the video",
    "asset_deleted": "the video was deleted",
}
LABELS = {
    "by_itself": "automatically", "publish_on_ready": "publishes when ready", "only_forgotten": "nothing was at Mux",
    "at_mux": "at Mux", "upload_id": "upload", "asset_id": "asset", "playback_id": "playback id", "error_type": "error",
    "note_id": "note", "link_id": "link", "file_id": "file", "undo": "undone",
}  # fmt: skip
FINDERS = {"sweep": "checking with Mux", "manual": "a check on request", "webhook": "a message of Mux"}
HIDDEN = frozenset({"batch"})
NOTHING: tuple[object, ...] = (None, "", [], {})
PEOPLE = ("instructor", "to", "started_by", "student")  # of these the value is the id of an account
SHOWN_DETAILS = 8
MAX_WHOLE = 20_000


def actor_words(kind: str, email: str | None) -> str:
    if kind == "user":
        return email or "a removed account"
    return ACTORS.get(kind, kind)


def people_in(detail: Mapping[str, Any]) -> set[uuid.UUID]:
    """The accounts that an audit row names, by their ids."""
    texts = [*_values(detail), *_values(detail.get("before")), *_values(detail.get("after"))]
    return {found for text in texts if isinstance(text, str) and (found := as_id(text)) is not None}


def _values(detail: object) -> list[object]:
    """Of the keys that hold accounts."""
    return [detail[key] for key in PEOPLE if key in detail] if isinstance(detail, Mapping) else []


def naming(detail: Mapping[str, Any], emails: Mapping[uuid.UUID, str]) -> dict[str, Any]:
    """The same with the addresses that these accounts have now in the place of their ids."""
    named = dict(detail)
    for key, value in detail.items():
        if isinstance(value, Mapping) and key in ("before", "after"):
            named[key] = naming(value, emails)
        elif key in PEOPLE and isinstance(value, str):
            named[key] = emails.get(as_id(value) or uuid.UUID(int=0), value)
    return named


def details_of(detail: Mapping[str, Any]) -> str:
    """`key: value` for whatever an audit row carries, and that it was part of a bulk action."""
    before, after = detail.get("before"), detail.get("after")
    parts, shown = [], HIDDEN
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        parts = [_change(key, before.get(key), value) for key, value in after.items()]
        shown = HIDDEN | {"before", "after"}
    parts += [_named(key, value) for key, value in detail.items() if key not in shown]
    if "batch" in detail:
        parts.append(f"by bulk action {detail['batch']}")
    return "; ".join(parts[:SHOWN_DETAILS])


def changes_of(detail: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What a change changed, each field with its value before and after."""
    before, after = detail.get("before"), detail.get("after")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            (_key(key), _whole(key, before.get(key)), _whole(key, after.get(key)))
            for key in {**before, **after}
        ]
    return [] if before is None and after is None else [("", _whole("", before), _whole("", after))]


def rest_of(detail: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Everything else that an audit row carries, whole: each value, of a list one by one."""
    rest = {key: value for key, value in detail.items() if key not in ("before", "after")}
    return [
        (_key(key), [_whole(key, one) for one in (value if isinstance(value, list) else [value])])
        for key, value in rest.items()
    ]


def _key(key: str) -> str:
    return key.removesuffix("_cents").replace("_", " ")


def _whole(key: str, value: object) -> str:
    if value in NOTHING:
        return "nothing"
    if key.endswith("_cents") and isinstance(value, int):
        return money(value)
    return _value(value, max_length=MAX_WHOLE)


def _named(key: str, value: object) -> str:
    """`upload: abc`, `found by a message of Mux`, `price: 9.99`; what is only true needs no "yes"."""
    if key == "found_by":
        return f"found by {FINDERS.get(str(value), str(value))}"
    if key.endswith("_cents") and isinstance(value, int):
        return f"{key.removesuffix('_cents')}: {money(value)}"
    label = LABELS.get(key, key.replace("_", " "))
    if value is True and key in LABELS:
        return label
    said = str(value).replace("_", " ") if key == "error_type" else _value(value)
    return f"{label}: {said}"


def answer_words(detail: str) -> str:
    """What a call brought: one of Mux's answers in words, else what was written down."""
    return ANSWERS.get(detail, plain(detail))


def _change(key: str, before: object, after: object) -> str:
    """What a user changed: `title: “Old” → “New”`, and prices as they are read."""
    if key.endswith("_cents") and isinstance(before, int) and isinstance(after, int):
        return f"{key.removesuffix('_cents')}: {money(before)} → {money(after)}"
    return f"{key.replace('_', ' ')}: {_quoted(before)} → {_quoted(after)}"


def _quoted(value: object) -> str:
    if value in NOTHING:
        return "nothing"
    if isinstance(value, list):
        return plain(", ".join(_quoted(one) for one in value), max_length=200)
    return _value(value) if isinstance(value, bool | Mapping) else f"“{plain(str(value), max_length=80)}”"


def _value(value: object, max_length: int = 200) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {plain(str(one), max_length=80)}" for key, one in value.items())
    if isinstance(value, list):
        return plain(", ".join(map(str, value)), max_length=max_length)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value), max_length=max_length)


def event_words(row: Any) -> tuple[str, str, bool]:
    """Event, detail, and whether something is wrong with it."""
    parts = [OUTCOMES.get(row.outcome or "", row.outcome or "not applied yet")]
    if row.occurred_at is not None:
        late = (row.received_at - row.occurred_at).total_seconds()
        if late >= 5:
            parts.append(f"{round(late)} s after it happened")
    if row.attempts > 1:
        parts.append(f"{row.attempts} attempts")
    if row.error:
        parts.append(plain(row.error))
    return (
        f"Event {plain(row.type, max_length=80)}",
        "; ".join(filter(None, parts)),
        row.outcome in ("failed", "unmatched"),
    )


def call_words(operation: str, outcome: str) -> tuple[str, bool]:
    asked = OPERATIONS.get(operation, f"Called Mux ({operation})")
    return (asked, False) if outcome == "ok" else (f"{asked}: {outcome.replace('_', ' ')}", True)
