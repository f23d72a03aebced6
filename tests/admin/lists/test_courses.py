"""The list of courses, over HTTP: what its filters, saved views, search box and file hold, and what its cells say."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.admin.samples import browser, exported, titles
from tests.factories import make_course, make_tracking, make_user
from tests.pages import page_of

OLD = datetime.now(UTC) - timedelta(days=400)
DAY = OLD.date().isoformat()


def make_one_of_each_state() -> None:
    """Courses whose titles say what is special about them."""
    ada = make_user(name="Ada", email="ada@school.example")
    ready = {"video_processing_status": "ready", "mux_asset_id": "as1", "mux_playback_id": "pb1"}
    make_course(instructor=ada, title="Plays", playback_policy="signed", **ready)
    failed = make_course(title="Failed", video_processing_status="error", video_error_type="asset_errored")
    make_tracking(failed, status="error", error_type="asset_errored")
    stuck = make_course(title="Stuck", video_processing_status="uploading")
    make_tracking(stuck, upload_id="up1", created_at=datetime.now(UTC) - timedelta(hours=3))
    make_course(title="Old", created_at=OLD)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Plays", "Failed", "Stuck", "Old"}),
        ("flt0_preview_video_is=ready", {"Plays"}),
        ("flt0_preview_video_is_not=none", {"Plays", "Failed", "Stuck"}),
        ("flt0_owner_is=ada@school.example", {"Plays"}),
        ("flt0_stuck_is=yes", {"Stuck"}),
        ("flt0_stuck_is=no", {"Plays", "Failed", "Old"}),
        ("flt0_error_type_is=asset_errored", {"Failed"}),
        ("flt0_playback_policy_is=signed", {"Plays"}),
        (f"flt0_created_until={DAY}", {"Old"}),
        ("view=stuck", {"Stuck"}),
        ("view=needs-attention", {"Failed", "Stuck"}),
        ("view=failed", {"Failed"}),
        ("search=pla", {"Plays"}),
        ("search=as1", {"Plays"}),
        ("search=pb1", {"Plays"}),
        ("search=up1", {"Stuck"}),
        ("search=ada@school.example", {"Plays"}),
    ],
)
def test_a_filter_a_view_and_a_search_find_their_courses(app: Flask, query: str, expected: set[str]) -> None:
    make_one_of_each_state()
    assert set(titles(browser(), f"/admin/course/?{query}")) == expected


def test_what_failed_is_listed_until_it_is_cured(app: Flask) -> None:
    make_course(title="Before", video_processing_status="error", updated_at=OLD)
    assert titles(browser(), "/admin/course/?view=failed") == ["Before"]


def test_a_row_says_its_teacher_and_the_state_of_its_preview_video(app: Flask) -> None:
    ada = make_user(name="Ada Lovelace")
    course = make_course(instructor=ada, title="Drawing", video_processing_status="error", video_error_type="no_playback_id")  # fmt: skip
    page = page_of(browser().get("/admin/course/"))
    for words in ("Drawing", "Ada Lovelace", "Failed", "no playback address"):
        assert words in page.text("tbody"), words
    assert page.all("a", href=f"/admin/course/details/?id={course.id}")


def test_its_file_names_teachers_by_address(app: Flask) -> None:
    make_one_of_each_state()
    make_course(title="Spoken", language="de")
    assert {row["Language"] for row in exported(browser(), "course", "search=Spoken")} == {"de"}
    rows = {row["Course"]: row for row in exported(browser(), "course", "flt0_preview_video_is=ready")}
    assert set(rows) == {"Plays"}
    assert rows["Plays"]["Language"] == ""
    assert (rows["Plays"]["Instructor"], rows["Plays"]["Asset id"]) == ("ada@school.example", "as1")


def test_a_course_is_not_published_from_its_list(app: Flask) -> None:
    make_course()
    page = page_of(browser().get("/admin/course/"))
    offered = [attrs["value"] for attrs in page.all("button") if attrs.get("name") == "action"]
    assert "clear_asset" in offered
    assert "publish" not in offered
