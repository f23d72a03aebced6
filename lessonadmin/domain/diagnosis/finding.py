"""A cause with its sentence and its buttons: what a diagnosis consists of, and the buttons that several causes share."""

import uuid
from dataclasses import dataclass
from typing import Literal

from lessonadmin.domain.diagnosis.facts import VideoFacts
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.uploads.upload_again import Asked

Severity = Literal["fine", "waiting", "trouble"]


@dataclass(frozen=True)
class Button:
    """What to press: an action of the table, on these rows; with `deed`, one of the lesson's own page; with `page`, where
    to go: a page of the panel, or the form in which its instructor uploads (FORM)."""

    label: str
    action: str | None = None
    target: str | None = None
    ids: tuple[uuid.UUID, ...] = ()
    page: str | None = None
    deed: str | None = None
    asked: Asked | None = None  # whom a deed has asked before


@dataclass(frozen=True)
class Finding:
    """One cause, said in a sentence or two, with what can be done about it, the best first (nothing, if waiting is all
    there is)."""

    cause: str
    sentence: str
    severity: Severity
    buttons: tuple[Button, ...] = ()


FORM = "form"
UPLOAD_AGAIN, CANCEL_UPLOAD = "upload_again", "cancel_upload"  # names of the deeds
DOCTOR = Button("Open the doctor", page="doctor")
UPLOAD = Button("Upload a video", page=FORM)


def press(case: VideoFacts, action: str, label: str) -> Button:
    return Button(label, action, case.owner.kind, (case.owner.id,))


def check(case: VideoFacts) -> Button:
    return press(case, "recheck", "Check with Mux")


def republish(case: VideoFacts) -> Button:
    if isinstance(case.owner, Lesson):
        return press(case, "republish", "Re-sync and publish")
    return check(case)


def ask_again(case: VideoFacts) -> Button:
    """Of the instructor; once they were asked, it is pressed on purpose."""
    label = "Ask again" if case.asked is not None else "Ask the instructor to upload again"
    return Button(label, deed=UPLOAD_AGAIN, asked=case.asked)


def cancel_upload() -> Button:
    return Button("Cancel the upload", deed=CANCEL_UPLOAD)
