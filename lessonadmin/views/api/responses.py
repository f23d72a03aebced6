"""The schemas of responses, and how they are made from the domain's objects.

Asset, playback and upload ids are given only to users who may play the video; the replacement of a playing video only to
users who may change it.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, Field, PrivateAttr

from lessonadmin.domain import permissions, prices
from lessonadmin.domain.lessons import catalog, course_lists, listing, pictures
from lessonadmin.domain.lessons.listing import Page
from lessonadmin.domain.lessons.sections import places
from lessonadmin.domain.models import Course, Lesson, Purchase, User
from lessonadmin.domain.playback import Source
from lessonadmin.domain.uploads.direct_upload import IssuedUpload
from lessonadmin.domain.videos import video_status
from lessonadmin.domain.videos.video_status import Failure
from lessonadmin.views.api.requests import LessonStatus, VideoStatus

Percent = Annotated[int, Field(ge=0, le=100)]
IN_TRASH = "In the trash since; null outside it."
COVER_OF_COURSE = "Where a picture of the course is, with a token that ends where it needs one: of its preview, or of one of its published lessons."
CHOSEN = "The lesson whose picture was chosen, also while another one stands in for it; null: none was, and for users who may not change the course."
IDS = "Null for users who may not play the video."
Item = TypeVar("Item", bound=BaseModel)
CaptionsStatus = Literal["none", "preparing", "ready", "failed", "skipped"]


class FailureResponse(BaseModel):
    """Why a video failed."""

    type: Annotated[
        str,
        Field(
            description="`upload_timed_out`, `upload_errored`, `upload_cancelled`, `asset_errored`, "
            "`no_playback_id`, `wrong_policy` or `deleted_at_mux`."
        ),
    ]
    message: Annotated[str, Field(description="Mux's own words where there are any.")]

    @classmethod
    def of(cls, failure: Failure | None) -> "FailureResponse | None":
        return cls(type=failure.type, message=failure.message) if failure is not None else None


class ReplacementResponse(BaseModel):
    """A new video on its way beside the one that plays, or the latest that failed there."""

    status: VideoStatus
    upload_id: str | None
    progress: Percent | None
    error: FailureResponse | None


class CaptionsResponse(BaseModel):
    """How the captions of a video stand."""

    status: CaptionsStatus
    language: Annotated[
        str | None, Field(description="As Mux names it; `auto` until Mux has found out which one it is.")
    ]


class VideoResponse(BaseModel):
    """The video that plays; else the one that is coming; else how the last one ended."""

    status: VideoStatus
    upload_id: Annotated[str | None, Field(description=IDS)]
    asset_id: Annotated[str | None, Field(description=IDS)]
    playback_id: Annotated[str | None, Field(description=IDS)]
    playback_policy: Annotated[str | None, Field(description="`public` or `signed`.")]
    progress: Annotated[Percent | None, Field(description="Percent, by Mux; null where it is not known.")]
    duration: Annotated[float | None, Field(description="Seconds.")]
    error: FailureResponse | None
    replacement: Annotated[
        ReplacementResponse | None, Field(description="Only for users who may change the lesson or course.")
    ]
    captions: Annotated[
        CaptionsResponse,
        Field(description="`skipped`: Mux heard no speech. The video is ready before its captions are."),
    ]

    @classmethod
    def of(cls, found: video_status.VideoStatus, *, plays: bool, changes: bool) -> "VideoResponse":
        coming = found.replacement if changes else None
        return cls(
            status=found.status,  # type: ignore[arg-type]  # the table has a constraint for it
            upload_id=found.upload_id if plays else None,
            asset_id=found.asset_id if plays else None,
            playback_id=found.playback_id if plays else None,
            playback_policy=found.playback_policy,
            progress=found.progress,
            duration=found.duration,
            error=FailureResponse.of(found.error),
            captions=CaptionsResponse(
                status=found.captions.status,  # type: ignore[arg-type]  # the table has a constraint for it
                language=found.captions.language,
            ),
            replacement=ReplacementResponse(
                status=coming.status,  # type: ignore[arg-type]
                upload_id=coming.upload_id,
                progress=coming.progress,
                error=FailureResponse.of(coming.error),
            )
            if coming is not None
            else None,
        )


class Versioned(BaseModel):
    """What was saved so many times: its answers carry that as their ETag, and it is no field."""

    _version: int = PrivateAttr(default=0)

    @property
    def version(self) -> int:
        return self._version

    def with_version(self, version: int) -> Self:
        self._version = version
        return self


class LessonResponse(Versioned):
    id: uuid.UUID
    title: str
    description: str
    course_id: uuid.UUID | None
    section_id: Annotated[uuid.UUID | None, Field(description="The section of its course that it is in.")]
    section_title: str | None
    creator_id: uuid.UUID
    price_cents: int
    currency: Annotated[str, Field(description="What every price is in, as ISO 4217 names it.")]
    status: LessonStatus
    publish_on_ready: Annotated[
        bool, Field(description="It is published automatically when its video is ready.")
    ]
    published_at: datetime | None
    publish_not_before: Annotated[
        datetime | None, Field(description="It is not published automatically before.")
    ]
    unpublish_at: Annotated[datetime | None, Field(description="When it becomes a draft again.")]
    created_at: datetime
    updated_at: datetime
    deleted_at: Annotated[datetime | None, Field(description=IN_TRASH)]
    visible_to_students: Annotated[bool, Field(description="It is published and its video plays.")]
    video: VideoResponse

    @classmethod
    def of(cls, user: User, lesson: Lesson) -> "LessonResponse":
        return cls.of_many(user, [lesson])[0]

    @classmethod
    def of_many(cls, user: User, lessons: Sequence[Lesson]) -> "list[LessonResponse]":
        """A page of lessons for one person, with three queries however long it is."""
        statuses, playable = video_status.of_many(lessons), permissions.playable_among(user, lessons)
        sections = places.of_lessons(lessons)
        return [
            cls(
                id=lesson.id,
                title=lesson.title,
                description=lesson.description,
                course_id=lesson.course_id,
                section_id=section.id if (section := sections.get(lesson.id)) else None,
                section_title=section.title if section else None,
                creator_id=lesson.creator_id,
                price_cents=lesson.price_cents,
                currency=prices.currency(),
                status=lesson.status,  # type: ignore[arg-type]
                publish_on_ready=lesson.publish_on_ready,
                published_at=lesson.published_at,
                publish_not_before=lesson.publish_not_before,
                unpublish_at=lesson.unpublish_at,
                created_at=lesson.created_at,
                updated_at=lesson.updated_at,
                deleted_at=lesson.deleted_at,
                visible_to_students=permissions.visible_to_students(lesson),
                video=VideoResponse.of(
                    statuses[lesson.id], plays=lesson.id in playable, changes=permissions.owns(user, lesson)
                ),
            ).with_version(lesson.version)
            for lesson in lessons
        ]


class SectionResponse(BaseModel):
    """A section of a course, with those of its lessons that the caller sees."""

    id: uuid.UUID
    title: str
    lesson_ids: list[uuid.UUID]


class CourseResponse(BaseModel):
    """A course with its preview under `video`."""

    id: uuid.UUID
    title: str
    description: str
    language: Annotated[str | None, Field(description="Spoken in its videos, if that is known.")]
    instructor_id: uuid.UUID
    created_at: datetime
    updated_at: datetime
    deleted_at: Annotated[datetime | None, Field(description=IN_TRASH)]
    sections: Annotated[
        list[SectionResponse],
        Field(
            description="In their order; lessons without a section stand before them. Students see no section that is empty for them."
        ),
    ]
    cover: Annotated[str | None, Field(description=COVER_OF_COURSE)]
    cover_lesson_id: Annotated[uuid.UUID | None, Field(description=CHOSEN)]
    video: VideoResponse

    @classmethod
    def of(cls, user: User, course: Course) -> "CourseResponse":
        return cls.of_many(user, [course])[0]

    @classmethod
    def of_many(cls, user: User, courses: Sequence[Course]) -> "list[CourseResponse]":
        statuses, sections = video_status.of_many(courses), course_lists.sections(user, courses)
        covers = pictures.covers(courses, **catalog.COVER)
        theirs = {course.id for course in courses if permissions.owns(user, course)}
        return [
            cls(
                id=course.id,
                title=course.title,
                description=course.description,
                language=course.language,
                instructor_id=course.instructor_id,
                created_at=course.created_at,
                updated_at=course.updated_at,
                deleted_at=course.deleted_at,
                sections=[
                    SectionResponse(id=section.id, title=section.title, lesson_ids=lesson_ids)
                    for section, lesson_ids in sections[course.id]
                ],
                cover=covers[course.id],
                cover_lesson_id=course.cover_lesson_id if course.id in theirs else None,
                # a preview plays for every user who sees the course
                video=VideoResponse.of(statuses[course.id], plays=True, changes=course.id in theirs),
            )
            for course in courses
        ]


class ListResponse(BaseModel, Generic[Item]):
    items: list[Item]
    total: Annotated[int, Field(description=f"Of all pages, counted up to {listing.CEILING}.")]
    page: int
    per_page: int
    total_is_at_least: Annotated[
        bool,
        Field(
            description="Present and true if counting stopped at `total`: there are more.",
            exclude_if=lambda known: not known,
        ),
    ] = False


class LessonList(ListResponse[LessonResponse]):
    """One page of lessons, the newest first."""

    @classmethod
    def of(cls, user: User, page: Page[Lesson]) -> "LessonList":
        items = LessonResponse.of_many(user, page.items)
        return cls(
            items=items,
            total=page.total,
            page=page.page,
            per_page=page.per_page,
            total_is_at_least=page.more,
        )


class CourseList(ListResponse[CourseResponse]):
    """One page of courses, the newest first."""

    @classmethod
    def of(cls, user: User, page: Page[Course]) -> "CourseList":
        items = CourseResponse.of_many(user, page.items)
        return cls(
            items=items,
            total=page.total,
            page=page.page,
            per_page=page.per_page,
            total_is_at_least=page.more,
        )


class TicketResponse(BaseModel):
    """Where the file goes. The URL is a secret: a client that has it can upload."""

    upload_id: str
    upload_url: str
    expires_at: datetime

    @classmethod
    def of(cls, ticket: IssuedUpload) -> "TicketResponse":
        return cls(upload_id=ticket.upload_id, upload_url=ticket.upload_url, expires_at=ticket.expires_at)


class UploadStatus(BaseModel):
    """How this one upload stands: the words of a video's status, and "cancelled" and "deleted"."""

    status: str


class AssetStatus(BaseModel):
    """What the database knows about the video; Mux was not asked."""

    status: VideoStatus
    playback_id: str | None
    asset_id: str | None
    lesson_status: LessonStatus | None
    progress: Percent | None
    stuck: bool
    error: FailureResponse | None
    next_poll_ms: Annotated[int, Field(description="How long to wait before asking again.")]


class AskedStatus(BaseModel):
    """What Mux said just now."""

    status: VideoStatus
    playback_id: str | None
    asset_id: str | None
    message: str


class SourceResponse(BaseModel):
    """What a player needs. The tokens are null for a public video."""

    src: str
    playback_id: str
    policy: str
    token: str | None
    thumbnail_token: str | None

    @classmethod
    def of(cls, source: Source) -> "SourceResponse":
        return cls(
            src=source.src,
            playback_id=source.playback_id,
            policy=source.policy,
            token=source.token,
            thumbnail_token=source.thumbnail_token,
        )


class DoneResponse(BaseModel):
    """Since when a lesson is done, for the user who asks."""

    done_at: datetime | None


class ProgressResponse(BaseModel):
    """What is stored after this report."""

    seconds: float
    done_at: datetime | None


class PurchaseResponse(BaseModel):
    id: uuid.UUID
    lesson_id: uuid.UUID
    user_id: uuid.UUID
    price_cents: int
    created_at: datetime

    @classmethod
    def of(cls, purchase: Purchase, lesson_id: uuid.UUID) -> "PurchaseResponse":
        return cls(
            id=purchase.id,
            lesson_id=lesson_id,
            user_id=purchase.user_id,
            price_cents=purchase.price_cents,
            created_at=purchase.created_at,
        )


class ProblemSaid(BaseModel):
    type: Annotated[str, Field(description="For programs; it does not change.")]
    message: Annotated[str, Field(description="For people.")]
    fields: Annotated[
        dict[str, str] | None, Field(description="Only for invalid input: what is wrong, by field.")
    ] = None


class ProblemResponse(BaseModel):
    """The one shape of every error."""

    error: ProblemSaid
