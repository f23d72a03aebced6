"""The switches: what Mux leaves unknown, or has in more than one way, can be turned here.

Each has a careful default (the variant that asks most of a client, unless Mux documents otherwise). They are kept in
the state file; what the command line or a constructor gives explicitly wins at start.
"""

import math
from dataclasses import dataclass
from typing import Any

from muxsim.checks import LANGUAGES
from muxsim.store import Store


@dataclass(frozen=True)
class Switch:
    """One switch: its default, what it may be, and a sentence for the page."""

    default: Any
    choices: tuple[Any, ...]
    says: str


NUMBER: tuple[Any, ...] = ()
SWITCHES: dict[str, Switch] = {
    "processing_seconds": Switch(8.0, NUMBER, "simulated seconds from the last byte to ready"),
    "hold_processing": Switch(False, (False, True), "assets stay in preparing"),
    "deliveries_paused": Switch(False, (False, True), "no event leaves until this is off again"),
    "retry_seconds": Switch(5.0, NUMBER, "delay before the second attempt of an event; it doubles"),
    "rate_limits": Switch(True, (False, True), "token buckets answer 429 when empty"),
    "retry_after": Switch("none", ("none", "seconds", "date"), "the Retry-After header on a 429"),
    "unauthorized_body": Switch("json", ("json", "empty", "text", "html"), "what a 401 carries"),
    "bad_id_status": Switch(400, (400, 404), "answer to an id that cannot be one"),
    "free_plan": Switch(False, (False, True), "uploads are refused from ten assets on"),
    "delete_while_preparing": Switch(False, (False, True), "an asset may be deleted before it is ready"),
    "cors_origin_required": Switch(True, (False, True), "creating an upload without cors_origin is refused"),
    "playback_ids": Switch(
        "as_asked", ("as_asked", "missing", "empty", "other_policy"), "what new assets get as playback ids"
    ),
    "generated_captions": Switch(
        "ready", ("ready", "errored"), "what becomes of generated captions where there is sound"
    ),
    "captions_without_audio": Switch(
        "skipped", ("skipped", "errored"), "what becomes of generated captions where nothing can be heard"
    ),
    "detected_language": Switch("en", LANGUAGES, "the language that auto finds"),
    "unknown_enum": Switch(
        "none",
        ("none", "status", "resolution_tier", "video_quality", "upload_status"),
        "a value no SDK knows",
    ),
    "upload_created_carries_url": Switch(True, (False, True), "video.upload.created contains the secret URL"),
    "event_order": Switch(
        "asset_first", ("asset_first", "upload_first"), "which event of a new asset leaves first"
    ),
    "event_lag_seconds": Switch(
        1.0, NUMBER, "asset first: the upload's event follows so much later, but never later than ready"
    ),
    "range_header": Switch(True, (False, True), "308 answers carry Range"),
    "expose_range": Switch(False, (False, True), "CORS lets the browser read Range"),
    "overlap": Switch("ignored", ("ignored", "overwrites"), "bytes that are stored already and come again"),
    "gap": Switch("503", ("503", "308"), "answer to bytes beyond the end of what is stored"),
    "ended_upload_status": Switch(
        410, (400, 403, 404, 410), "bytes for an upload that was cancelled, failed or ran out of time"
    ),
    "public_token_status": Switch(400, (400, 403, 404), "a token on a public playback id"),
    "tokens_follow_clock": Switch(False, (False, True), "playback tokens expire by the simulated clock"),
    "system_permission": Switch(True, (False, True), "tokens have system:read and system:write"),
    "default_page_size": Switch(25, (10, 25), "rows of a list without limit"),
    "max_upload_mb": Switch(0, NUMBER, "larger files are refused; 0: no limit"),
}


class Switches:
    """Reads and sets switches; refuses names and values that do not exist."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values: dict[str, Any] = store.setting("switches", {})

    def __getitem__(self, name: str) -> Any:
        value = self._values.get(name)
        return SWITCHES[name].default if value is None else value

    def set(self, name: str, value: Any) -> None:
        if name not in SWITCHES:
            raise ValueError(f"no switch {name!r}; there are {', '.join(sorted(SWITCHES))}")
        checked = _checked(name, value)
        with self._store.lock:
            self._values[name] = checked
            self._store.set_setting("switches", self._values)

    def all(self) -> dict[str, Any]:
        return {name: self[name] for name in SWITCHES}

    def reset(self, keep: dict[str, Any]) -> None:
        with self._store.lock:
            self._values = {}
            self._store.set_setting("switches", {})
            for name, value in keep.items():
                self.set(name, value)


def _checked(name: str, value: Any) -> Any:
    choices = SWITCHES[name].choices
    if choices is NUMBER:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or value < 0
        ):
            raise ValueError(f"{name} is a number of at least 0, not {value!r}")
        return value
    for choice in choices:
        if choice == value and type(choice) is type(value):
            return choice
    raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")
