"""The catalogue: what is out is found, what is not stays unseen, and nothing that must be bought is given away."""

import base64
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.models import Course, Lesson, LessonProgress, Purchase, User
from tests.domain.captions.support import transcribed
from tests.factories import (
    in_context,
    keep,
    make_course,
    make_lesson,
    make_playing_lesson,
    make_purchase,
    make_section,
    make_user,
    signed_in,
)
from tests.pages import Page, csrf_of, page_of
from tests.queries import counted
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("app")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOT_OUT: list[dict[str, Any]] = [
    {"status": "draft"},
    {"status": "draft", "video_processing_status": "processing", "mux_playback_id": None},
    {"status": "draft", "video_processing_status": "error", "mux_playback_id": None},
    {"video_processing_status": "error", "mux_playback_id": None},
    {"video_processing_status": "none", "mux_asset_id": None, "mux_playback_id": None},
    {"mux_playback_id": None},
]


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return base64.b64encode(pem).decode()


@pytest.fixture
def student() -> User:
    return make_user(role="student")


@pytest.fixture
def browser(student: User) -> FlaskClient:
    return signed_in(student)


def change(row: Lesson | Course, **columns: Any) -> None:
    with in_context(), transaction(CLI):
        found = db.session.get_one(type(row), row.id)
        for name, value in columns.items():
            setattr(found, name, value)


def titles(page: Page) -> list[str]:
    """The lessons of a list, in their order."""
    return re.findall(r'<h2 class="shelf__title"><a [^>]*>([^<]*)</a>', page.html)


def seen(browser: FlaskClient, address: str = "/catalog") -> list[str]:
    return titles(page_of(browser.get(address)))


def buy(browser: FlaskClient, lesson: Lesson, **data: str) -> TestResponse:
    token = csrf_of(browser, "/catalog")
    return browser.post(f"/catalog/{lesson.id}/purchase", data={"csrf_token": token, **data})


def bought_rows() -> int:
    with in_context():
        return db.session.scalar(select(func.count()).select_from(Purchase)) or 0


def test_the_latest_published_stands_first_with_price_course_and_length(browser: FlaskClient) -> None:
    course = make_course(title="Watercolour")
    make_playing_lesson(title="Older", published_at=NOON, course=course, price_cents=123_456)
    make_playing_lesson(title="Newer", published_at=NOON + timedelta(hours=1))
    page = page_of(browser.get("/catalog"))
    assert titles(page) == ["Newer", "Older"]
    assert "1,234.56" in page.text("main")
    assert "Free" in page.text("main")
    assert "Watercolour" in page.text("p")
    assert "1:01" in page.text("main")


@pytest.mark.parametrize("columns", NOT_OUT)
@pytest.mark.parametrize("role", ["student", "instructor", "admin"])
def test_what_does_not_play_or_is_no_more_than_a_draft_is_invisible_and_not_for_sale(
    browser: FlaskClient, columns: dict[str, Any], role: str
) -> None:
    lesson = make_playing_lesson(title="Unseen", price_cents=500, **columns)
    looking = browser if role == "student" else signed_in(make_user(role=role))
    assert seen(looking) == []
    assert looking.get(f"/catalog/{lesson.id}").status_code == 404
    answer = buy(looking, lesson)
    assert answer.status_code == (409 if role == "student" else 403)
    assert bought_rows() == 0


def test_a_student_leaves_out_what_is_done(browser: FlaskClient) -> None:
    done, new = (make_playing_lesson(title=title) for title in ("Done", "New"))
    form = {"csrf_token": csrf_of(browser, "/catalog"), "done": "1"}
    browser.post(f"/catalog/{done.id}/done", data=form)
    page = page_of(browser.get("/catalog?to_do=1&q="))
    assert titles(page) == [new.title]
    assert "Not done yet" in page.text()
    browser.post(f"/catalog/{new.id}/done", data=form)
    assert "No lesson is left with these choices." in page_of(browser.get("/catalog?to_do=1")).text()
    instructor = page_of(signed_in(make_user()).get("/catalog?to_do=1"))
    assert sorted(titles(instructor)) == ["Done", "New"]
    assert "Not done yet" not in instructor.text()


def test_a_search_has_an_order_of_its_own_and_offers_no_other(browser: FlaskClient) -> None:
    make_playing_lesson(title="Rye")
    assert "Title, A to Z" in page_of(browser.get("/catalog")).text()
    assert "Title, A to Z" not in page_of(browser.get("/catalog?q=rye")).text()


def test_order_and_filters_stay_in_the_address_from_page_to_page(browser: FlaskClient) -> None:
    ann, bea = (make_user(name=name) for name in ("Ann", "Bea"))
    for number in range(25):
        make_playing_lesson(title=f"{24 - number:02}", creator=ann)
    make_playing_lesson(title="Of Bea", creator=bea)
    page = page_of(browser.get(f"/catalog?sort=title&instructor_id={ann.id}"))
    assert titles(page) == [f"{n:02}" for n in range(24)]
    (further,) = [one["href"] for one in page.all("a", rel="next")]
    assert further is not None
    assert f"instructor_id={ann.id}" in further
    last = page_of(browser.get(further))
    assert titles(last) == ["24"]
    (back,) = [one["href"] for one in last.all("a", rel="prev")]
    assert titles(page_of(browser.get(back or ""))) == titles(page)
    chosen = [one["value"] for one in last.all("option") if "selected" in one]
    assert {str(ann.id), "title"} <= set(chosen)


def test_missing_lessons_and_courses_are_not_found(browser: FlaskClient) -> None:
    paths = (f"/catalog/{uuid.uuid4()}", f"/catalog/courses/{uuid.uuid4()}", "/catalog/nonsense")
    assert {path: browser.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)
    empty = make_course()
    make_lesson(course=empty)
    assert browser.get(f"/catalog/courses/{empty.id}").status_code == 404


def test_a_search_that_finds_nothing_shows_what_was_typed(browser: FlaskClient) -> None:
    make_playing_lesson(title="Sourdough")
    assert seen(browser, "/catalog?q=sour") == ["Sourdough"]
    page = page_of(browser.get("/catalog?q=" + "<script>'%26|!:*"))
    assert "Nothing found" in page.text("h2")
    assert "Try a shorter word, or check the spelling." in page.text("main")
    assert page.one("input", type="search")["value"] == "<script>'&|!:*"


def test_a_search_leads_to_what_it_finds_on_the_other_tab(browser: FlaskClient) -> None:
    make_playing_lesson(title="First wash", course=make_course(title="Watercolour for beginners"))
    page = page_of(browser.get("/catalog?q=watercolor"))
    assert titles(page) == ["First wash"]
    assert "Nothing matches “watercolor” exactly. These are similar:" in page.text("main")
    assert "1 course matches" in page.text("main")
    assert titles(page_of(browser.get("/catalog?q=watercolour"))) == ["First wash"]
    courses = page_of(browser.get("/catalog/courses?q=watercolor"))
    assert titles(courses) == ["Watercolour for beginners"]
    assert "1 lesson matches" in courses.text("main")
    assert any(link["href"] == "/catalog?q=watercolor" for link in courses.all("a"))
    assert any(link["href"] == "/catalog/courses?q=watercolor" for link in page.all("a"))
    page = page_of(browser.get("/catalog?q=wash"))
    assert "match" not in page.text("main")


@pytest.mark.parametrize(
    "odd",
    [
        "course_id=x",
        "instructor_id=x",
        "sort=x",
        "sort=title&after=x",
        "sort=course&after=x",
        "q=a&page=x",
        "q=a&page=0",
        "after=x",
        "before=9.9",
        f"after={'9' * 79}.x",
        "show=odd",
        f"after=-1.{uuid.uuid4()}",
    ],
    ids=[
        "course",
        "instructor",
        "sort",
        "sorted after",
        "course after",
        "page",
        "page 0",
        "after",
        "before",
        "far after",
        "show",
        "long ago",
    ],
)
def test_odd_addresses_are_whole_pages(browser: FlaskClient, odd: str) -> None:
    page_of(browser.get(f"/catalog?{odd}"))


def test_the_pages_of_a_list_lead_to_each_other(browser: FlaskClient) -> None:
    creator = make_user()
    for number in range(25):
        make_playing_lesson(
            creator=creator, title=f"Le{number:02}", published_at=NOON + timedelta(minutes=number)
        )
    first = page_of(browser.get("/catalog?q=le"))
    assert first.all("a", rel="prev") == []
    address = first.one("a", rel="next")["href"] or ""
    assert "q=le" in address
    second = page_of(browser.get(address))
    assert (len(titles(first)), titles(second)) == (24, ["Le00"])
    assert second.all("a", rel="next") == []
    assert titles(page_of(browser.get(second.one("a", rel="prev")["href"] or ""))) == titles(first)


def test_free_ones_and_bought_ones_have_shelves_of_their_own(browser: FlaskClient, student: User) -> None:
    make_playing_lesson(title="Free one")
    paid = make_playing_lesson(title="Paid one", price_cents=500)
    bought = make_playing_lesson(title="Bought one", price_cents=500)
    make_purchase(bought, student)
    make_purchase(paid, make_user(role="student"))
    assert seen(browser, "/catalog?show=free") == ["Free one"]
    assert seen(browser, "/catalog/mine") == ["Bought one"]
    page = page_of(browser.get("/catalog"))
    assert page.text("main").count("Purchased") == 1
    instructor = page_of(signed_in(make_user()).get("/catalog"))
    assert "My lessons" not in instructor.text()


def test_a_page_of_lessons_costs_the_same_however_many_they_are(browser: FlaskClient, student: User) -> None:
    figures = []
    for _ in range(2):
        for _ in range(8):
            make_purchase(make_playing_lesson(course=make_course(), price_cents=100), student)
            make_playing_lesson(price_cents=100)
        with counted() as asked:
            assert len(seen(browser)) >= 16
        figures.append(len(asked))
    assert figures[0] == figures[1] <= 9


def test_a_free_lesson_plays_for_every_user(browser: FlaskClient) -> None:
    lesson = make_playing_lesson(description="Line one\nline <b>two</b>")
    for looking in (browser, signed_in(make_user()), signed_in(make_user(role="support"))):
        answer = looking.get(f"/catalog/{lesson.id}")
        page = page_of(answer)
        assert page.one("mux-player")["src"] == f"http://127.0.0.1:1/{lesson.mux_playback_id}.m3u8"
        assert "disable-tracking" in page.one("mux-player")
        assert "worker-src 'self' blob:" in answer.headers["Content-Security-Policy"]
        assert "line <b>two</b>" in page.text("main")
        assert "Buy" not in page.text("main")


def test_a_paid_lesson_gives_nothing_away_before_it_is_bought(browser: FlaskClient) -> None:
    course = make_course(title="Watercolour")
    lesson = make_playing_lesson(title="Paid", price_cents=499, course=course)
    for address in ("/catalog", f"/catalog/{lesson.id}", f"/catalog/courses/{course.id}", "/catalog?q=paid"):
        answer = browser.get(address)
        page = page_of(answer)
        assert lesson.mux_playback_id not in page.html
        assert lesson.mux_asset_id not in page.html
        assert page.all("mux-player") == []
        assert "vendor/" not in page.html, "no player where nothing plays"
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        assert "EUR 4.99" in page.text("main")


def test_a_signed_picture_may_be_shown_for_it_opens_nothing_else(
    browser: FlaskClient, private_key: str
) -> None:
    lesson = make_playing_lesson(price_cents=499, playback_policy="signed")
    with overridden(mux_signing_key_id="key-1", mux_signing_private_key=private_key):
        html = page_of(browser.get("/catalog")).html
        shown = page_of(browser.get(f"/catalog/{lesson.id}"))
    assert re.search(rf"/{lesson.mux_playback_id}/thumbnail\.jpg\?token=[\w.-]+\"", html)
    assert ".m3u8" not in shown.html
    assert shown.all("mux-player") == []


def test_the_preview_of_its_course_plays_for_a_student_who_has_not_bought(browser: FlaskClient) -> None:
    course = make_course(
        title="Watercolour", description="Six calm evenings", video_processing_status="ready",
        mux_asset_id="preview-asset", mux_playback_id="preview-film",
    )  # fmt: skip
    lesson = make_playing_lesson(price_cents=499, course=course)
    page = page_of(browser.get(f"/catalog/{lesson.id}"))
    assert "preview-film.m3u8" in (page.one("mux-player")["src"] or "")
    assert lesson.mux_playback_id not in page.html
    assert "preview of the course" in page.text("main")
    whole = page_of(browser.get(f"/catalog/courses/{course.id}"))
    assert "preview-film.m3u8" in (whole.one("mux-player")["src"] or "")
    assert "Six calm evenings" in whole.text("main")


def test_buying_is_recorded_once_and_opens_the_lesson(browser: FlaskClient, student: User) -> None:
    lesson = make_playing_lesson(title="Paid", price_cents=499)
    page = page_of(browser.get(f"/catalog/{lesson.id}"))
    assert "purchase is recorded" in page.text("main")
    assert "Nothing is charged here" in page.text("main")
    price = page.one("input", name="price_cents")["value"] or ""
    assert buy(browser, lesson, price_cents=price).location == f"/catalog/{lesson.id}"
    assert buy(browser, lesson, price_cents=price).status_code == 302
    assert bought_rows() == 1
    page = page_of(browser.get(f"/catalog/{lesson.id}"))
    assert f"{lesson.mux_playback_id}.m3u8" in (page.one("mux-player")["src"] or "")
    assert "Purchased" in page.text("dl")
    assert "Buy" not in page.text("main")


def test_no_student_pays_a_price_that_was_not_shown(browser: FlaskClient) -> None:
    lesson = make_playing_lesson(price_cents=499)
    change(lesson, price_cents=999)
    answer = buy(browser, lesson, price_cents="499")
    assert answer.status_code == 409
    assert "price of this lesson changed" in page_of(answer).text("main")
    assert bought_rows() == 0
    assert buy(browser, lesson, price_cents="999").status_code == 302


def test_only_students_buy(browser: FlaskClient) -> None:
    lesson = make_playing_lesson(price_cents=499)
    for role in ("instructor", "support", "admin"):
        other = signed_in(make_user(role=role))
        assert buy(other, lesson).status_code == 403
        page = page_of(other.get(f"/catalog/{lesson.id}"))
        assert page.all("form", action=f"/catalog/{lesson.id}/purchase") == []
        if role == "instructor":
            assert "Only students can buy" in page.text("main")
            assert page.all("mux-player") == []
    assert bought_rows() == 0
    assert browser.post(f"/catalog/{lesson.id}/purchase").status_code == 400, "without a token"


def test_what_was_bought_and_unpublished_plays_on_for_its_buyer_alone(
    browser: FlaskClient, student: User
) -> None:
    lesson = make_playing_lesson(price_cents=499)
    make_purchase(lesson, student)
    change(lesson, status="draft", published_at=None)
    page = page_of(browser.get(f"/catalog/{lesson.id}"))
    assert page.all("mux-player")
    assert "is not in the catalogue" in page.text("main")
    assert seen(browser, "/catalog/mine") == [lesson.title]
    assert seen(browser) == []
    assert signed_in(make_user(role="student")).get(f"/catalog/{lesson.id}").status_code == 404


def test_what_was_bought_and_does_not_play_any_more_is_said_kindly(
    browser: FlaskClient, student: User
) -> None:
    lesson = make_playing_lesson(price_cents=499)
    make_purchase(lesson, student)
    change(lesson, status="draft", video_processing_status="none", mux_playback_id=None, mux_asset_id=None)
    page = page_of(browser.get(f"/catalog/{lesson.id}"))
    assert "You bought this lesson or were given it." in page.text("main")
    assert page.all("mux-player") == []
    assert "Buy" not in page.text("main")
    assert "vendor/" not in page.html


def test_a_course_shows_its_lessons_in_their_order(browser: FlaskClient, student: User) -> None:
    course = make_course(title="Watercolour")
    for position, title in ((3, "Third"), (1, "First"), (2, "Second")):
        make_playing_lesson(course=course, title=title, position=position)
    make_lesson(course=course, title="Draft", position=0)
    page = page_of(browser.get(f"/catalog/courses/{course.id}"))
    assert titles(page) == ["First", "Second", "Third"]
    assert "3 lessons" in page.text("p")
    page = page_of(browser.get("/catalog/courses"))
    assert titles(page) == ["Watercolour"]
    assert "3 lessons" in page.text("main")
    assert titles(page_of(browser.get("/catalog/courses?q=water"))) == ["Watercolour"]
    assert titles(page_of(browser.get("/catalog/courses?q=oil"))) == []


def test_a_course_shows_its_sections_and_none_that_is_empty_for_the_student(browser: FlaskClient) -> None:
    course = make_course(title="Watercolour")
    basics, drafts, practice = (
        make_section(course, title=title, position=n)
        for n, title in enumerate(("Basics", "Drafts only", "Practice"))
    )
    lessons = {
        title: make_playing_lesson(
            course=course, title=title, position=n, section_id=section.id if section else None
        )
        for n, (title, section) in enumerate((("Wash", practice), ("Welcome", None), ("Paper", basics)))
    }
    make_lesson(course=course, title="Draft", section_id=drafts.id)
    page = page_of(browser.get(f"/catalog/courses/{course.id}"))
    assert page.text("h2").index("Basics") < page.text("h2").index("Practice")
    assert "Drafts only" not in page.html
    main = page.text("main")
    found = [main.index(title) for title in ("Welcome", "Basics", "Paper", "Practice", "Wash")]
    assert found == sorted(found)
    page = page_of(browser.get(f"/catalog/{lessons['Paper'].id}"))
    assert "Basics" in page.text("h3")
    assert "Drafts only" not in page.html


def test_courses_and_their_pages_cost_the_same_however_large_they_are(browser: FlaskClient) -> None:
    figures = []
    course = make_course()
    lesson = make_playing_lesson(course=course)
    for _ in range(2):
        for _ in range(6):
            make_playing_lesson(course=course, section_id=make_section(course).id)
            make_playing_lesson(course=make_course())
        for address in ("/catalog/courses", f"/catalog/courses/{course.id}", f"/catalog/{lesson.id}"):
            with counted() as asked:
                assert browser.get(address).status_code == 200
            figures.append(len(asked))
    assert figures[:3] == figures[3:]
    assert max(figures) <= 9


def test_the_empty_catalogue_says_so(browser: FlaskClient) -> None:
    assert "Nothing to watch yet" in page_of(browser.get("/catalog")).text("h2")
    assert "No courses yet" in page_of(browser.get("/catalog/courses")).text("h2")
    assert "No lessons yet" in page_of(browser.get("/catalog/mine")).text("h2")


def test_searches_are_made_so_often_and_no_more(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MAX_LISTS", 2)
    asked = [browser.get(path).status_code for path in ("/catalog?q=dough", "/catalog/courses?q=dough")]
    refused = browser.get("/catalog?q=dough")
    assert [*asked, refused.status_code] == [200, 200, 429]
    assert int(refused.headers["Retry-After"]) >= 1
    assert browser.get("/catalog").status_code == 200, "what is there without a search stays open"


def test_the_transcript_stands_under_the_player_of_those_who_may_play_alone(
    browser: FlaskClient, student: User
) -> None:
    with in_context():
        lesson = transcribed("Knead the dough.", price_cents=900)
    address = f"/catalog/{lesson.id}"
    assert "dough" not in browser.get(address).text
    make_purchase(lesson, student)
    page = page_of(browser.get(address))
    (line,) = page.all("button", **{"class": "transcript__line"})
    assert (line["data-seconds"], "Knead the dough." in browser.get(address).text) == ("0.0", True)


def test_a_lesson_goes_on_where_it_was_left(browser: FlaskClient, student: User) -> None:
    lesson = make_playing_lesson()
    address = f"/catalog/{lesson.id}"
    page = page_of(browser.get(address))
    assert "start-time" not in page.one("mux-player")
    assert page.one("div", **{"data-js": "watching"})["data-url"] == f"/api/lessons/{lesson.id}/progress"
    headers = {"X-CSRFToken": csrf_of(browser, address)}
    told = browser.post(
        f"/api/lessons/{lesson.id}/progress", json={"seconds": 34.5, "duration": 61}, headers=headers
    )
    assert told.status_code == 200
    page = page_of(browser.get(address))
    assert page.one("mux-player")["start-time"] == "34.5"
    assert "Going on at 0:34" in page.text("main")
    assert "Going on" not in page_of(signed_in(make_user(role="student")).get(address)).text("main")
    locked = make_playing_lesson(price_cents=500)
    assert page_of(browser.get(f"/catalog/{locked.id}")).all("div", **{"data-js": "watching"}) == []


def test_a_student_sees_what_is_done_and_goes_on_with_what_is_begun(
    browser: FlaskClient, student: User
) -> None:
    course = make_course(title="Watercolour")
    first, second = (
        make_playing_lesson(title=title, course=course, position=number)
        for number, title in enumerate(("Paper", "Washes"))
    )
    address = f"/catalog/{first.id}"
    page = page_of(browser.get(f"/catalog/courses/{course.id}"))
    assert "0 of 2 done" in page.text("main")
    assert "Go on" not in page_of(browser.get("/catalog")).text("h2")
    section = make_section(course, title="Basics")
    for position in (3, 4):
        make_playing_lesson(
            title=f"In it {position}", course=course, position=position, section_id=section.id
        )
    assert "Basics0 of 2 done" in page_of(browser.get(f"/catalog/courses/{course.id}")).text("section")
    unpaid = make_course()
    for title in ("Alone", "Beside"):
        locked = make_section(unpaid, title=title)
        make_playing_lesson(price_cents=500, course=unpaid, section_id=locked.id)
    assert "Alone1 lesson" in page_of(browser.get(f"/catalog/courses/{unpaid.id}")).text("section")
    form = {"csrf_token": csrf_of(browser, address), "done": "1"}
    assert browser.post(f"{address}/done", data=form).location == address
    page = page_of(browser.get(address))
    assert [button["value"] for button in page.all("button", name="done") if "hidden" not in button] == ["0"]
    assert "Done" in page.text("ol")
    assert "1 of 4 done" in page_of(browser.get(f"/catalog/courses/{course.id}")).text("main")
    watched = browser.post(
        f"/api/lessons/{second.id}/progress",
        json={"seconds": 30.5, "duration": 61},
        headers={"X-CSRFToken": form["csrf_token"]},
    )
    assert watched.status_code == 200
    page = page_of(browser.get("/catalog"))
    assert "Go on" in page.text("h2")
    assert "Washes" in page.text("h3")
    assert {bar["value"] for bar in page.all("progress")} == {"50"}
    assert "Go on" not in page_of(browser.get("/catalog?q=washes")).text("h2")
    assert browser.post(f"{address}/done", data=form | {"done": "0"}).status_code == 302
    assert "0 of 4 done" in page_of(browser.get(f"/catalog/courses/{course.id}")).text("main")
    other = signed_in(make_user(role="student"))
    assert "Go on" not in page_of(other.get("/catalog")).text("h2")


def test_progress_costs_as_much_for_many_lessons_as_for_one(student: User, browser: FlaskClient) -> None:
    def costs() -> int:
        with counted() as statements:
            assert browser.get("/catalog").status_code == 200
        return len(statements)

    def begin() -> None:
        keep(
            LessonProgress(
                user_id=student.id,
                lesson_id=make_playing_lesson().id,
                seconds=30,
                duration=61,
                updated_at=func.now(),
            )
        )

    begin()
    costs()  # the first one also loads what stays loaded
    one = costs()
    for _ in range(5):
        begin()
    assert costs() == one
