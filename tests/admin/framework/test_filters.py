"""The lists of the panel, over HTTP: filters, saved views, search, pages by key and exports find what they should."""

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lessonadmin.domain.models import Lesson, User
from lessonadmin.domain.querying import keyset
from tests.admin.samples import browser, link, titles
from tests.factories import (
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
)
from tests.pages import page_of


def test_pages_by_key_hold_each_row_once_in_both_directions(app: Flask) -> None:
    instructor, admin = make_user(), browser()
    for number in range(45):
        make_lesson(
            creator=instructor, title=f"Lesson {number % 7}-{number:02}", price_cents=(number % 3) * 100
        )
    for order in ("", "sort=0", "sort=0&desc=1", "sort=5", "sort=5&desc=1", "sort=6"):
        address, seen, pages = f"/admin/lesson/?page_size=20&{order}", [], []
        while address:
            pages.append(titles(admin, address))
            seen += pages[-1]
            last, address = address, link(admin, address, "next")
        assert len(seen) == len(set(seen)) == 45, order
        back = link(admin, last, "prev")
        assert titles(admin, back) == pages[1], order
        assert titles(admin, link(admin, back, "prev")) == pages[0], order
        end = titles(admin, f"/admin/lesson/?page_size=20&{order}&end=1")
        assert end == seen[-20:], order
    assert titles(admin, "/admin/lesson/?page_size=20&page=1") == titles(
        admin, link(admin, "/admin/lesson/?page_size=20", "next")
    )


def test_new_rows_at_the_top_do_not_shift_the_next_page(app: Flask) -> None:
    admin = browser()
    made = [make_lesson(title=f"Lesson {number:02}") for number in range(25)]
    following = link(admin, "/admin/lesson/?page_size=20", "next")
    make_lesson(title="Newer")
    assert titles(admin, following) == [one.title for one in reversed(made[:5])]


def test_the_filters_of_lessons_find(app: Flask) -> None:
    admin, ada = browser(), make_user(name="Ada", email="ada@school.example")
    course = make_course(instructor=ada, title="Drawing")
    old = datetime.now(UTC) - timedelta(days=400)
    make_playing_lesson(creator=ada, title="Plays", course_id=course.id, price_cents=900)
    make_lesson(title="Failed", video_processing_status="error", video_error_type="asset_errored")
    make_lesson(title="Temporary", mux_asset_id="temp_1", video_processing_status="uploading")
    stuck = make_lesson(title="Stuck", video_processing_status="uploading")
    make_tracking(stuck, created_at=datetime.now(UTC) - timedelta(hours=3))
    make_lesson(title="Old", created_at=old)
    make_lesson(title="Attention", needs_attention_at=old)
    day = old.date().isoformat()
    for query, expected in (
        ("flt0_state_is=published", {"Plays"}),
        ("flt0_state_is_not=draft", {"Plays"}),
        ("flt0_video_is=error", {"Failed"}),
        ("flt0_owner_is=ada@school.example", {"Plays"}),
        (f"flt0_owner_is={ada.id}", {"Plays"}),
        ("flt0_course_is=draw", {"Plays"}),
        ("flt0_stuck_is=yes", {"Stuck"}),
        ("flt0_stuck_is=no", {"Plays", "Failed", "Temporary", "Old", "Attention"}),
        ("flt0_error_type_is=asset_errored", {"Failed"}),
        ("flt0_temporary_id_is=yes", {"Temporary"}),
        ("flt0_temporary_id_is=no", {"Plays", "Failed", "Stuck", "Old", "Attention"}),
        ("flt0_playback_policy_is=public", {"Plays"}),
        ("flt0_price_at_least=9.00", {"Plays"}),
        ("flt0_price_at_least=9,00&flt1_price_at_most=%E2%82%AC+9", {"Plays"}),
        (f"flt0_made_until={day}", {"Old"}),
        (f"flt0_made_from={day}&flt1_made_until={day}", {"Old"}),
        ("view=stuck", {"Stuck"}),
        ("view=temporary-ids", {"Temporary"}),
        ("view=needs-attention", {"Attention"}),
        ("search=pla", {"Plays"}),
        ("search=ada@school.example", {"Plays"}),
        (f"search={stuck.id}", {"Stuck"}),
        ("search=temp_1", {"Temporary"}),
    ):
        assert set(titles(admin, f"/admin/lesson/?{query}")) == expected, query


@pytest.mark.parametrize("typed", ["1e1", "nan", "inf", "-1", "1000000"])
def test_a_filter_reads_prices_as_the_forms_do(app: Flask, typed: str) -> None:
    make_lesson(title="Dear", price_cents=9_900)
    answer = browser().get(f"/admin/lesson/?flt0_price_at_least={typed}")
    assert f"does not understand “{typed}”" in page_of(answer).text()


def test_failed_today_is_what_failed_today(app: Flask) -> None:
    today, before = (
        make_lesson(title=title, video_processing_status="error") for title in ("Today", "Before")
    )
    make_tracking(today, status="error", error_type="asset_errored")
    make_tracking(
        before, status="error", error_type="asset_errored", updated_at=datetime.now(UTC) - timedelta(days=2)
    )
    assert titles(browser(), "/admin/lesson/?view=failed-today") == ["Today"]


def test_every_kind_of_id_finds_its_lesson(app: Flask) -> None:
    lesson = make_playing_lesson(title="Found", mux_asset_id="as1", mux_playback_id="pb1")
    make_tracking(lesson, upload_id="up1", temp_asset_id="temp_up1", mux_asset_id="as2", status="cancelled")
    event = make_event(target_type="lesson", target_id=lesson.id)
    make_lesson(title="Other")
    admin = browser()
    for text in (lesson.id, "as1", "pb1", "up1", "temp_up1", "as2", event.mux_event_id):
        assert titles(admin, f"/admin/lesson/?search={text}") == ["Found"], text


def test_an_export_is_whole_and_safe(app: Flask) -> None:
    ada = make_user(name="=cmd()", email="ada@school.example")
    for title in ("=1+1", "@x", "plain"):
        make_lesson(creator=ada, title=title, price_cents=900)
    rows = list(csv.DictReader(io.StringIO(browser().get("/admin/lesson/export/csv/?search=x").text)))
    assert [row["Lesson"] for row in rows] == ["'@x"]
    rows = list(csv.DictReader(io.StringIO(browser().get("/admin/lesson/export/csv/").text)))
    assert {row["Lesson"] for row in rows} == {"'=1+1", "'@x", "plain"}
    assert {row["Owner"] for row in rows} == {"ada@school.example"}
    assert {row["Price"] for row in rows} == {"9.00"}


def test_a_cursor_says_what_it_was_made_of() -> None:
    key, at = uuid.uuid4(), datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
    for column, value in (
        (Lesson.created_at, at),
        (Lesson.price_cents, -5),
        (Lesson.title, 'ü " =1'),
        (User.id, key),
    ):
        assert keyset.unpack(keyset.pack(value, key), column) == (value, key)
    assert keyset.unpack(keyset.pack("x", key), Lesson.price_cents) is None
