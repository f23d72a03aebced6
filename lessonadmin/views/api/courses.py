"""Courses over JSON; the preview stands under `video` and follows the rules of a lesson's video."""

import uuid

from lessonadmin import auth
from lessonadmin.db import transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.lessons import courses, listing, trash
from lessonadmin.domain.lessons.lessons import UNSET, Changes
from lessonadmin.domain.lessons.sections import editing
from lessonadmin.domain.lessons.sections.editing import Wanted
from lessonadmin.views.api.endpoints import Answer, endpoint
from lessonadmin.views.api.requests import CourseChange, CourseNew, CoursePage
from lessonadmin.views.api.responses import CourseList, CourseResponse

TAG = "Courses"


@endpoint("GET", "/courses", tag=TAG, query=CoursePage, answers={200: CourseList}, is_list=True)
def list_courses(query: CoursePage) -> Answer:
    """List courses.

    Instructors see their own, staff see all, students see those with published lessons.
    """
    user = auth.current_user()
    return 200, CourseList.of(user, listing.courses(user, listing.Query(**query.model_dump())))


@endpoint("POST", "/courses", tag=TAG, who="teaching", body=CourseNew, answers={201: CourseResponse})
def create_course(body: CourseNew) -> Answer:
    """Write a course."""
    user = auth.current_user()
    with transaction(auth.current_actor()):
        course = courses.create(user, Changes(**body.model_dump()))
    return 201, CourseResponse.of(user, course)


@endpoint("GET", "/courses/<uuid:course_id>", tag=TAG, answers={200: CourseResponse})
def show_course(course_id: uuid.UUID) -> Answer:
    """Read a course."""
    user = auth.current_user()
    return 200, CourseResponse.of(user, permissions.course_to_see(user, course_id))


@endpoint(
    "PATCH",
    "/courses/<uuid:course_id>",
    tag=TAG,
    who="teaching",
    body=CourseChange,
    answers={200: CourseResponse},
)
def change_course(course_id: uuid.UUID, body: CourseChange) -> Answer:
    """Change a course."""
    user = auth.current_user()
    said = body.model_dump(include=body.model_fields_set)
    wanted = Changes(**{name: said[name] for name in ("title", "description", "language") if name in said})
    sections = [Wanted(**one) for one in said["sections"]] if "sections" in said else None
    cover = said.get("cover_lesson_id", UNSET)
    with transaction(auth.current_actor()):
        course = editing.edit_with_course(user, course_id, wanted, sections, cover=cover)
    return 200, CourseResponse.of(user, course)


@endpoint("DELETE", "/courses/<uuid:course_id>", tag=TAG, who="teaching", answers={204: None})
def delete_course(course_id: uuid.UUID) -> Answer:
    """Delete a course: move it to the trash.

    Its lessons stay, without a course. It can be restored until the trash is emptied; then its preview is deleted at Mux.
    """
    with transaction(auth.current_actor()):
        courses.delete(auth.current_user(), course_id)
    return 204, None


@endpoint(
    "POST",
    "/courses/<uuid:course_id>/restore",
    tag=TAG,
    who="teaching",
    answers={200: CourseResponse},
)
def restore_course(course_id: uuid.UUID) -> Answer:
    """Take a course out of the trash.

    Its lessons are in it again, but for those that another course has by now. 404: the trash was emptied.
    """
    user = auth.current_user()
    with transaction(auth.current_actor()):
        trash.restore(user, "course", course_id)
    return 200, CourseResponse.of(user, permissions.course_to_change(user, course_id))
