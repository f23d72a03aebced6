"""The forms of lessons and courses: what a request changes in them, what is wrong, and what is to be changed."""

import pytest
from werkzeug.datastructures import MultiDict

from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons.lessons import UNSET, Changes
from lessonadmin.domain.models import Course, Lesson, User
from lessonadmin.web.forms import CourseForm, InstructorLessonForm, LessonForm, PanelCourseForm, panel_form

pytestmark = pytest.mark.usefixtures("settings")


def lesson(**columns: object) -> Lesson:
    values = {"title": "Bread", "description": "Flour.", "price_cents": 999, "version": 4, "status": "draft"}
    return Lesson(**values | {"publish_on_ready": True} | columns)


def sent(**fields: str) -> MultiDict[str, str]:
    return MultiDict(fields)


def test_a_field_that_a_request_does_not_have_keeps_what_is_stored() -> None:
    form = InstructorLessonForm.of(lesson(), sent(title="Cake"))
    assert form.changes() == Changes(title="Cake", description="Flour.", price_cents=999, course_id=None)


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_form() -> None:
    wrong = sent(status="x", course_id="none", price="a lot", description="x" * 20_001, title=" ")
    form = InstructorLessonForm.of(lesson(), wrong)
    with pytest.raises(Invalid) as raised:
        form.changes()
    fields = raised.value.fields or {}
    assert list(fields) == ["title", "description", "price", "course_id", "status"]
    assert raised.value.message == fields["title"]
    assert {name: form[name].data for name in wrong} == dict(wrong.items())


def test_line_ends_are_stored_as_they_were_typed() -> None:
    assert CourseForm(sent(title="Baking", description="a\r\nb")).changes().description == "a\nb"


@pytest.mark.parametrize(
    ("text", "version"), [("7", 7), ("", None), ("-1", None), ("1" * 10, None), ("seven", None)]
)
def test_the_version_is_the_one_that_the_form_was_made_from(text: str, version: int | None) -> None:
    assert CourseForm(sent(version=text)).version.data == version


def test_a_request_without_a_version_compares_nothing_and_a_page_shows_the_stored_one() -> None:
    assert LessonForm.of(lesson()).version.data == 4
    assert LessonForm.of(lesson(), sent(title="Cake")).version.data is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "draft", "status_was": "published"}, "draft"),
        ({"status": "published", "status_was": "draft"}, "published"),
        ({"status": "published", "status_was": "published"}, UNSET),
        ({"title": "Cake"}, UNSET),
    ],
)
def test_only_another_status_than_the_form_showed_is_asked_for(
    fields: dict[str, str], status: object
) -> None:
    assert InstructorLessonForm.of(lesson(), sent(**fields)).changes().status == status


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({"status": "published", "publish_on_ready": False}, "published"),
        ({"publish_on_ready": True}, "published"),
        ({"publish_on_ready": False}, "draft"),
    ],
)
def test_a_lesson_that_is_to_be_published_shows_as_published(columns: dict[str, object], shown: str) -> None:
    form = InstructorLessonForm.of(lesson(**columns))
    assert (form.status.data, form.status_was.data) == (shown, shown)


def test_the_panel_edits_no_status_and_gives_a_course_to_another_instructor() -> None:
    form = panel_form(lesson(), sent(status="published", title="Cake"))
    assert isinstance(form, LessonForm)
    assert form.changes().status is UNSET
    course = Course(title="Baking", description="", version=1, instructor=User(email="old@example.com"))
    assert isinstance(shown := panel_form(course), PanelCourseForm)
    assert shown.teacher.data == "old@example.com"
    assert isinstance(given := panel_form(course, sent(teacher="new@example.com")), PanelCourseForm)
    assert given.teacher.data == "new@example.com"
    assert given.changes() == Changes(title="Baking", description="", language="")
