"""A course may hold lessons of another instructor: it was given away, or staff put them there. Its instructor sees of them what a
student sees, and nothing by which their videos could be watched."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Course, Lesson, User
from tests.factories import (
    bearer,
    in_context,
    make_course,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
    signed_in,
)
from tests.pages import csrf_of, page_of

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def new() -> User:
    return make_user(name="Bea")


@pytest.fixture
def course(new: User) -> Course:
    """It was A's, and is B's now: a draft, a draft with a video, a paid lesson, and one of B's own."""
    former = make_user(name="Anna Canary-Instructor")
    made = make_course(instructor=new)
    in_it = {"creator": former, "course_id": made.id}
    make_lesson(title="canary-draft", price_cents=7777, position=1, **in_it)
    coming = make_lesson(title="canary-coming", video_processing_status="processing", position=2, **in_it)
    make_tracking(coming, status="processing", mux_asset_id="canary-asset-0", upload_id="canary-upload")
    make_playing_lesson(
        title="canary-unpublished", status="draft", mux_asset_id="canary-asset-1", mux_playback_id="canary-play-1",
        position=3, **in_it,
    )  # fmt: skip
    make_playing_lesson(
        title="On sale", price_cents=900, mux_asset_id="canary-asset-2", mux_playback_id="canary-play-2",
        position=4, **in_it,
    )  # fmt: skip
    make_lesson(title="My own draft", creator=new, course_id=made.id, position=5)
    return made


def ids_of(course: Course) -> list[Lesson]:
    with in_context():
        query = db.select(Lesson).where(Lesson.course_id == course.id).order_by(Lesson.position)
        return list(db.session.scalars(query.execution_options(populate_existing=True)))


def test_no_page_and_no_answer_shows_what_is_not_out(new: User, course: Course, client: FlaskClient) -> None:
    browser = signed_in(new)
    pages = [
        "/courses", f"/courses/{course.id}/edit", f"/courses/{course.id}/delete", f"/courses/{course.id}/video",
        "/lessons", f"/lessons/new?course_id={course.id}", "/catalog", f"/catalog/courses/{course.id}", "/notifications",
    ]  # fmt: skip
    answers = [
        "/api/courses", f"/api/courses/{course.id}", "/api/lessons?per_page=100", "/api/lessons?q=canary",
        f"/api/mux/check-asset-status?course_id={course.id}",
        *(f"/api/lessons/{one.id}" for one in ids_of(course)),
        *(f"/api/mux/check-asset-status?lesson_id={one.id}" for one in ids_of(course)),
    ]  # fmt: skip
    assert len(answers) == 15, "five lessons, each asked for twice"
    said = [(path, browser.get(path, follow_redirects=True).text) for path in pages]
    said += [(path, client.get(path, headers=bearer(new)).text) for path in answers]
    for path, text in said:
        assert "canary-" not in text, path
        assert "77.77" not in text, path
    assert "On sale" in dict(said)[f"/courses/{course.id}/edit"]


def test_staff_see_all_of_it(course: Course) -> None:
    """The control: the page would show it, were it not for whose it is."""
    text = signed_in(make_user(role="support")).get(f"/courses/{course.id}/edit").text
    assert "canary-draft" in text
    assert "canary-play-2" in text


def test_a_lesson_of_another_is_shown_as_a_student_sees_it(new: User, course: Course) -> None:
    page = page_of(signed_in(new).get(f"/courses/{course.id}/edit"))
    on_sale, own = ids_of(course)[3], ids_of(course)[4]
    links = [attrs.get("href") for _, attrs in page.elements]
    assert f"/lessons/{own.id}/edit" in links
    assert f"/lessons/{on_sale.id}/edit" not in links
    text = page.text("ol")
    for word in ("On sale", "Anna Canary-Instructor", "EUR 9.00", "My own draft"):
        assert word in text


def test_the_figures_count_what_is_shown(new: User, course: Course) -> None:
    assert "2, 1 published" in page_of(signed_in(new).get("/courses")).text("table")
    told = page_of(signed_in(new).get(f"/courses/{course.id}/delete")).text()
    assert "Its 2 lessons are kept" in told
    assert "Lessons of other instructors in it are kept, too." in told


def post(browser: FlaskClient, path: str, **data: Any) -> None:
    assert browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data}).status_code == 302


def test_ordering_leaves_what_is_hidden_in_its_place(new: User, course: Course) -> None:
    before = [one.id for one in ids_of(course)]
    wanted: list[uuid.UUID] = [before[4], before[3]]
    post(signed_in(new), f"/courses/{course.id}/order", lesson_id=[str(one) for one in wanted])
    assert [one.id for one in ids_of(course)] == [*before[:3], *wanted]
    foreign = [str(before[0]), str(before[2])]
    post(signed_in(new), f"/courses/{course.id}/order", lesson_id=[*foreign[::-1], *map(str, wanted)])
    assert [one.id for one in ids_of(course)] == [*before[:3], *wanted]


def test_deleting_the_course_keeps_every_lesson(new: User, course: Course) -> None:
    before = {one.id: one.creator_id for one in ids_of(course)}
    post(signed_in(new), f"/courses/{course.id}/delete")
    with in_context():
        kept = db.session.scalars(db.select(Lesson).execution_options(populate_existing=True)).all()
        assert {one.id: one.creator_id for one in kept} == before
        assert {one.course_id for one in kept} == {None}
