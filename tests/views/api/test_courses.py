"""Courses over JSON."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.domain.models import AssetDeletion, Course
from tests import factories
from tests.queries import counted
from tests.views.api.conftest import People, refused

KEYS = [
    "id",
    "title",
    "description",
    "language",
    "instructor_id",
    "created_at",
    "updated_at",
    "deleted_at",
    "sections",
    "cover",
    "cover_lesson_id",
    "video",
]


def test_writing_reading_and_changing(people: People) -> None:
    made = people.instructor.post("/courses", {"title": " Maths ", "description": "All of it"})
    assert made.status_code == 201
    course = made.get_json()
    assert list(course) == KEYS
    assert (course["title"], course["description"]) == ("Maths", "All of it")
    assert course["instructor_id"] == str(people.instructor.user.id)
    assert course["video"]["status"] == "none"
    path = f"/courses/{course['id']}"
    assert people.instructor.get(path).get_json() == course
    changed = people.instructor.patch(path, {"title": "Algebra"}).get_json()
    assert changed == course | {"title": "Algebra", "updated_at": changed["updated_at"]}
    assert people.instructor.patch(path, {}).get_json() == changed


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "x", "description": "d" * 20_001}, "description"),
        ({"title": "x", "instructor_id": "y"}, "instructor_id"),
        ({"title": "x", "price_cents": 5}, "price_cents"),
    ],
)
def test_wrong_input_is_named(people: People, body: dict[str, Any], field: str) -> None:
    error = refused(people.instructor.post("/courses", body), 400, "invalid_input")
    assert set(error["fields"]) == {field}
    if body:
        course = factories.make_course(instructor=people.instructor.user)
        error = refused(people.instructor.patch(f"/courses/{course.id}", body), 400, "invalid_input")
        assert set(error["fields"]) == {field}


def test_each_sees_what_is_theirs(people: People) -> None:
    mine = factories.make_course(instructor=people.instructor.user)
    foreign = factories.make_course(instructor=people.colleague.user)
    factories.make_playing_lesson(creator=people.instructor.user, course_id=mine.id)
    factories.make_lesson(creator=people.colleague.user, course=foreign)

    def listed(person: Any) -> set[str]:
        return {one["id"] for one in person.get("/courses").get_json()["items"]}

    assert listed(people.instructor) == {str(mine.id)}
    assert listed(people.support) == {str(mine.id), str(foreign.id)}
    assert listed(people.student) == {str(mine.id)}


def test_pages_and_search(people: People) -> None:
    for title in ("Linear algebra", "Cooking", "Algebra again"):
        factories.make_course(instructor=people.instructor.user, title=title)
    found = people.instructor.get("/courses", q="alg", per_page=1).get_json()
    assert [one["title"] for one in found["items"]] == ["Algebra again"]
    assert (found["total"], found["page"], found["per_page"]) == (2, 1, 1)


def test_the_preview_stands_under_video(people: People) -> None:
    columns = {"mux_asset_id": "a", "mux_playback_id": "p", "playback_policy": "public"}
    course = factories.make_course(
        instructor=people.instructor.user, video_processing_status="ready", video_duration=9.5, **columns
    )
    factories.make_tracking(course, status="ready", **columns)
    video = people.instructor.get(f"/courses/{course.id}").get_json()["video"]
    assert (video["status"], video["asset_id"], video["playback_id"]) == ("ready", "a", "p")
    assert (video["duration"], video["progress"], video["replacement"]) == (9.5, 100, None)


def test_deleting_leaves_the_lessons_and_keeps_the_preview_until_the_trash_is_emptied(
    people: People, session: Session
) -> None:
    course = factories.make_course(instructor=people.instructor.user, mux_asset_id="a", mux_playback_id="p")
    factories.make_tracking(course, status="ready", mux_asset_id="a", mux_playback_id="p")
    lesson = factories.make_playing_lesson(creator=people.instructor.user, course_id=course.id)
    answer = people.instructor.delete(f"/courses/{course.id}")
    assert (answer.status_code, answer.data) == (204, b"")
    seen = people.instructor.get(f"/lessons/{lesson.id}").get_json()
    assert (seen["course_id"], seen["status"]) == (None, "published")
    assert session.scalar(select(func.count()).select_from(Course)) == 0
    assert session.scalars(select(AssetDeletion.mux_asset_id)).all() == []
    refused(people.instructor.get(f"/courses/{course.id}"), 404)
    assert people.instructor.get("/courses", trash="1").get_json()["items"][0]["id"] == str(course.id)
    back = people.instructor.post(f"/courses/{course.id}/restore").get_json()
    assert (back["deleted_at"], back["video"]["asset_id"]) == (None, "a")
    assert people.instructor.get(f"/lessons/{lesson.id}").get_json()["course_id"] == str(course.id)


def test_sections_stand_in_the_course_and_are_said_all_at_once(people: People) -> None:
    course = factories.make_course(instructor=people.instructor.user)
    draft, out = (
        factories.make_lesson(creator=people.instructor.user, course=course).id,
        factories.make_playing_lesson(creator=people.instructor.user, course_id=course.id).id,
    )
    path = f"/courses/{course.id}"
    wanted = [
        {"title": "Basics", "lesson_ids": [str(draft)]},
        {"title": "Practice", "lesson_ids": [str(out)]},
    ]
    made = people.instructor.patch(path, {"sections": wanted}).get_json()["sections"]
    assert [(one["title"], one["lesson_ids"]) for one in made] == [
        ("Basics", [str(draft)]),
        ("Practice", [str(out)]),
    ]
    assert people.instructor.get(path).get_json()["sections"] == made
    assert people.support.get(path).get_json()["sections"] == made
    assert people.student.get(path).get_json()["sections"] == made[1:], "the other has drafts only"
    (listed,) = people.student.get("/courses").get_json()["items"]
    assert listed["sections"] == made[1:]
    renamed = [{"id": made[1]["id"], "title": "Practise"}]
    left = people.instructor.patch(path, {"sections": renamed, "title": "New"}).get_json()
    assert left["sections"] == [{"id": made[1]["id"], "title": "Practise", "lesson_ids": [str(out)]}]
    assert left["title"] == "New"
    assert people.instructor.patch(path, {"title": "Newer"}).get_json()["sections"] == left["sections"]


@pytest.mark.parametrize(
    ("sections", "field"),
    [
        ("Basics", "sections"),
        ([{"title": ""}], "sections.0.title"),
        ([{"title": " "}], "sections"),
        ([{"title": "x", "colour": "red"}], "sections.0.colour"),
        ([{"title": "x", "id": "00000000-0000-4000-8000-000000000000"}], "sections"),
        ([{"title": "x", "lesson_ids": ["00000000-0000-4000-8000-000000000000"]}], "sections"),
        ([{"title": "x"}] * 51, "sections"),
    ],
)
def test_sections_that_are_wrong_change_nothing(people: People, sections: Any, field: str) -> None:
    course = factories.make_course(instructor=people.instructor.user)
    body = {"title": "Other", "sections": sections}
    error = refused(people.instructor.patch(f"/courses/{course.id}", body), 400, "invalid_input")
    assert set(error["fields"]) == {field}
    found = people.instructor.get(f"/courses/{course.id}").get_json()
    assert (found["title"], found["sections"]) == (course.title, [])


def test_sections_of_a_page_of_courses_cost_the_same_however_many_there_are(people: People) -> None:
    figures = []
    people.instructor.get("/courses")  # notes that the token was used
    for _ in range(2):
        course = factories.make_course(instructor=people.instructor.user)
        factories.make_lesson(
            creator=people.instructor.user, course=course, section_id=factories.make_section(course).id
        )
        with counted() as asked:
            people.instructor.get("/courses")
        figures.append(len(asked))
    assert figures[0] == figures[1]


def test_the_language_of_a_course(people: People) -> None:
    made = people.instructor.post("/courses", {"title": "Maths", "language": "de"}).get_json()
    path = f"/courses/{made['id']}"
    assert made["language"] == "de"
    assert people.instructor.patch(path, {"title": "Algebra"}).get_json()["language"] == "de"
    assert people.instructor.patch(path, {"language": None}).get_json()["language"] is None
    for language in ("auto", "fr"):
        found = people.instructor.patch(path, {"language": language}).get_json()["language"]
        assert found == (None if language == "auto" else language)
    assert people.instructor.patch(path, {"language": "tlh"}).status_code == 400


def test_the_lesson_whose_picture_the_course_has_is_said(people: People) -> None:
    course = factories.make_course(instructor=people.instructor.user)
    mine = {"creator": people.instructor.user, "course_id": course.id}
    plays = [factories.make_playing_lesson(position=n, mux_playback_id=f"play{n}", **mine) for n in (1, 2)]
    draft = factories.make_lesson(creator=people.instructor.user, course=course)
    path, second = f"/courses/{course.id}", str(plays[1].id)
    assert people.instructor.get(path).get_json()["cover_lesson_id"] is None
    chosen = people.instructor.patch(path, {"cover_lesson_id": second, "title": "New"}).get_json()
    assert (chosen["cover_lesson_id"], chosen["title"]) == (second, "New")
    assert "/play2/" in chosen["cover"]
    assert people.instructor.patch(path, {"title": "Newer"}).get_json()["cover_lesson_id"] == second
    seen = people.student.get(path).get_json()
    assert (seen["cover"], seen["cover_lesson_id"]) == (chosen["cover"], None), "of no use to students"
    for wrong in (str(draft.id), "00000000-0000-4000-8000-000000000000", "x", ""):
        body = {"title": "Other", "cover_lesson_id": wrong}
        error = refused(people.instructor.patch(path, body), 400, "invalid_input")
        assert set(error["fields"]) == {"cover_lesson_id"}
    assert people.instructor.get(path).get_json()["title"] == "Newer", "nothing of it is changed"
    assert people.colleague.patch(path, {"cover_lesson_id": None}).status_code == 404
    first = people.instructor.patch(path, {"cover_lesson_id": None}).get_json()
    assert first["cover_lesson_id"] is None
    assert "/play1/" in first["cover"]
