"""The list of notices and the bell: unread figures, one line a cause, links to the thing, marks that stay."""

import re
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.models import Lesson, Notification, User
from tests.factories import (
    in_context,
    keep,
    make_course,
    make_lesson,
    make_playing_lesson,
    make_user,
    signed_in,
)
from tests.pages import Page, csrf_of, page_of

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def instructor() -> User:
    return make_user()


@pytest.fixture
def browser(instructor: User) -> FlaskClient:
    return signed_in(instructor)


def tell(user: User, message: str = "It failed.", *, kind: str = "video_failed", **columns: Any) -> uuid.UUID:
    return keep(Notification(user_id=user.id, kind=kind, message=message, **columns)).id


def post(browser: FlaskClient, path: str, **data: str) -> TestResponse:
    return browser.post(path, data={"csrf_token": csrf_of(browser, "/account"), **data})


def bell(page: Page) -> str:
    """What the bell says to a screen reader."""
    link = page.html.partition('data-js="bell"')[2].partition("</a>")[0]
    return link.partition('class="hidden-text">')[2].partition("<")[0]


def lines(page: Page) -> list[str]:
    found = re.findall(r'<h2 class="notice__title">(.*?)</h2>', page.html, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", one).split()) for one in found]


def test_the_bell_counts_what_is_unread(browser: FlaskClient, instructor: User) -> None:
    assert bell(page_of(browser.get("/courses"))) == "Notifications"
    tell(instructor)
    tell(instructor, read_at="2026-01-01T00:00Z")
    tell(make_user())
    assert bell(page_of(browser.get("/courses"))) == "Notifications, 1 unread"
    for _ in range(100):
        tell(instructor)
    page = page_of(browser.get("/courses"))
    assert bell(page) == "Notifications, 101 unread"
    assert "99+" in page.text("span")


def test_the_bell_of_an_open_page_asks_for_itself_alone(browser: FlaskClient, instructor: User) -> None:
    tell(instructor)
    answer = browser.get("/notifications/bell", headers={"X-Fragment": "bell"})
    assert answer.headers["X-Fragment"] == "bell"
    html = answer.get_data(as_text=True)
    assert "1 unread" in html
    assert "<html" not in html
    assert browser.get("/notifications/bell").location == "/notifications"


def opened(browser: FlaskClient, title: str) -> str | None:
    """Where a press on a notice of the list leads to: a form while it is unread, since that marks it as read."""
    page = page_of(browser.get("/notifications"))
    name = re.escape(title)
    form = re.search(rf'action="([^"]+/open)"(?:(?!</form>).)*<button[^>]+>{name}</button>', page.html)
    if form:
        return post(browser, form[1]).location
    link = re.search(rf'<a href="([^"]+)">{name}</a>', page.html)
    assert link, lines(page)
    return link[1]


def test_each_notice_leads_to_its_thing_and_is_read_by_it(browser: FlaskClient, instructor: User) -> None:
    lesson, course = make_lesson(creator=instructor, title="Wet <in> wet"), make_course(instructor=instructor)
    tell(instructor, "“Wet <in> wet” is published.", kind="lesson_published", lesson_id=lesson.id)
    tell(instructor, kind="video_ready", course_id=course.id)
    gone = tell(instructor, kind="video_deleted")
    page = page_of(browser.get("/notifications"))
    assert "Your lesson is published: Wet &lt;in&gt; wet New" in lines(page)
    assert "“Wet <in> wet” is published." not in page.text("p"), "its title has said so"
    for _ in range(2):  # unread, then read
        assert opened(browser, "Your lesson is published: Wet &lt;in&gt; wet") == f"/lessons/{lesson.id}/edit"
        assert opened(browser, f"Your video is ready: {course.title}") == f"/courses/{course.id}/edit"
        assert bell(page_of(browser.get("/courses"))) == "Notifications, 1 unread"
    assert post(browser, f"/notifications/{gone}/open").location == "/notifications"
    assert bell(page_of(browser.get("/courses"))) == "Notifications"


def test_staff_are_led_from_an_alarm_to_the_panel() -> None:
    support = make_user(role="support")
    tell(support, "The clock stands still.", kind="alarm")
    browser = signed_in(support)
    assert lines(page_of(browser.get("/notifications"))) == ["Lessonadmin needs attention New"]
    assert opened(browser, "Lessonadmin needs attention") == "/admin/"


def test_staff_are_led_to_a_lesson_of_another_person_in_the_panel_and_to_their_own_in_the_editor(
    instructor: User,
) -> None:
    support = make_user(role="support")
    lesson, own = make_lesson(creator=instructor, title="Rye"), make_lesson(creator=support, title="Oats")
    course = make_course(instructor=instructor)
    for about in ({"lesson_id": lesson.id}, {"lesson_id": own.id}, {"course_id": course.id}):
        tell(support, kind="alarm", cause="stuck_for_staff", **about)
    page = page_of(signed_in(support).get("/notifications"))
    assert lines(page) == ["3 lessons are stuck New"]
    assert page.all("details") == [], "so few are listed at once"
    links = re.findall(r'<li><a href="([^"]+)">', page.html.partition("notice__list")[2])
    assert [link.replace("&amp;", "&") for link in links] == [
        f"/admin/course/details/?id={course.id}",
        f"/lessons/{own.id}/edit",
        f"/admin/lesson/details/?id={lesson.id}",
    ]


def test_many_of_one_cause_are_one_line_with_every_lesson_in_it(
    browser: FlaskClient, instructor: User
) -> None:
    lessons = [make_lesson(creator=instructor, title=f"Lesson {n}") for n in range(30)]
    for lesson in lessons:
        tell(
            instructor,
            f"The video of “{lesson.title}” failed.",
            lesson_id=lesson.id,
            cause="upload_timed_out",
        )
    page = page_of(browser.get("/notifications"))
    assert lines(page) == ["30 videos failed New"]
    assert "Their uploads were not finished in time" in page.text("p")
    assert "Show the latest 25 of 30" in page.text("summary")
    links = [
        a["href"] for a in page.all("a") if re.fullmatch(r"/lessons/[0-9a-f-]{36}/edit", a["href"] or "")
    ]
    assert len(links) == 25


def test_one_digest_or_all_are_marked_and_the_list_stays_where_it_was(
    browser: FlaskClient, instructor: User
) -> None:
    for _ in range(3):
        tell(instructor, cause="stuck", kind="needs_attention")
    tell(instructor, kind="video_ready")
    tell(instructor, kind="lesson_published")
    page = page_of(browser.get("/notifications?show=unread"))
    assert len(lines(page)) == 3
    number = next(n for n, line in enumerate(lines(page)) if line.startswith("3 videos"))
    forms = [
        a["action"] or "" for a in page.all("form") if re.search(r"[0-9a-f-]{36}/read", a["action"] or "")
    ]
    assert post(browser, forms[number]).location == "/notifications?show=unread"
    assert sorted(lines(page_of(browser.get("/notifications?show=unread")))) == [
        "Your lesson is published New",
        "Your video is ready New",
    ]
    until = page_of(browser.get("/notifications")).one("input", name="until")["value"] or ""
    tell(instructor, "It came a moment later.", kind="video_ready")
    post(browser, "/notifications/read", until=until)
    assert lines(page_of(browser.get("/notifications?show=unread"))) == ["Your video is ready New"]
    post(browser, "/notifications/read")
    page = page_of(browser.get("/notifications?show=unread"))
    assert "All read" in page.text("h2")
    assert bell(page) == "Notifications"
    assert page.all("form", action="/notifications/read") == []


def test_no_user_marks_what_others_were_told(browser: FlaskClient) -> None:
    other = make_user()
    theirs = tell(other)
    assert post(browser, f"/notifications/{theirs}/read").status_code == 404
    assert post(browser, f"/notifications/{uuid.uuid4()}/read").status_code == 404
    assert post(browser, f"/notifications/{theirs}/open").status_code == 404
    assert browser.get(f"/notifications/{theirs}/open").status_code == 405, "a link marks nothing"
    assert browser.post(f"/notifications/{theirs}/read").status_code == 400, "without a token"
    post(browser, "/notifications/read")
    assert bell(page_of(signed_in(other).get("/courses"))) == "Notifications, 1 unread"


def test_older_ones_are_on_further_pages(browser: FlaskClient, instructor: User) -> None:
    for _ in range(45):
        tell(instructor, kind="video_ready")
    address, counts = "/notifications?show=unread", []
    while address:
        page = page_of(browser.get(address))
        counts.append(len(lines(page)))
        following = page.all("a", rel="next")
        address = (following[0]["href"] or "") if following else ""
    assert counts == [20, 20, 5]
    assert page.one("a", rel="prev")["href"] == "/notifications?show=unread"
    assert "Nothing older" in page_of(browser.get(f"/notifications?before={uuid.UUID(int=0)}")).text("h2")
    assert len(lines(page_of(browser.get("/notifications?before=nonsense&show=odd")))) == 20


@pytest.mark.parametrize("role", ["student", "instructor", "support", "admin"])
def test_each_role_has_a_list_of_its_own(role: str) -> None:
    assert "Nothing new" in page_of(signed_in(make_user(role=role)).get("/notifications")).text("h2")


def test_a_student_goes_to_the_lesson_or_the_course_as_long_as_they_see_it() -> None:
    student = make_user(role="student")
    course = make_course(title="Watercolour")
    lesson = make_playing_lesson(course=course, title="Edges")
    of_course = tell(
        student,
        "“Watercolour” has a new lesson: “Edges”.",
        kind="course_new_lesson",
        lesson_id=lesson.id,
        course_id=course.id,
    )
    of_lesson = tell(student, "“Edges” has a new video.", kind="lesson_new_video", lesson_id=lesson.id)
    browser = signed_in(student)
    for notice_id, place in (
        (of_lesson, f"/catalog/{lesson.id}"),
        (of_course, f"/catalog/courses/{course.id}"),
    ):
        answer = post(browser, f"/notifications/{notice_id}/open")
        assert answer.headers["Location"].endswith(place)
        assert browser.get(place).status_code == 200
    with in_context(), transaction(CLI):
        db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(status="draft"))
    page = page_of(browser.get("/notifications"))
    assert lines(page) == ["A lesson of yours has a new video", "A course of yours has a new lesson"]
    assert str(lesson.id) not in page.html
    assert str(course.id) not in page.html
