"""Lessonadmin's note on an asset: which lesson or course it is for, and by which attempt. Mux hands it back unread."""

import json
import re
import uuid
from dataclasses import dataclass

APP = "lessonadmin"
MAX_LENGTH = 255
UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Passthrough:
    """Exactly one owner, and the attempt that asked for the upload."""

    lesson_id: uuid.UUID | None = None
    course_id: uuid.UUID | None = None
    tracking_id: uuid.UUID | None = None

    def __post_init__(self) -> None:
        if (self.lesson_id is None) == (self.course_id is None):
            raise ValueError("a video belongs to a lesson or to a course, and to one of them only")

    def text(self) -> str:
        """The form that travels to Mux: compact JSON, well under the 255 characters that Mux keeps."""
        named = {"lesson_id": self.lesson_id, "course_id": self.course_id, "tracking_id": self.tracking_id}
        note = {name: str(value) for name, value in named.items() if value is not None}
        return json.dumps({**note, "app": APP}, separators=(",", ":"))


def _uuid(value: object) -> uuid.UUID | None:
    return uuid.UUID(value) if isinstance(value, str) and UUID_TEXT.fullmatch(value) else None


def parse_passthrough(text: object) -> Passthrough | None:
    """The note, or None for text of another application."""
    if not isinstance(text, str) or len(text) > MAX_LENGTH or not text.lstrip().startswith("{"):
        return None
    try:
        note = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(note, dict) or note.get("app", APP) != APP:
        return None
    given = {name: note[name] for name in ("lesson_id", "course_id") if note.get(name) is not None}
    owners = {name: _uuid(value) for name, value in given.items()}
    if len(owners) != 1 or None in owners.values():
        return None
    return Passthrough(
        lesson_id=owners.get("lesson_id"),
        course_id=owners.get("course_id"),
        tracking_id=_uuid(note.get("tracking_id")),
    )
