"""Lessons over JSON."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Invalid, Missing
from lessonadmin.domain.lessons import lessons, listing, trash
from lessonadmin.domain.lessons.lessons import UNSET, Changes
from lessonadmin.views.api import request_parsing
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.requests import LessonChange, LessonNew, LessonPage
from lessonadmin.views.api.responses import LessonList, LessonResponse

TAG = "Lessons"


@endpoint("GET", "/lessons", tag=TAG, query=LessonPage, answers={200: LessonList}, is_list=True)
def list_lessons(query: LessonPage) -> Answer:
    """List lessons.

    Instructors see their own, staff see all, students see what is out and what they bought.
    """
    user = auth.current_user()
    page = listing.lessons(user, listing.Query(**query.model_dump()))
    return 200, LessonList.of(user, page)


@endpoint(
    "POST",
    "/lessons",
    tag=TAG,
    who="teaching",
    body=LessonNew,
    answers={201: LessonResponse, 200: LessonResponse},
)
def create_lesson(body: LessonNew) -> Answer:
    """Write a lesson.

    It is a draft now. Unless `status` is "draft", it is published automatically when its video is ready. 200: this client
    has made the lesson of this `client_key` before, and here it is.
    """
    user, wanted = auth.current_user(), Changes(**body.model_dump(exclude={"client_key"}))
    with transaction(auth.current_actor()), _a_foreign_course_is_missing():
        if body.client_key is None:
            lesson, is_new = lessons.create(user, wanted), True
        else:
            lesson, is_new = lessons.create_once(user, wanted, key=body.client_key)
    return 201 if is_new else 200, LessonResponse.of(user, lesson)


@endpoint("GET", "/lessons/<uuid:lesson_id>", tag=TAG, answers={200: LessonResponse})
def show_lesson(lesson_id: uuid.UUID) -> Answer:
    """Read a lesson."""
    user = auth.current_user()
    return 200, LessonResponse.of(user, permissions.lesson_to_see(user, lesson_id))


@endpoint(
    "PATCH",
    "/lessons/<uuid:lesson_id>",
    tag=TAG,
    who="teaching",
    body=LessonChange,
    answers={200: LessonResponse},
    problems={409: "`edit_conflict`: it was saved since the version that `If-Match` names."},
)
def change_lesson(lesson_id: uuid.UUID, body: LessonChange) -> Answer:
    """Change a lesson.

    `"status": "draft"` unpublishes it and withdraws the request to publish it; `"published"` publishes it now, or when
    its video is ready, and not before `publish_not_before` where that is set. The header If-Match with the ETag of an earlier
    answer refuses the change if another user has saved since.
    """
    user, version = auth.current_user(), request_parsing.version()
    with transaction(auth.current_actor()), _a_foreign_course_is_missing():
        lesson = lessons.edit(user, lesson_id, changes(body), version=version)
    return 200, LessonResponse.of(user, lesson)


@contextmanager
def _a_foreign_course_is_missing() -> Iterator[None]:
    """In the API a foreign course is 404; in a form it is the error of a field."""
    try:
        yield
    except Invalid as error:
        if set(error.fields or ()) == {"course_id"}:
            raise Missing(message=error.message) from error
        raise


def changes(body: LessonChange) -> Changes:
    """Only the fields that the request names: a default changes nothing."""
    said = body.model_dump(include=body.model_fields_set)
    return Changes(**{name: said.get(name, UNSET) for name in LessonChange.model_fields})


@endpoint(
    "DELETE",
    "/lessons/<uuid:lesson_id>",
    tag=TAG,
    who="teaching",
    answers={204: None},
    problems={409: "`has_purchases`: it has been bought."},
)
def delete_lesson(lesson_id: uuid.UUID) -> Answer:
    """Delete a lesson: move it to the trash.

    It is gone for students at once, and can be restored until the trash is emptied; then its video is deleted at Mux.
    """
    with transaction(auth.current_actor()):
        lessons.delete(auth.current_user(), lesson_id)
    return 204, None


@endpoint(
    "POST",
    "/lessons/<uuid:lesson_id>/restore",
    tag=TAG,
    who="teaching",
    answers={200: LessonResponse},
)
def restore_lesson(lesson_id: uuid.UUID) -> Answer:
    """Take a lesson out of the trash.

    It is as it was, and never published by that: what was published is a draft. 404: the trash was emptied.
    """
    user = auth.current_user()
    with transaction(auth.current_actor()):
        trash.restore(user, "lesson", lesson_id)
    return 200, LessonResponse.of(user, permissions.lesson_to_change(user, lesson_id))


@endpoint(
    "POST",
    "/lessons/<uuid:lesson_id>/publish",
    tag=TAG,
    who="teaching",
    answers={200: LessonResponse, 202: LessonResponse},
    problems={
        400: "`no_video`: there is nothing to publish. `temporary_asset`: its video id means nothing to Mux.",
        409: "`video_error`: the video failed.",
        429: "Mux had to be asked, too often for this user; `Retry-After` says when to come back.",
        503: "`mux_unavailable`: Mux had to be asked and did not answer.",
    },
)
def publish_lesson(lesson_id: uuid.UUID) -> Answer:
    """Publish a lesson.

    200: it is out. 202: the request is recorded and fulfilled when the video is ready. If the video is stuck, Mux is asked
    at once.
    """
    user = auth.current_user()
    lesson = permissions.lesson_to_change(user, lesson_id)
    published = lessons.publish(lesson, actor=auth.current_actor())
    return 200 if published else 202, LessonResponse.of(user, permissions.lesson_to_change(user, lesson_id))
