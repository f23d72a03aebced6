"""The page for many files, and how its lessons stand."""

import uuid

from flask.testing import FlaskClient

from lessonadmin.domain.models import Lesson, User
from tests.factories import make_lesson, make_playing_lesson, make_tracking, make_user, signed_in
from tests.pages import Page, page_of
from tests.queries import counted


def begun(creator: User, **columns: object) -> Lesson:
    lesson = make_lesson(creator=creator, video_processing_status="uploading", **columns)
    make_tracking(lesson, status="uploading", upload_id=f"upload-{lesson.id}", filename="film.mp4")
    return lesson


def rows_of(page: Page) -> list[dict[str, str | None]]:
    return [one for one in page.all("li") if one.get("data-lesson")]


def test_the_page_lists_what_misses_its_file(browser: FlaskClient, instructor: User) -> None:
    lesson = begun(instructor, title="Bread", price_cents=999)
    made = make_lesson(creator=instructor, client_key=uuid.uuid4())
    make_playing_lesson(creator=instructor)
    page = page_of(browser.get("/lessons/upload"))
    rows = rows_of(page)
    assert [row["data-lesson"] for row in rows] == [str(lesson.id), str(made.id)]
    assert [row["data-upload"] for row in rows] == [f"upload-{lesson.id}", ""]
    assert [row["data-key"] for row in rows] == ["", str(made.client_key)]
    assert page.one("input", value="9.99")
    assert page.all("form", method="post") == page.all("form", action="/logout"), "there is no order"


def test_it_says_how_much_it_takes_and_what_it_needs(browser: FlaskClient) -> None:
    answer = browser.get("/lessons/upload")
    page = page_of(answer)
    words = page.text("main")
    assert "Two are sent at a time" in words
    assert "up to 50 files at once" in words
    assert "needs JavaScript" in words
    assert page.one("a", href="/lessons/new")
    assert len(answer.data) < 150_000
    assert page_of(browser.get("/lessons")).one("a", href="/lessons/upload")


def test_how_lessons_stand_is_answered_for_all_at_once(browser: FlaskClient, instructor: User) -> None:
    playing = make_playing_lesson(creator=instructor, status="published", publish_on_ready=False)
    draft = make_playing_lesson(creator=instructor, status="draft", published_at=None, publish_on_ready=False)
    waiting, foreign = begun(instructor), make_lesson()
    failed = make_lesson(
        creator=instructor, video_processing_status="error", video_error_type="upload_errored"
    )
    ids = [str(one.id) for one in (playing, draft, waiting, foreign, failed)]
    answer = browser.get("/lessons/upload/states", query_string={"id": [*ids, "x", ids[0]], "attempt": 1})
    page = Page(answer.get_data(as_text=True))
    found = {row["data-lesson"]: row for row in rows_of(page)}
    stands = [found[one]["data-status"] if one in found else None for one in ids]
    assert stands == ["published", "ready", "uploading", None, "error"]
    assert [one for one in ids if "data-moving" in found.get(one, {})] == [ids[2]]
    words = page.text("ul")
    for said in (
        "Students find it",
        "Only you see the lesson",
        "Mux is waiting for the file",
        "Mux could not use the file",
    ):
        assert said in words


def test_many_cost_as_many_statements_as_one(browser: FlaskClient, instructor: User) -> None:
    lessons = [begun(instructor)]

    def cost(address: str) -> int:
        browser.get(address)
        with counted() as sent:
            assert browser.get(address).status_code == 200
        return len(sent)

    def costs() -> list[int]:
        ids = "&".join(f"id={lesson.id}" for lesson in lessons)
        return [cost("/lessons/upload"), cost(f"/lessons/upload/states?{ids}")]

    few = costs()
    lessons += [begun(instructor) for _ in range(5)]
    assert costs() == few
    assert max(few) <= 8


def test_a_student_is_sent_elsewhere(browser: FlaskClient) -> None:
    student = signed_in(make_user(role="student"))
    for address in ("/lessons/upload", "/lessons/upload/states"):
        assert student.get(address).status_code == 302
        assert browser.get(address).status_code == 200
