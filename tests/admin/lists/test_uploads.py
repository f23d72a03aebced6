"""The list of uploads and the page of one, over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lessonadmin.admin.framework import table
from lessonadmin.admin.lists.uploads import STATUSES
from lessonadmin.domain.models import Tracking
from lessonadmin.domain.models.videos import TRACKING_STATUSES
from tests.admin.samples import browser, exported, titles
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.pages import page_of
from tests.settings import overridden

NOW = datetime.now(UTC)
ALL = {"way", "slow", "failed", "held", "old"}


def make_one_of_each_state() -> dict[str, Tracking]:
    """Uploads by the beginnings of their file names, which say what is special about them."""
    ada = make_user(name="Ada", email="ada@school.example")
    hers, course = make_lesson(creator=ada, title="Circles"), make_course(title="Drawing")
    uploads = [
        make_tracking(hers, filename="way.mp4", upload_id="up1", temp_asset_id="temp_up1"),
        make_tracking(course, filename="slow.mp4", created_at=NOW - timedelta(hours=3)),
        make_tracking(make_lesson(), filename="failed.mp4", status="error", error_type="asset_errored", mux_asset_id="as1"),
        make_tracking(
            make_lesson(), filename="held.mp4", status="cancelled", error_type="held", superseded_at=NOW,
            mux_playback_id="pb1", playback_policy="signed",
        ),
        make_tracking(make_lesson(), filename="old.mp4", status="cancelled", created_at=NOW - timedelta(days=400)),
    ]  # fmt: skip
    return {str(upload.filename).removesuffix(".mp4"): upload for upload in uploads}


def shown(query: str) -> set[str]:
    """The beginnings of the file names in the list."""
    return {name.partition(".")[0] for name in titles(browser(), f"/admin/tracking/?{query}")}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("flt0_state_is=error", {"failed"}),
        ("flt0_state_is_not=cancelled", {"way", "slow", "failed"}),
        ("flt0_owner_is=ada@school.example", {"way"}),
        ("flt0_stuck_is=yes", {"slow"}),
        ("flt0_stuck_is=no", ALL - {"slow"}),
        ("flt0_error_type_is=asset_errored", {"failed"}),
        ("flt0_temporary_id_is=yes", {"way"}),
        ("flt0_temporary_id_is=no", ALL - {"way"}),
        ("flt0_playback_policy_is=signed", {"held"}),
        (f"flt0_started_until={(NOW - timedelta(days=399)).date()}", {"old"}),
        ("view=stuck", {"slow"}),
        ("view=failed", {"failed"}),
        ("view=needs-attention", {"slow", "failed", "held"}),
        ("flt0_needs_attention_is=no", {"way", "old"}),
        ("flt0_cause_is=held", {"held"}),
        ("view=temporary-ids", {"way"}),
        ("view=held", {"held"}),
        ("search=up1", {"way"}),
        ("search=temp_up1", {"way"}),
        ("search=as1", {"failed"}),
        ("search=pb1", {"held"}),
        ("search=up", set()),
        ("search=way.mp4", set()),
    ],
)
def test_a_filter_a_view_and_a_search_find_their_uploads(app: Flask, query: str, expected: set[str]) -> None:
    make_one_of_each_state()
    assert shown(query) == expected


@pytest.mark.parametrize("query", ["view=needs-attention", "flt0_needs_attention_is=yes"])
def test_of_so_many_that_they_are_not_counted_the_same_are_shown(
    app: Flask, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    make_one_of_each_state()
    monkeypatch.setattr(table, "MAX_FILTERED", 1)
    viewer = browser()
    assert "more than 1" in viewer.get(f"/admin/tracking/?{query}").text
    assert {name.partition(".")[0] for name in titles(viewer, f"/admin/tracking/?{query}")} == {
        "slow",
        "failed",
        "held",
    }


@pytest.mark.parametrize(
    ("query", "name", "column"),
    [
        ("search", "way", "id"),
        ("search", "way", "lesson_id"),
        ("search", "slow", "course_id"),
        ("flt0_lesson_is", "way", "lesson_id"),
        ("flt0_course_is", "slow", "course_id"),
    ],
)
def test_a_local_id_finds_its_upload(app: Flask, query: str, name: str, column: str) -> None:
    upload = make_one_of_each_state()[name]
    assert shown(f"{query}={getattr(upload, column)}") == {name}


def test_every_state_can_be_filtered_by() -> None:
    assert tuple(status for status, _ in STATUSES) == TRACKING_STATUSES


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"error_type": "upload_timed_out", "error_message": "x"}, "Mux received no complete file"),
        ({"error_type": "asset_errored", "superseded_at": NOW}, "Mux could not process the file"),
        ({}, "Mux could not process the file"),
    ],
)
def test_a_row_says_why_it_failed_whether_it_counts_or_not(
    app: Flask, columns: dict[str, object], words: str
) -> None:
    make_tracking(make_lesson(), status="error", **columns)
    text = page_of(browser().get("/admin/tracking/")).text("tbody")
    assert f"Failed{words} upload" in text


@pytest.mark.parametrize(("kind", "make"), [("lesson", make_lesson), ("course", make_course)])
def test_a_row_leads_to_what_it_is_for(app: Flask, kind: str, make: type) -> None:
    owner = make(title="Circles")
    make_tracking(owner)
    page = page_of(browser().get("/admin/tracking/"))
    assert "Circles" in page.text("tbody")
    assert page.all("a", href=f"/admin/{kind}/details/?id={owner.id}")


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"filename": "talk.mp4", "upload_id": "up1"}, "talk.mp4 up1"),
        ({"filename": None, "upload_id": "up1"}, "upload up1"),
        ({"filename": "talk.mp4", "upload_id": None}, "talk.mp4"),
    ],
)
def test_an_upload_is_called_by_what_is_known_of_it(
    app: Flask, columns: dict[str, object], name: str
) -> None:
    make_tracking(make_lesson(), **columns)
    assert titles(browser(), "/admin/tracking/") == [name]


def test_a_file_without_a_name_and_one_that_is_held_say_so(app: Flask) -> None:
    make_tracking(make_lesson(), filename=None)
    make_tracking(make_lesson(), status="cancelled", error_type="held", superseded_at=NOW)
    text = page_of(browser().get("/admin/tracking/")).text("tbody")
    assert "Without a name" in text
    assert "· held" in text


def test_its_page_says_who_began_it_and_what_went_wrong(app: Flask) -> None:
    lesson, ada = make_lesson(title="Circles"), make_user(email="ada@school.example")
    upload = make_tracking(
        lesson, status="error", started_by=ada.id, mux_asset_id="as1", error_type="asset_errored", error_message="No audio."
    )  # fmt: skip
    address = f"/admin/tracking/details/?id={upload.id}"
    page = page_of(browser().get(address))
    for words in ("Circles", "Started byada@school.example", "asset_errored: No audio."):
        assert words in page.text("main"), words
    assert page.all("a", href=f"/admin/lesson/details/?id={lesson.id}")
    assert "dashboard.mux.com" not in page.html
    with overridden(mux_api_url="https://api.mux.com"):
        assert "https://dashboard.mux.com/video/assets/as1/overview" in browser().get(address).text


def test_its_page_does_not_guess_who_began_it(app: Flask) -> None:
    upload = make_tracking(make_lesson())
    page = page_of(browser().get(f"/admin/tracking/details/?id={upload.id}"))
    assert "Started by" not in page.text("main")


def test_its_file_holds_ids_and_no_address_of_an_upload(app: Flask) -> None:
    make_tracking(make_lesson(), upload_id="up1", status="error", error_type="asset_errored")
    (row,) = exported(browser(), "tracking")
    assert (row["Upload id"], row["State"]) == ("up1", "error")
    assert [name for name in row if "url" in name.lower()] == []
