"""The sections of a course on its pages: added, renamed, removed, and lessons moved into them without a script."""

import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import Course, CourseSection, Lesson
from tests.factories import in_context, make_course, make_section
from tests.pages import csrf_of, page_of, post
from tests.views.courses.test_ordering import ids_on, order_of

pytestmark = pytest.mark.usefixtures("app")


def sections_of(course: Course) -> dict[str, uuid.UUID]:
    with in_context():
        rows = (
            select(CourseSection).where(CourseSection.course_id == course.id).order_by(CourseSection.position)
        )
        return {one.title: one.id for one in db.session.scalars(rows)}


def inside(section_id: uuid.UUID | None) -> list[str]:
    with in_context():
        rows = select(Lesson.title).where(Lesson.section_id == section_id).order_by(Lesson.position)
        return list(db.session.scalars(rows))


def test_a_section_is_added_renamed_and_removed(course: Course, browser: FlaskClient) -> None:
    address = f"/courses/{course.id}"
    added = post(browser, f"{address}/sections", section="Basics")
    (section_id,) = sections_of(course).values()
    assert added.location == f"{address}/edit#section-{section_id}"
    assert "Basics" in page_of(browser.get(f"{address}/edit")).text("h3")
    page = page_of(browser.get(f"{address}/sections/{section_id}"))
    assert page.one("input", name="section")["value"] == "Basics"
    version = page.all("input", name="version")[0]["value"]
    post(browser, f"{address}/sections/{section_id}", section="Ground", version=version)
    assert list(sections_of(course)) == ["Ground"]
    late = post(browser, f"{address}/sections/{section_id}", section="Other", version=version)
    assert (late.status_code, list(sections_of(course))) == (409, ["Ground"])
    shown = page_of(late)
    assert "The section is called “Ground” now." in shown.text("form")
    assert shown.one("input", name="section")["value"] == "Other"
    fresh = shown.all("input", name="version")[0]["value"]
    post(browser, f"{address}/sections/{section_id}", section="Other", version=fresh)
    assert list(sections_of(course)) == ["Other"]
    for stale in (fresh, "", "x"):
        refused = post(browser, f"{address}/sections/{section_id}/remove", version=stale)
        assert (refused.status_code, list(sections_of(course))) == (409, ["Other"])
    shown = page_of(refused)
    assert "Remove it again if you still want to." in shown.text("form")
    newest = shown.all("input", name="version")[-1]["value"]
    post(browser, f"{address}/sections/{section_id}/remove", version=newest)
    assert sections_of(course) == {}
    assert order_of(course) == ["A", "B", "C", "D"]
    assert browser.get(f"{address}/sections/{section_id}").status_code == 404


def test_a_title_that_is_refused_is_kept_beside_its_error(course: Course, browser: FlaskClient) -> None:
    answer = post(browser, f"/courses/{course.id}/sections", section="x" * 201)
    page = page_of(answer)
    assert (answer.status_code, page.one("input", name="section")["value"]) == (400, "x" * 201)
    assert page.one("input", name="section")["aria-invalid"] == "true"
    section = make_section(course, title="Basics")
    answer = post(browser, f"/courses/{course.id}/sections/{section.id}", section=" ", version="x")
    assert (answer.status_code, list(sections_of(course))) == (400, ["Basics"])


def test_a_section_of_another_course_is_not_there(course: Course, browser: FlaskClient) -> None:
    foreign = make_section(make_course(), title="Foreign")
    for path in (f"{foreign.course_id}/sections/{foreign.id}", f"{course.id}/sections/{foreign.id}"):
        assert browser.get(f"/courses/{path}").status_code == 404
        assert post(browser, f"/courses/{path}", section="Mine", version="1").status_code == 404
        assert post(browser, f"/courses/{path}/remove").status_code == 404
    assert post(browser, f"/courses/{foreign.course_id}/sections", section="Mine").status_code == 404
    with in_context():
        assert [one.title for one in db.session.scalars(select(CourseSection))] == ["Foreign"]


def rows_on(browser: FlaskClient, course: Course) -> list[str]:
    page = page_of(browser.get(f"/courses/{course.id}/edit"))
    return [a["value"] or "" for a in page.all("input", name="row")]


def test_lessons_step_into_sections_and_sections_move_with_their_lessons(
    course: Course, browser: FlaskClient
) -> None:
    order = f"/courses/{course.id}/order"
    lessons = ids_on(page_of(browser.get(f"/courses/{course.id}/edit")))
    first, second = (
        make_section(course, title=title, position=n).id for n, title in enumerate(("One", "Two"), 1)
    )

    def press(way: str, row_id: object) -> str:
        answer = post(browser, order, row=rows_on(browser, course), move=f"{way} {row_id}")
        return answer.location or ""

    assert press("down", lessons[3]).endswith(f"#lesson-{lessons[3]}")
    press("down", lessons[3])  # past the second heading
    press("down", lessons[2])
    assert (inside(None), inside(first), inside(second)) == (["A", "B"], ["C"], ["D"])
    assert press("up", second).endswith(f"#section-{second}")
    assert list(sections_of(course)) == ["Two", "One"]
    assert order_of(course) == ["A", "B", "D", "C"]
    press("up", second)  # it is the first already; lessons without a section stay before it
    press("down", first)
    assert rows_on(browser, course) == [
        *(f"lesson {one}" for one in lessons[:2]),
        f"section {second}",
        f"lesson {lessons[3]}",
        f"section {first}",
        f"lesson {lessons[2]}",
    ]


def test_a_page_from_before_a_section_was_added_moves_nothing_out_of_it(
    course: Course, browser: FlaskClient
) -> None:
    stale = rows_on(browser, course)
    section = make_section(course, title="New").id
    with in_context():
        db.session.execute(Lesson.__table__.update().where(Lesson.title == "B").values(section_id=section))
        db.session.commit()
    data = {"csrf_token": csrf_of(browser, "/account"), "row": [*stale[::-1], "nonsense", "section x"]}
    assert (
        browser.post(f"/courses/{course.id}/order", data=data, headers={"X-Fragment": "order"}).status_code
        == 204
    )
    assert (inside(section), order_of(course)) == (["B"], ["D", "C", "A", "B"])
