"""The schemas of requests: JSON bodies and query strings. Unknown keys are refused."""

import base64
import re
import uuid
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Base64Encoder,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EncodedBytes,
    Field,
    Strict,
)
from pydantic_core import PydanticCustomError

from lessonadmin import mux
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.lessons import course_lists, lessons, listing
from lessonadmin.domain.lessons.sections.editing import MAX_SECTIONS
from lessonadmin.domain.models.lessons import VIDEO_STATUSES
from lessonadmin.domain.prices import MAX_PRICE_CENTS
from lessonadmin.domain.querying import full_text
from lessonadmin.text import texts

MAX_SIZE_BYTES = 2**53
MAX_SECONDS = 10**6


class _StrictBase64(Base64Encoder):
    """Base64, in lines or not. Any other character is a fault: left out, as Python does, it would make another file of it."""

    @classmethod
    def decode(cls, data: bytes) -> bytes:
        try:
            return base64.b64decode(b"".join(data.split()), validate=True)
        except ValueError:
            raise PydanticCustomError("base64_decode", "not base64") from None


Base64File = Annotated[bytes, EncodedBytes(encoder=_StrictBase64)]


def _storable(text: str) -> str:
    # lone surrogates too: pydantic lets them through where a field may be null
    if not texts.storable(text):
        raise ValueError("This text has characters that cannot be stored.")
    return text


def _whole(value: Any) -> Any:
    """A number in JSON, or its digits in a query string; true and 3.0 are neither."""
    if isinstance(value, bool | float):
        raise ValueError("This must be a whole number.")
    return value


def _spoken(language: str) -> str:
    if language not in mux.LANGUAGES:
        raise ValueError("Mux cannot generate captions in this language.")
    return language


def _clamped(value: Any) -> Any:
    """Attempts only choose a pause, so any whole number will do."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        return 0 if value.startswith("-") else int(value[:6])
    return value


def _written_out(value: Any) -> Any:
    """A moment as text; pydantic would also take a number of seconds."""
    if value is not None and not isinstance(value, str):
        raise ValueError(
            "This must be a date with a time and its distance to UTC, such as 2026-11-30T18:00:00Z."
        )
    return value


Text = Annotated[str, AfterValidator(_storable)]
MuxId = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_storable)]
Title = Annotated[str, Field(min_length=1, max_length=lessons.MAX_TITLE_LENGTH), AfterValidator(_storable)]
Description = Annotated[
    str, Field(max_length=lessons.MAX_DESCRIPTION_LENGTH, description="Markdown."), AfterValidator(_storable)
]
Cents = Annotated[int, Strict(), Field(ge=0, le=MAX_PRICE_CENTS)]
NotBefore = Annotated[
    AwareDatetime | None,
    BeforeValidator(_written_out),
    Field(description="It is not published automatically before; null for no time. Emptied when it is over."),
]
UnpublishAt = Annotated[
    AwareDatetime | None,
    BeforeValidator(_written_out),
    Field(description="When it becomes a draft again; null for no time. Emptied when it is over."),
]
Bytes = Annotated[int, Field(ge=0, le=MAX_SIZE_BYTES), BeforeValidator(_whole)]
Seconds = Annotated[float, Strict(), Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
LessonStatus = Literal["draft", "published"]
VideoStatus = Literal["none", "uploading", "processing", "ready", "error", "deleting"]
Language = Annotated[str, AfterValidator(_spoken), Field(json_schema_extra={"enum": list(mux.LANGUAGES)})]
CourseLanguage = Annotated[
    Language | None,
    Field(
        description="Spoken in its videos; captions begin with it, also those of uploads that leave out `caption_language`."
    ),
]
if VideoStatus.__args__ != VIDEO_STATUSES:  # type: ignore[attr-defined]
    raise AssertionError("the API and the tables know different video statuses")


class RequestModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _no_defaults(schema: dict[str, Any]) -> None:
    """In a change, what is left out stays as it is: so no default is documented."""
    for field in schema["properties"].values():
        field.pop("default", None)


class Change(RequestModel):
    model_config = ConfigDict(json_schema_extra=_no_defaults)


class LessonNew(RequestModel):
    """A lesson to be made. Unless `status` is "draft" it is published by itself when its video is ready."""

    title: Title
    description: Description = ""
    course_id: uuid.UUID | None = None
    price_cents: Cents = 0
    status: LessonStatus = "published"
    publish_not_before: NotBefore = None
    unpublish_at: UnpublishAt = None
    client_key: Annotated[
        uuid.UUID | None,
        Field(
            description="Made by the client, a new one for each lesson: sent again with the same key, a request makes no "
            "second lesson and answers with the first."
        ),
    ] = None


class LessonChange(Change):
    """What is to be different; what is left out stays. `course_id: null` takes the lesson out of its course."""

    title: Title = ""
    description: Description = ""
    course_id: uuid.UUID | None = None
    price_cents: Cents = 0
    status: LessonStatus = "draft"
    publish_not_before: NotBefore = None
    unpublish_at: UnpublishAt = None


class CourseNew(RequestModel):
    """A course to be made."""

    title: Title
    description: Description = ""
    language: CourseLanguage = None


class SectionWanted(RequestModel):
    """A section as it is to be: one of the course by its `id`, or a new one."""

    id: uuid.UUID | None = None
    title: Title
    lesson_ids: Annotated[
        list[uuid.UUID] | None,
        Field(
            max_length=course_lists.MAX_LESSONS,
            description="Lessons of the course, in their order; left out: they stay.",
        ),
    ] = None


class CourseChange(Change):
    """What is to be different; what is left out stays. `sections` says all of them, in their order: a section that is not named is
    removed, and its lessons stay in the course."""

    title: Title = ""
    description: Description = ""
    language: CourseLanguage = None
    cover_lesson_id: Annotated[
        uuid.UUID | None,
        Field(
            description="The lesson whose picture the course has without a preview video: one of its published lessons that is free or signed. Null: the first of them."
        ),
    ] = None
    sections: Annotated[list[SectionWanted], Field(max_length=MAX_SECTIONS)] = []


PAGES = f"Pages count from 1. A list is read up to its {listing.CEILING}th row: beyond that, in a longer one, 400."


class CoursePage(RequestModel):
    """Which page of the list, and what it is filtered by."""

    page: Annotated[int, Field(ge=1, le=listing.LAST_PAGE, description=PAGES)] = 1
    per_page: Annotated[int, Field(ge=1, le=listing.MAX_PAGE_SIZE)] = 20
    q: Annotated[
        Text,
        Field(
            max_length=full_text.MAX_LENGTH,
            description="Words of title and description, each from its beginning; a single letter is a whole word. "
            f"At most {full_text.MAX_WORDS} words are looked for.",
        ),
    ] = ""
    trash: Annotated[
        bool, Field(description="The deleted ones, last deleted first; no other filter goes with it.")
    ] = False


class LessonPage(CoursePage):
    q: Annotated[
        Text,
        Field(
            max_length=full_text.MAX_LENGTH,
            description="Words of title and description, or of what is said in a video that the user may play, each from its "
            f"beginning; a single letter is a whole word. At most {full_text.MAX_WORDS} words are looked for.",
        ),
    ] = ""
    status: LessonStatus | None = None
    video_status: VideoStatus | None = None
    course_id: uuid.UUID | None = None


Reason = Annotated[Text, Field(min_length=1, max_length=audit_log.MAX_REASON_LENGTH)]


class Position(RequestModel):
    """Where a player is, and how long its video is, in seconds."""

    seconds: Seconds
    duration: Annotated[Seconds, Field(gt=0)]


class Gift(RequestModel):
    """Which student gets the lesson, and why; the reason stands in the audit log."""

    user_id: uuid.UUID
    reason: Reason


class Revocation(RequestModel):
    """Why a purchase is taken back; the student is told."""

    reason: Reason = "Support ended it."


class OwnerNamed(RequestModel):
    """Exactly one of the two."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["lesson_id"]}, {"required": ["course_id"]}]}
    )

    lesson_id: Annotated[uuid.UUID | None, Field(description="Whose video it is: this, or a course.")] = None
    course_id: Annotated[
        uuid.UUID | None, Field(description="Whose preview it is: this, or a lesson's video.")
    ] = None


class UploadAsk(OwnerNamed):
    """The file that is to be uploaded, as the browser sees it."""

    filename: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_storable)]
    size: Annotated[Bytes | None, Field(description="Bytes.")] = None
    content_type: Annotated[Text | None, Field(max_length=255)] = None
    caption_language: Annotated[
        Language | None,
        Field(
            description="The language spoken: Mux generates captions in it. `auto`: Mux detects the language. Left out: the language of "
            "the course, if it has one; null: no captions."
        ),
    ] = None


class BytesIn(OwnerNamed):
    """The browser says that everything is sent."""

    upload_id: MuxId
    temp_asset_id: MuxId | None = None


class UploadNamed(RequestModel):
    upload_id: MuxId


class StatusAsk(OwnerNamed):
    attempt: Annotated[
        int, BeforeValidator(_clamped), Field(description="How often the caller has asked before.")
    ] = 0


class AssetNamed(RequestModel):
    """The asset that a lesson really has, by the word of support."""

    lesson_id: uuid.UUID
    mux_asset_id: MuxId
    mux_playback_id: MuxId
