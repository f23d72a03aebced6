"""Which old lessons and courses are looked at, and which drafts are left alone and why."""

from typing import Any

import pytest

from lessonadmin.db import db
from lessonadmin.domain.maintenance import old_videos
from lessonadmin.domain.models import Course, Lesson
from tests.factories import make_course, make_lesson, make_tracking

pytestmark = pytest.mark.usefixtures("session")
TEMPORARY = {"mux_asset_id": "temp_1"}
ASSET = {"mux_asset_id": "a"}
PLAYS = {"mux_asset_id": "a", "mux_playback_id": "p"}
KEPT = {"publish_on_ready": False}


def owner(kind: Any, video: str, columns: dict[str, Any], upload: dict[str, Any] | None) -> Lesson | Course:
    made: Lesson | Course = kind(video_processing_status=video, **columns)
    if upload is not None:
        make_tracking(made, **upload)
    return made


LOOKED_AT: list[tuple[str, str, dict[str, Any], dict[str, Any] | None]] = [
    ("temporary asset", "none", TEMPORARY, None),
    ("temporary asset of a kept draft", "none", TEMPORARY | KEPT, None),
    ("temporary playback id", "ready", {"mux_playback_id": "temp_1"}, None),
    ("temporary id, published", "ready", PLAYS | {"mux_playback_id": "temp_1", "status": "published"}, None),
    ("untracked asset without a playback id", "processing", ASSET, None),
    ("the same, published", "none", ASSET | KEPT | {"status": "published"}, None),
    ("blank playback id", "none", ASSET | {"mux_playback_id": "  "}, None),
    ("tracked by another asset", "processing", ASSET, {"status": "processing", "mux_asset_id": "b"}),
    ("ready and lost its playback id", "ready", ASSET, {"status": "ready", "mux_playback_id": "p", **ASSET}),
    ("unwatched and on its way", "processing", PLAYS | KEPT, None),
    ("unwatched and published", "none", PLAYS | KEPT | {"status": "published"}, None),
    ("an upload that plays by a temporary id", "none", {}, {"status": "ready", "mux_asset_id": "b", "mux_playback_id": "temp_1"}),
]  # fmt: skip
LEFT_ALONE: list[tuple[str, str, dict[str, Any], dict[str, Any] | None]] = [
    ("no video", "none", {}, None),
    ("no video", "none", {"mux_asset_id": "  "}, None),
    ("kept as a draft by a person", "processing", ASSET | KEPT, None),
    ("finished and not published", "none", PLAYS, None),
    ("finished and not published", "ready", PLAYS, {"status": "ready", **PLAYS}),
    ("watched already", "processing", ASSET, {"status": "processing", **ASSET}),
    ("watched already", "uploading", ASSET, {"status": "uploading", **ASSET}),
    ("failed before", "error", ASSET, {"status": "error", **ASSET}),
    ("nothing to do", "none", ASSET, {"status": "cancelled", **ASSET}),
]


@pytest.mark.parametrize(
    ("video", "columns", "upload"), [one[1:] for one in LOOKED_AT], ids=[one[0] for one in LOOKED_AT]
)
def test_a_lesson_that_is_looked_at(
    video: str, columns: dict[str, Any], upload: dict[str, Any] | None
) -> None:
    lesson = owner(make_lesson, video, columns, upload)
    assert list(old_videos.candidates()) == [("lesson", lesson.id)]
    assert old_videos.how_many() == 1
    assert old_videos.untouched() == {}


@pytest.mark.parametrize(("why", "video", "columns", "upload"), LEFT_ALONE)
def test_a_draft_that_is_left_alone_and_why(
    why: str, video: str, columns: dict[str, Any], upload: dict[str, Any] | None
) -> None:
    owner(make_lesson, video, columns, upload)
    assert list(old_videos.candidates()) == []
    assert old_videos.how_many() == 0
    assert old_videos.untouched() == {why: 1}


def test_a_published_lesson_that_plays_is_neither() -> None:
    owner(make_lesson, "ready", PLAYS | {"status": "published"}, None)
    assert (list(old_videos.candidates()), old_videos.untouched()) == ([], {})


@pytest.mark.parametrize(
    ("video", "columns", "upload", "looked_at"),
    [
        ("none", {}, None, False),
        ("none", TEMPORARY, None, True),
        ("processing", ASSET, None, True),
        ("none", ASSET, None, True),
        ("none", PLAYS, None, True),
        ("ready", PLAYS, None, False),
        ("ready", PLAYS, {"status": "ready", **PLAYS}, False),
        ("processing", ASSET, {"status": "processing", **ASSET}, False),
    ],
)
def test_the_preview_of_a_course(
    video: str, columns: dict[str, Any], upload: dict[str, Any] | None, looked_at: bool
) -> None:
    course = owner(make_course, video, columns, upload)
    assert list(old_videos.candidates()) == ([("course", course.id)] if looked_at else [])
    assert old_videos.how_many() == looked_at
    assert old_videos.untouched() == {}, "of drafts only"


@pytest.mark.parametrize("count", [0, 2, 5])
def test_each_comes_once_over_all_pages(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(old_videos, "PAGE", 2)
    made = [("lesson", make_lesson(**TEMPORARY).id) for _ in range(count)]
    made += [("course", make_course(**TEMPORARY).id) for _ in range(count)]
    found = list(old_videos.candidates())
    assert sorted(found) == sorted(made)
    assert old_videos.how_many() == len(made)


def test_what_is_healed_on_the_way_does_not_move_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_videos, "PAGE", 2)
    made = [make_lesson(**TEMPORARY).id for _ in range(5)]
    found = []
    for _, lesson_id in old_videos.candidates():
        found.append(lesson_id)
        db.session.get_one(Lesson, lesson_id).mux_asset_id = None
        db.session.commit()
    assert sorted(found) == sorted(made)


@pytest.mark.parametrize(
    ("playback_id", "true"), [(None, False), ("", False), ("  ", False), ("temp_1", False), ("p", True)]
)
def test_a_true_playback_id_is_one_that_may_be_of_mux(playback_id: str | None, true: bool) -> None:
    assert old_videos.has_true_playback_id(make_lesson(mux_playback_id=playback_id)) is true
