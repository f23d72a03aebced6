"""What a diagnosis is made of: causes, sentences, buttons; and the few that several rooms share."""

import uuid
from dataclasses import dataclass
from typing import Literal

from lessonadmin.domain.diagnosis.facts import CaseFile
from lessonadmin.domain.models import Lesson

Severity = Literal["fine", "waiting", "trouble"]


@dataclass(frozen=True)
class Button:
    """What to press: an action of the table, on these rows; or, with `page`, where to go: a page of the panel, or the
    form in which its teacher uploads (FORM)."""

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
    other: Button | None = None  # where somebody has to decide between two


def press(case: CaseFile, action: str, label: str) -> Button:
    return Button(label, action, case.owner.kind, (case.owner.id,))


def recheck(case: CaseFile, label: str = "Ask Mux now") -> Button:
    return press(case, "recheck", label)


def republish(case: CaseFile) -> Button:
    if isinstance(case.owner, Lesson):
        return press(case, "republish", "Republish")
    return recheck(case)


def clear(case: CaseFile) -> Button:
    return press(case, "clear_asset", "Clear asset")


FORM = "form"
DOCTOR = Button("Open the doctor", page="doctor")
UPLOAD = Button("Upload a video", page=FORM)


def unplayable(case: CaseFile, cause: str) -> Finding:
    said = {
        "no_playback_id": "Mux made the video but gave it no playback id, so nobody can play it. Add one in the Mux dashboard, then press “Republish”.",
        "wrong_policy": "Mux made the video with another playback policy than we asked for. “Republish” takes it over as it is.",
    }[cause]
    return Finding(cause, said, "trouble", republish(case))
