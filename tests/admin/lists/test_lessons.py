"""The list of lessons, over HTTP: what its filters, saved views, search box and file hold, and what its cells say."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lessonadmin.admin.framework import table
from lessonadmin.domain.models import Lesson
from tests.admin.samples import browser, exported, link, titles
from tests.domain.captions.support import transcribed
from tests.factories import (
    in_context,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_section,
    make_tracking,
    make_user,
)
from tests.pages import page_of

OLD = datetime.now(UTC) - timedelta(days=400)
DAY = OLD.date().isoformat()


def make_one_of_each_state() -> dict[str, Lesson]:
    """Lessons by their titles, which say what is special about them."""
    ada = make_user(name="Ada", email="ada@school.example")
    course = make_course(instructor=ada, title="Drawing")
    lessons = [
        make_playing_lesson(creator=ada, title="Plays", course_id=course.id, price_cents=900),
        make_lesson(title="Failed", video_processing_status="error", video_error_type="asset_errored"),
        make_lesson(title="Temporary", mux_asset_id="temp_1", video_processing_status="uploading"),
        stuck := make_lesson(title="Stuck", video_processing_status="uploading"),
        make_lesson(title="Old", created_at=OLD),
    ]
    make_tracking(stuck, created_at=datetime.now(UTC) - timedelta(hours=3))
    return {lesson.title: lesson for lesson in lessons}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("flt0_state_is=published", {"Plays"}),
        ("flt0_state_is_not=draft", {"Plays"}),
        ("flt0_video_is=error", {"Failed"}),
        ("flt0_owner_is=ada@school.example", {"Plays"}),
        ("flt0_course_is=draw", {"Plays"}),
        ("flt0_stuck_is=yes", {"Stuck"}),
        ("flt0_stuck_is=no", {"Plays", "Failed", "Temporary", "Old"}),
        ("flt0_error_type_is=asset_errored", {"Failed"}),
        ("flt0_temporary_id_is=yes", {"Temporary"}),
        ("flt0_temporary_id_is=no", {"Plays", "Failed", "Stuck", "Old"}),
        ("flt0_playback_policy_is=public", {"Plays"}),
        ("flt0_price_at_least=9.00", {"Plays"}),
        ("flt0_price_at_least=9,00&flt1_price_at_most=%E2%82%AC+9", {"Plays"}),
        (f"flt0_created_until={DAY}", {"Old"}),
        (f"flt0_created_from={DAY}&flt1_created_until={DAY}", {"Old"}),
        ("view=stuck", {"Stuck"}),
        ("view=temporary-ids", {"Temporary"}),
        ("view=needs-attention", {"Failed", "Stuck"}),
        ("view=failed", {"Failed"}),
        ("search=pla", {"Plays"}),
        ("search=ada@school.example", {"Plays"}),
        ("search=temp_1", {"Temporary"}),
    ],
)
def test_a_filter_a_view_and_a_search_find_their_lessons(app: Flask, query: str, expected: set[str]) -> None:
    make_one_of_each_state()
    assert set(titles(browser(), f"/admin/lesson/?{query}")) == expected


def test_a_local_id_finds_its_owner_and_its_lesson(app: Flask) -> None:
    lessons, admin = make_one_of_each_state(), browser()
    owner_id = lessons["Plays"].creator_id
    assert titles(admin, f"/admin/lesson/?flt0_owner_is={owner_id}") == ["Plays"]
    assert titles(admin, f"/admin/lesson/?search={lessons['Stuck'].id}") == ["Stuck"]


def test_what_failed_is_listed_until_it_is_cured(app: Flask) -> None:
    lesson = make_lesson(title="Before", video_processing_status="error", updated_at=OLD)
    make_tracking(lesson, status="error", error_type="asset_errored", updated_at=OLD)
    assert titles(browser(), "/admin/lesson/?view=failed") == ["Before"]


@pytest.mark.parametrize("text", ["as1", "pb1", "up1", "temp_up1", "as2", "ev1"])
def test_every_kind_of_id_finds_its_lesson(app: Flask, text: str) -> None:
    lesson = make_playing_lesson(title="Found", mux_asset_id="as1", mux_playback_id="pb1")
    make_tracking(lesson, upload_id="up1", temp_asset_id="temp_up1", mux_asset_id="as2", status="cancelled")
    make_event(mux_event_id="ev1", target_type="lesson", target_id=lesson.id)
    make_lesson(title="Other")
    assert titles(browser(), f"/admin/lesson/?search={text}") == ["Found"]


def test_an_export_is_whole_and_safe(app: Flask) -> None:
    ada = make_user(name="=cmd()", email="ada@school.example")
    for title in ("=1+1", "@x", "plain"):
        make_lesson(creator=ada, title=title, price_cents=900)
    rows = list(csv.DictReader(io.StringIO(browser().get("/admin/lesson/export/csv/?search=x").text)))
    assert [row["Lesson"] for row in rows] == ["'@x"]
    rows = list(csv.DictReader(io.StringIO(browser().get("/admin/lesson/export/csv/").text)))
    assert {row["Lesson"] for row in rows} == {"'=1+1", "'@x", "plain"}
    assert {row["Owner"] for row in rows} == {"ada@school.example"}
    assert {(row["Price"], row["Currency"]) for row in rows} == {("9.00", "EUR")}


def test_a_row_says_its_state_its_owner_and_its_price(app: Flask) -> None:
    ada = make_user(name="Ada Lovelace")
    course = make_course(instructor=ada, title="Drawing")
    lesson = make_lesson(
        creator=ada, course=course, title="Circles", price_cents=123_400, publish_on_ready=True
    )
    page = page_of(browser().get("/admin/lesson/"))
    for words in (
        "Circles",
        "Ada Lovelace",
        "Drawing",
        "Draft",
        "publishes when ready",
        "No video",
        "1,234.00",
    ):
        assert words in page.text(), words
    for address in (
        f"/admin/lesson/details/?id={lesson.id}",
        f"/admin/course/details/?id={course.id}",
        f"/admin/person/details/?id={ada.id}",
    ):
        assert page.all("a", href=address), address


@pytest.mark.parametrize(
    "query", ["view=needs-attention", "flt0_needs_attention_is=yes", "flt0_cause_is=failed"]
)
def test_of_so_many_that_they_are_not_counted_the_same_are_shown(
    app: Flask, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    make_one_of_each_state()
    monkeypatch.setattr(table, "MAX_FILTERED", 0)
    viewer, expected = browser(), {"Failed"} if "cause" in query else {"Failed", "Stuck"}
    assert "more than 0" in viewer.get(f"/admin/lesson/?{query}").text
    assert set(titles(viewer, f"/admin/lesson/?{query}")) == expected


def test_what_needs_attention_stands_first_where_the_whole_list_begins_and_once(
    app: Flask, session: object
) -> None:
    make_lesson(
        title="Broken", created_at=OLD, video_processing_status="error", video_error_type="asset_errored"
    )
    for number in range(25):
        make_lesson(title=f"Fine {number:02}")
    viewer, newest = browser(), [f"Fine {number:02}" for number in reversed(range(25))]
    first = titles(viewer, "/admin/lesson/?page_size=20")
    assert first == ["Broken", *newest[:20]]
    assert viewer.get("/admin/lesson/?page_size=20").text.count("table__pinned--last") == 1
    assert titles(viewer, "/admin/lesson/")[:2] == ["Broken", "Fine 24"]
    assert titles(viewer, "/admin/lesson/").count("Broken") == 1
    assert "Broken" not in titles(viewer, "/admin/lesson/?page_size=20&search=Fine")
    assert titles(viewer, link(viewer, "/admin/lesson/?page_size=20", "next")) == [*newest[20:], "Broken"]


def test_the_search_box_finds_what_is_said_in_videos(app: Flask) -> None:
    with in_context():
        transcribed("Knead the sourdough.", title="Said")
    make_lesson(title="Sourdough")
    make_lesson(title="Bread")
    found = titles(browser("support"), "/admin/lesson/?search=sourdough")
    assert set(found) == {"Said", "Sourdough"}


def test_its_file_names_the_section_of_a_lesson_but_none_of_another_course(app: Flask) -> None:
    course = make_course(title="Drawing")
    section = make_section(course, title="Basics")
    make_lesson(title="Lines", course=course, section_id=section.id)
    make_lesson(title="Astray", course=make_course(title="Other"), section_id=section.id)
    rows = {row["Lesson"]: (row["Course"], row["Section"]) for row in exported(browser(), "lesson", "")}
    assert rows == {"Lines": ("Drawing", "Basics"), "Astray": ("Other", "")}
