"""The trash as a page: what stands there, for whom, and its buttons with and without scripts."""

import uuid

import pytest
from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from tests.factories import (
    in_context,
    make_course,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_user,
    signed_in,
)
from tests.pages import page_of, post
from tests.settings import overridden
from tests.trash import delete, stored

pytestmark = pytest.mark.usefixtures("app")


def deleted(lesson: Lesson) -> Lesson:
    with in_context():
        delete(lesson)
    return lesson


def row(lesson: Lesson) -> Lesson | None:
    with in_context():
        found = stored(lesson)
        db.session.expunge_all()
        return found


def test_a_deletion_is_taken_back_by_the_button_of_its_message(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = make_playing_lesson(creator=instructor, title="Rye")
    asked = page_of(browser.get(f"/lessons/{lesson.id}/delete")).text("main")
    assert "“Rye” moves to the trash" in asked
    assert "for 30 days" in asked
    post(browser, f"/lessons/{lesson.id}/delete")
    page = page_of(browser.get("/lessons"))
    assert "“Rye” is in the trash." in page.text()
    undo = page.one("form", action=f"/trash/lesson/{lesson.id}/restore")
    assert post(browser, str(undo["action"])).location == f"/lessons/{lesson.id}/edit"
    assert "“Rye” is restored." in page_of(browser.get("/lessons")).text()
    found = row(lesson)
    assert found is not None
    assert (found.deleted_at, found.status) == (None, "draft")


def test_the_page_says_what_was_deleted_by_whom_and_until_when(
    browser: FlaskClient, instructor: User
) -> None:
    assert "The trash is empty" in page_of(browser.get("/trash")).text("main")
    lesson = deleted(make_playing_lesson(creator=instructor, title="<b>Rye"))
    deleted(make_playing_lesson(title="Of another"))
    said = page_of(browser.get("/trash"))
    for words in (
        "<b>Rye",
        "was published",
        "by you",
        "Restore and publish",
        "Restore as draft",
        "kept for 30 days",
    ):
        assert words in said.text("main")
    assert "Of another" not in said.text()
    assert [page_of(browser.get(f"/trash?page={odd}")).text("h1") for odd in ("x", "0", "99999999")] == [
        "Trash"
    ] * 3
    assert "Nothing on this page" in browser.get("/trash?page=2").text
    published = post(browser, f"/trash/lesson/{lesson.id}/restore", publish="1")
    assert published.status_code == 302
    assert "is restored and published" in page_of(browser.get("/trash")).text()


def test_the_second_of_two_who_restore_is_told_how_it_is(browser: FlaskClient, instructor: User) -> None:
    lesson = deleted(make_playing_lesson(creator=instructor, title="Rye"))
    assert post(browser, f"/trash/lesson/{lesson.id}/restore").status_code == 302
    assert "“Rye” is restored." in page_of(browser.get("/trash")).text()
    assert post(browser, f"/trash/lesson/{lesson.id}/restore", publish="1").status_code == 302
    said = page_of(browser.get("/trash")).text()
    assert "“Rye” is restored." in said
    assert "and published" not in said, "it stayed the draft that the first one wanted"


def test_staff_see_what_all_instructors_deleted(app: object) -> None:
    lesson = deleted(make_lesson(title="Rye", creator=make_user(name="Ines Ortega")))
    staff = signed_in(make_user(role="support"))
    said = page_of(staff.get("/trash")).text("main")
    assert "Rye" in said
    assert "Ines Ortega" in said
    assert post(staff, f"/trash/lesson/{lesson.id}/restore").status_code == 302


def test_deleting_permanently_asks_before(browser: FlaskClient, instructor: User) -> None:
    lesson = deleted(make_lesson(creator=instructor, title="Rye"))
    address = f"/trash/lesson/{lesson.id}/delete"
    assert "This can't be undone" in page_of(browser.get(address)).text("main")
    assert row(lesson) is not None
    assert post(browser, address).location == "/trash"
    assert row(lesson) is None
    assert "“Rye” is deleted permanently." in page_of(browser.get("/trash")).text()
    for again in (address, f"/trash/lesson/{lesson.id}/restore", f"/trash/course/{lesson.id}/restore"):
        assert post(browser, again).status_code == 404


def test_what_belongs_to_others_or_is_not_in_the_trash_is_missing(
    browser: FlaskClient, instructor: User
) -> None:
    here, theirs = make_lesson(creator=instructor), deleted(make_lesson())
    for lesson_id in (theirs.id, uuid.uuid4()):
        assert post(browser, f"/trash/lesson/{lesson_id}/restore").status_code == 404
    for lesson_id in (here.id, theirs.id):
        assert browser.get(f"/trash/lesson/{lesson_id}/delete").status_code == 404
        assert post(browser, f"/trash/lesson/{lesson_id}/delete").status_code == 404
    assert row(here) is not None
    student = signed_in(make_user(role="student"))
    assert student.get("/trash").status_code == 302


def test_a_course_says_what_becomes_of_its_lessons(browser: FlaskClient, instructor: User) -> None:
    course = make_course(instructor=instructor, title="Bread")
    make_lesson(creator=instructor, course=course)
    with overridden(trash_days=7):
        said = page_of(browser.get(f"/courses/{course.id}/delete")).text("main")
    assert "for 7 days" in said
    assert "without a course until it is restored" in said
    post(browser, f"/courses/{course.id}/delete")
    assert "1 lesson without it" in page_of(browser.get("/trash")).text("main")
    assert post(browser, f"/trash/course/{course.id}/restore").location == f"/courses/{course.id}/edit"


def test_a_bought_lesson_is_withdrawn_from_sale_where_its_deletion_is_refused(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = make_playing_lesson(creator=instructor, price_cents=900)
    buyer = make_user(role="student")
    make_purchase(lesson, buyer)
    editor = f"/lessons/{lesson.id}/edit"
    page = page_of(browser.get(editor))
    assert "so it cannot be deleted. Withdraw it from sale instead" in page.text("main")
    assert len(page.all("a", href=f"/lessons/{lesson.id}/unpublish")) == 2
    assert "Withdraw the lesson from sale?" in page.text("main")
    assert "Withdraw the lesson from sale?" in browser.get(f"/lessons/{lesson.id}/unpublish").text
    post(browser, f"/lessons/{lesson.id}/unpublish")
    said = page_of(browser.get(editor)).text("main")
    assert "It is withdrawn from sale: students who bought it can still play it" in said
    assert "Put back on sale" in said
    assert signed_in(buyer).get(f"/api/lessons/{lesson.id}/playback").status_code == 200
    other = signed_in(make_user(role="student"))
    assert other.get(f"/catalog/{lesson.id}").status_code == 404
    assert other.get(f"/api/lessons/{lesson.id}/playback").status_code == 404
    post(browser, f"/lessons/{lesson.id}/publish")
    assert other.get(f"/catalog/{lesson.id}").status_code == 200


def test_courses_are_ticked_beside_lessons_shown_restored_and_put_back(
    browser: FlaskClient, instructor: User
) -> None:
    course = make_course(instructor=instructor, title="Bread")
    make_lesson(creator=instructor, course=course)
    lesson = deleted(make_playing_lesson(creator=instructor, title="Rye"))
    post(browser, f"/courses/{course.id}/delete")
    browser.get("/trash")  # takes the message with its own “Undo”
    listed = page_of(browser.get("/trash"))
    assert listed.one("input", name="course_id")["value"] == str(course.id)
    chosen = {"course_id": str(course.id), "rowid": [str(lesson.id), str(uuid.uuid4()), "x"]}
    asked = post(browser, "/trash/restore", action="restore_and_publish", **chosen)
    seen = page_of(asked)
    assert (seen.text("h1"), seen.faults()) == ("Restore 1 course and 1 lesson and publish", [])
    for words in ("with 1 lesson in it again", "It is restored and published.", "1 of your choice is not there any more"):  # fmt: skip
        assert words in seen.text("main")
    found = row(lesson)
    assert found is not None
    assert found.deleted_at is not None, "nothing was done yet"
    sure = {"action": "restore_and_publish", "sure": "1"}
    assert post(browser, "/trash/restore", **sure, **chosen).location == "/trash"
    said = page_of(browser.get("/trash"))
    assert "1 course and 1 lesson are restored." in said.text()
    said.one("form", action="/trash/put-back")
    fields = {"course_id": str(course.id), "rowid": str(lesson.id)}
    for name, value in fields.items():
        said.one("input", type="hidden", name=name, value=value)
    post(browser, "/trash/restore", **sure, **chosen)
    assert "None of these is in the trash any more" in page_of(browser.get("/trash")).text()
    make_purchase(lesson, make_user(role="student"))
    post(browser, "/trash/put-back", **fields)
    assert "1 course is in the trash again. 1 is not: bought or deleted meanwhile." in page_of(browser.get("/trash")).text()  # fmt: skip
    post(browser, "/trash/restore", action="restore_as_draft", sure="1", course_id=str(course.id))
    assert "1 course is restored." in page_of(browser.get("/trash")).text()


def test_lessons_alone_are_a_bulk_action_and_what_cannot_be_is_refused(
    browser: FlaskClient, instructor: User
) -> None:
    lesson = deleted(make_lesson(creator=instructor))
    handed = post(browser, "/trash/restore", action="restore_as_draft", rowid=str(lesson.id))
    assert (handed.status_code, handed.location) == (307, "/lessons/bulk")
    assert post(browser, "/trash/restore", action="trash", course_id=str(lesson.id)).status_code == 400
    many = [str(uuid.uuid4()) for _ in range(51)]
    assert post(browser, "/trash/restore", action="restore_as_draft", course_id=many).status_code == 400
    theirs = make_course(title="Of another")
    with in_context():
        delete(theirs)
    for more in ({}, {"sure": "1"}):
        answer = post(browser, "/trash/restore", action="restore_as_draft", course_id=str(theirs.id), **more)
        assert answer.location == "/trash"
    assert "Of another" not in browser.get("/trash").text
    with in_context():
        found = stored(theirs)
        assert found is not None
        assert found.deleted_at is not None
    assert [one.get("name") for one in page_of(browser.get("/trash")).all("input", form="action_form")] == ["rowid"]  # fmt: skip
