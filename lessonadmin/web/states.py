"""How states are shown: the word, icon and tone of each, for badges, lists, filters and charts alike.

Jinja has `state_of` as a global. A state that the table does not know is shown by its own name; nothing is decided here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Flask


@dataclass(frozen=True)
class State:
    """`tone`: '' good warn bad busy accent quiet. `option`: what a filter calls it, where that is not its word."""

    word: str
    icon: str = ""
    tone: str = ""
    option: str = ""


LESSON = {
    "draft": State("Draft", "draft"),
    "published": State("Published", "done", "good"),
}
# What an upload and the video of its owner have in common.
MOVING = {
    "uploading": State("Uploading", "upload", "busy"),
    "processing": State("Processing", "processing", "busy"),
    "ready": State("Ready", "play", "good"),
    "deleting": State("Deleting", "trash", "warn"),
}
VIDEO = {
    **MOVING,
    "none": State("No video", "circle"),
    "error": State("Failed", "error", "bad"),
    "stuck": State("Stuck", "warning", "warn"),
    "no_file": State("File not arrived", "warning", "warn"),
    "replacement_stuck": State("New video late", "warning", "warn"),
    "replacement_no_file": State("New file missing", "warning", "warn"),
}
CAPTIONS = {
    "none": State("No captions", "circle"),
    "preparing": State("Captions soon", "captions", "busy"),
    "ready": State("Captions", "captions", "good"),
    "failed": State("Captions failed", "captions", "warn"),
    "skipped": State("No speech", "captions"),
}
# Why something needs attention.
ATTENTION = {
    "failed": VIDEO["error"],
    "deleted_at_mux": State("Deleted at Mux"),
    "unplayable": State("Unplayable"),
    "missing_at_mux": State("Missing at Mux"),
    "refused": State("Refused by Mux"),
    "no_file": VIDEO["no_file"],
    "stuck": VIDEO["stuck"],
    "held": State("File held"),
}
UPLOAD = {
    **MOVING,
    "error": State("Failed", "error", "bad", option="Error"),
    "cancelled": State("Cancelled", "close"),
    "deleted": State("Deleted", "trash"),
}
EVENT = {
    "waiting": State("Waiting", "clock", "busy"),
    "applied": State("Applied", "done", "good"),
    "no_change": State("No change", "check"),
    "ignored": State("Ignored", "dot"),
    "unmatched": State("Unmatched", "warning", "warn"),
    "failed": State("Failed", "error", "bad"),
}
DELETION = {
    "pending": State("Pending", "clock", "busy"),
    "failing": State("Failing", "warning", "warn"),
    "gone": State("Gone", "done", "good"),
}
BATCH = {
    "open": State("Waiting", "clock", "busy", option="Open"),
    "running": State("Running", "processing", "busy"),
    "stopped": State("Stopped", "pause", "warn"),
    "done": State("Done", "done", "good"),
    "undone": State("Undone", "undo"),
    "partly_undone": State("Partly undone", "undo"),
}
BATCH_ROW = {
    "open": State("Waiting", "clock"),
    "running": State("Running", "processing", "busy"),
    "done": State("Done", "done", "good"),
    "skipped": State("Skipped", "arrow-right"),
    "failed": State("Failed", "error", "bad"),
}
ACCOUNT = {
    "active": State("Active", "check", "good"),
    "disabled": State("Disabled", "lock", "warn"),
    "invited": State("Invited", "mail", ""),
    "deleted": State("Deleted", "trash", ""),
}
PURCHASE = {
    "bought": State("Bought", "done", "good"),
    "given": State("Given", "check", "accent"),
    "revoked": State("Revoked", "lock", "warn"),
}
# A level of a line of the doctor.
CHECK = {
    "ok": State("Good", "done", "good"),
    "warn": State("Warning", "warning", "warn"),
    "FAIL": State("Fails", "error", "bad"),
}
# Uploads that began, how they ended, and who found out that a video is ready, what was watched and sold: series of charts.
BEGUN = {"": State("Uploads", tone="accent")}
WATCHED = {"": State("Minutes watched", tone="accent")}
SOLD = {"": State("Sales", tone="good")}
ENDED = {
    "ready": State("Ready", tone="good"),
    "cancelled": State("Cancelled by user", tone="quiet"),
    "asset_errored": State("Failed at Mux", tone="bad"),
    "upload_timed_out": State("Not finished in time", tone="warn"),
    "upload_errored": State("Unusable file", tone="bad"),
    "upload_cancelled": State("Cancelled at Mux", tone="warn"),
    "no_playback_id": State("No playback id", tone="bad"),
    "wrong_policy": State("Wrong policy", tone="bad"),
}
FOUND = {
    "webhook": State("Detected by webhook", tone="good"),
    "sweep": State("Found by asking", tone="warn"),
    "manual": State("Found by hand", tone="busy"),
}
TABLE: Mapping[str, Mapping[str, State]] = {
    "lesson": LESSON,
    "video": VIDEO,
    "captions": CAPTIONS,
    "attention": ATTENTION,
    "upload": UPLOAD,
    "event": EVENT,
    "deletion": DELETION,
    "batch": BATCH,
    "batch_row": BATCH_ROW,
    "account": ACCOUNT,
    "purchase": PURCHASE,
    "check": CHECK,
    "begun": BEGUN,
    "watched": WATCHED,
    "sold": SOLD,
    "ended": ENDED,
    "found": FOUND,
}


def state_of(kind: str, name: str | None) -> State:
    """How a state of this kind is shown."""
    return TABLE[kind].get(name or "") or State(name or "–", "dot")


def options(kind: str, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """These states as a filter offers them."""
    shown = ((name, state_of(kind, name)) for name in names)
    return tuple((name, state.option or state.word) for name, state in shown)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["state_of"] = state_of
