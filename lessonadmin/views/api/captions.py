"""Captions of a lesson's video over JSON: their list, adding a file that a person wrote, and the transcript."""

import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lessonadmin import auth, mux
from lessonadmin.db import transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.captions import asking, transcripts
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import CaptionTrack
from lessonadmin.domain.videos import video_status
from lessonadmin.text import subtitles
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.requests import Base64File, Text

TAG = "Captions"
PATH = "/lessons/<uuid:lesson_id>/captions"
WRITTEN = [code for code in mux.LANGUAGES if code != mux.AUTOMATIC]


class CaptionsNew(BaseModel):
    """Captions that a person wrote."""

    model_config = ConfigDict(extra="forbid")

    captions: Annotated[
        Base64File,
        Field(
            description=f"A WebVTT (.vtt) or SubRip (.srt) file of at most {subtitles.MAX_BYTES // 10**6} MB, in base64."
        ),
    ]
    language: Annotated[Text, Field(json_schema_extra={"enum": WRITTEN})]
    label: Annotated[Text, Field(description="Their name in the player; left out: their language.")] = ""


class CaptionTrackResponse(BaseModel):
    """Captions that a video has, will have, or that failed."""

    id: uuid.UUID
    state: Annotated[
        Literal["asked", "preparing", "ready", "failed", "skipped"],
        Field(description="`skipped`: Mux heard no speech."),
    ]
    source: Annotated[Literal["generated", "own"], Field(description="`generated`: by Mux, of the speech.")]
    language: str | None
    label: str | None
    checked: Annotated[bool, Field(description="A person has read them.")]
    error: str | None
    warning: Annotated[str | None, Field(description="What the writer of the file should look at.")]

    @classmethod
    def of(cls, track: CaptionTrack) -> "CaptionTrackResponse":
        return cls(
            id=track.id,
            state=track.state,  # type: ignore[arg-type]  # the table has a constraint for it
            source=track.source,  # type: ignore[arg-type]
            language=track.language,
            label=track.label,
            checked=track.checked_at is not None,
            error=track.error or None,
            warning=track.warning,
        )


class CaptionTrackList(BaseModel):
    """All captions of the video that plays, the oldest first."""

    items: list[CaptionTrackResponse]


class TranscriptLine(BaseModel):
    """What is said from a moment on."""

    seconds: float
    text: str


class TranscriptResponse(BaseModel):
    """What is said in a video."""

    language: Annotated[str | None, Field(description="As Mux names it.")]
    lines: list[TranscriptLine]


@endpoint("GET", PATH, tag=TAG, who="teaching", answers={200: CaptionTrackList})
def list_captions(lesson_id: uuid.UUID) -> Answer:
    """List the captions of a lesson's video."""
    found = video_status.of(permissions.lesson_to_change(auth.current_user(), lesson_id))
    upload_id = found.captions.tracking_id if found.status == "ready" else None
    tracks = asking.shown_for(upload_id) if upload_id is not None else []
    return 200, CaptionTrackList(items=[CaptionTrackResponse.of(track) for track, _ in tracks])


@endpoint(
    "POST",
    PATH,
    tag=TAG,
    who="teaching",
    body=CaptionsNew,
    answers={201: CaptionTrackResponse},
    problems={409: "`no_video`: the video does not play. `captions_coming`: Mux still fetches others."},
)
def add_captions(lesson_id: uuid.UUID, body: CaptionsNew) -> Answer:
    """Add captions that a person wrote.

    Faults of the file are told with their lines. Mux fetches it; captions of the same language stay until the new ones are ready.
    """
    lesson = permissions.lesson_to_change(auth.current_user(), lesson_id)
    with transaction(auth.current_actor()):
        track = asking.add_own(lesson, language=body.language, label=body.label, data=body.captions)
        made = CaptionTrackResponse.of(track)
    return 201, made


@endpoint(
    "GET",
    "/lessons/<uuid:lesson_id>/transcript",
    tag=TAG,
    answers={200: TranscriptResponse},
    problems={
        403: "`purchase_required`: buy the lesson first.",
        404: "Not found, not yours, or no captions are ready.",
    },
)
def show_transcript(lesson_id: uuid.UUID) -> Answer:
    """Read what is said in the video.

    For all who may play the lesson. It is made of the captions: of those that a person wrote, if there are some.
    """
    found = transcripts.of_lesson(permissions.lesson_to_play(auth.current_user(), lesson_id))
    if found is None:
        raise Missing()
    lines = [TranscriptLine(seconds=int(millis) / 1000, text=str(words)) for millis, words in found.lines]
    return 200, TranscriptResponse(language=found.language, lines=lines)
