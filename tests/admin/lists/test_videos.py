"""What the lists of lessons and courses have in common: exact ids before words, owners by address, the state of a video."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from lessonadmin.admin.lists import videos
from lessonadmin.domain.models import User
from lessonadmin.domain.models.lessons import VIDEO_STATUSES
from tests.admin.samples import browser, titles
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.pages import page_of

KINDS = ["lesson", "course"]
PLAYS = {"video_processing_status": "ready", "mux_asset_id": "as1", "mux_playback_id": "pb1", "playback_policy": "public"}  # fmt: skip


def make(kind: str, owner: User | None = None, **columns: object) -> Any:
    if kind == "lesson":
        return make_lesson(creator=owner, **columns)
    return make_course(instructor=owner, **columns)


def cells_of(kind: str) -> str:
    return page_of(browser().get(f"/admin/{kind}/")).text("tbody")


@pytest.mark.parametrize("kind", KINDS)
def test_an_exact_id_is_meant_even_where_a_title_has_it_as_a_word(app: Flask, kind: str) -> None:
    make(kind, title="Named", mux_asset_id="water")
    make(kind, title="Water colours")
    admin = browser()
    assert titles(admin, f"/admin/{kind}/?search=water") == ["Named"]
    assert titles(admin, f"/admin/{kind}/?search=colours") == ["Water colours"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ada@school.example", {"Hers", "Write to ada@school.example"}),
        ("ada", {"Write to ada@school.example"}),
        ("other@school.example", set()),
    ],
)
def test_an_address_finds_its_owner_and_the_words_of_titles(
    app: Flask, kind: str, typed: str, expected: set[str]
) -> None:
    """A first name alone would find everything of everyone who is called so."""
    make(kind, make_user(name="Ada", email="ada@school.example"), title="Hers")
    make(kind, title="Write to ada@school.example")
    assert set(titles(browser(), f"/admin/{kind}/?search={typed}")) == expected


def test_every_state_of_a_video_can_be_filtered_by() -> None:
    assert tuple(status for status, _ in videos.VIDEO_STATES) == VIDEO_STATUSES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "No video"),
        ({"video_processing_status": "deleting"}, "Deleting"),
        (PLAYS, "Ready"),
        (
            {"video_processing_status": "error", "video_error_type": "no_playback_id"},
            "FailedMux gave the video no playback address",
        ),
        (
            {"video_processing_status": "error", "video_error_type": None},
            "FailedMux could not process the file",
        ),
    ],
)
def test_a_row_says_the_state_of_its_video(
    app: Flask, kind: str, columns: dict[str, object], words: str
) -> None:
    make(kind, **columns)
    assert words in cells_of(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reason_is_said_only_while_the_video_is_in_error(app: Flask, kind: str) -> None:
    make(kind, video_processing_status="uploading", video_error_type="no_playback_id")
    assert "Uploading" in (text := cells_of(kind))
    assert "no playback address" not in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("hours", "words"), [(0, "Uploading"), (3, "Stuck")])
def test_a_video_that_takes_too_long_is_stuck(app: Flask, kind: str, hours: int, words: str) -> None:
    owner = make(kind, title="Circles", video_processing_status="uploading")
    make_tracking(owner, created_at=datetime.now(UTC) - timedelta(hours=hours))
    assert words in cells_of(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_video_that_plays_has_a_picture_and_no_other_has(app: Flask, kind: str) -> None:
    make(kind, title="Plays", **PLAYS)
    make(kind, title="Bare")
    answer = browser().get(f"/admin/{kind}/")
    (picture,) = page_of(answer).all("img", width="64")
    assert "/pb1/thumbnail.jpg?width=128&height=72" in (picture["src"] or "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_lets_pictures_of_mux_through(app: Flask, kind: str) -> None:
    make(kind)
    policy = browser().get(f"/admin/{kind}/").headers["Content-Security-Policy"]
    (images,) = [part for part in policy.split(";") if part.strip().startswith("img-src")]
    assert "127.0.0.1:1" in images
