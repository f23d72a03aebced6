"""Mux's objects as they are read: real shapes field by field, and hostile ones that may blank a field and no more."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.mux import Asset, Passthrough, PlaybackId, TextTrack, Upload
from lessonadmin.mux.payloads import WithoutId, asset_from, upload_from
from lessonadmin.text.texts import has_control
from tests.cases import each_of

OWNER = Passthrough(lesson_id=uuid.UUID(int=7), tracking_id=uuid.UUID(int=8))
MAY_2024 = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ASSET_KEYS = st.sampled_from(
    [
        "status",
        "upload_id",
        "passthrough",
        "meta",
        "playback_ids",
        "duration",
        "progress",
        "errors",
        "error",
        "created_at",
        "resolution_tier",
        "test",
        "tracks",
    ]
)
UPLOAD_KEYS = st.sampled_from(
    ["status", "url", "asset_id", "new_asset_settings", "error", "errors", "timeout"]
)


def test_a_full_asset_is_read_whole() -> None:
    asset = asset_from(
        {
            "id": "a1",
            "status": "ready",
            "upload_id": "u1",
            "passthrough": OWNER.text(),
            "meta": {"external_id": "t1", "title": "x"},
            "playback_ids": [{"id": "p1", "policy": "signed"}, {"id": "p2", "policy": "public"}],
            "duration": 12.5,
            "progress": {"state": "completed", "progress": 100},
            "created_at": "1714564800",
            "resolution_tier": "1080p",
            "test": True,
            "tracks": [{"id": "tr"}],
        }
    )
    assert asset == Asset(
        id="a1",
        status="ready",
        upload_id="u1",
        passthrough=OWNER,
        raw_passthrough=OWNER.text(),
        external_id="t1",
        playback_ids=(PlaybackId("p1", "signed"), PlaybackId("p2", "public")),
        duration=12.5,
        progress=100,
        created_at=MAY_2024,
        resolution_tier="1080p",
        test=True,
    )


def test_a_fresh_asset_has_hardly_anything() -> None:
    assert asset_from({"id": "a1", "status": "preparing"}) == Asset(id="a1", status="preparing")


@pytest.mark.parametrize("policies", [("signed", "public"), ("public", "signed")])
@pytest.mark.parametrize("wanted", ["signed", "public"])
def test_the_playback_id_is_chosen_by_policy_not_by_order(policies: tuple[str, ...], wanted: str) -> None:
    rows = [{"id": f"of {policy}", "policy": policy} for policy in policies]
    assert asset_from({"id": "a", "playback_ids": rows}).playback_id_for(wanted) == f"of {wanted}"


@pytest.mark.parametrize(
    "rows", [None, [], {}, "x", [None], [{"policy": "public"}], [{"id": "", "policy": "public"}]]
)
def test_no_playback_id_is_none(rows: object) -> None:
    assert asset_from({"id": "a", "playback_ids": rows}).playback_id_for("public") is None


def test_a_playback_id_of_an_unknown_or_missing_policy_is_never_taken_for_another() -> None:
    asset = asset_from(
        {"id": "a", "playback_ids": [{"id": "d", "policy": "drm"}, {"id": "m"}, {"id": "n", "policy": 3}]}
    )
    assert asset.playback_ids == (
        PlaybackId("d", "drm"),
        PlaybackId("m", "unknown"),
        PlaybackId("n", "unknown"),
    )
    assert asset.playback_id_for("public") is None


@each_of(
    ("value", "expected"),
    [
        (0, 0),
        (42.9, 42),
        (100, 100),
        (250, 100),
        ("7", 7),
        (-1, None),
        (-0.5, None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_progress_is_a_percentage_or_unknown(value: object, expected: int | None) -> None:
    assert asset_from({"id": "a", "progress": {"state": "x", "progress": value}}).progress == expected


@pytest.mark.parametrize("value", [-1, "x", None, True, float("nan"), float("-inf"), {}])
def test_no_duration_is_none(value: object) -> None:
    assert asset_from({"id": "a", "duration": value}).duration is None


@pytest.mark.parametrize("value", ["archived", "READY", "", None, 3, ["ready"], {"ready": 1}])
def test_an_unknown_status_is_unknown(value: object) -> None:
    assert asset_from({"id": "a", "status": value}).status == "unknown"
    assert upload_from({"id": "a", "status": value}).status == "unknown"


@pytest.mark.parametrize("value", ["true", 1, None, [True]])
def test_only_true_makes_a_test_asset(value: object) -> None:
    assert asset_from({"id": "a", "test": value}).test is False


@each_of(
    ("error", "kind", "words"),
    [
        (
            {"type": "invalid_input", "messages": ["No video.", "No audio."]},
            "invalid_input",
            "No video.; No audio.",
        ),
        ({"type": "invalid_input", "message": "One."}, "invalid_input", "One."),
        ({"type": "x", "messages": "As text."}, "x", "As text."),
        ({"messages": [None, 3, "", "  ", "Left."]}, None, "Left."),
        ({"type": 3, "messages": {}}, None, None),
        ("broken", None, None),
        (None, None, None),
        ({"type": "t", "messages": ["two\nlines\x00\x1b[31m\u202e"]}, "t", "two lines [31m"),
    ],
)
@each_of(("read", "key"), [(asset_from, "errors"), (upload_from, "error")])
def test_the_reason_is_plain_words(
    read: Callable[[object], Asset | Upload], key: str, error: object, kind: str | None, words: str | None
) -> None:
    found = read({"id": "x", key: error})
    assert (found.error_type, found.error_message) == (kind, words)


TRACK = {
    "id": "t1", "type": "text", "text_type": "subtitles", "text_source": "generated_vod", "status": "ready",
    "language_code": "de", "name": "German",
}  # fmt: skip


def test_captions_are_the_text_tracks_of_an_asset() -> None:
    own = TRACK | {
        "id": "t2",
        "text_source": "uploaded",
        "status": "errored",
        "error": {"messages": ["not found"]},
    }
    asset = asset_from(
        {"id": "a", "tracks": [{"id": "v", "type": "video"}, TRACK, own, {"type": "text"}, "x"]}
    )
    assert asset.text_tracks == (
        TextTrack(id="t1", status="ready", generated=True, language="de", name="German"),
        TextTrack(id="t2", status="errored", language="de", name="German", error_message="not found"),
    )
    assert asset_from({"id": "a"}).text_tracks == ()


@pytest.mark.parametrize("status", [None, "a_word_of_tomorrow", 5, ["ready"]])
def test_a_track_of_an_unknown_status_is_unknown(status: object) -> None:
    [found] = asset_from({"id": "a", "tracks": [TRACK | {"status": status}]}).text_tracks
    assert found.status == "unknown"


def test_a_reason_never_carries_an_address_or_grows_without_bound() -> None:
    message = "could not read https://direct-uploads.example/upload/1?token=abc " + "x" * 100_000
    found = asset_from({"id": "a", "errors": {"messages": [message]}}).error_message
    assert found is not None
    assert found.startswith("could not read [address] x")
    assert len(found) <= 500


def test_an_upload_keeps_its_labels_in_its_settings() -> None:
    upload = upload_from(
        {
            "id": "u1",
            "status": "asset_created",
            "asset_id": "a1",
            "timeout": 86400,
            "url": "https://uploads.example/u1?token=abc",
            "passthrough": "not here",
            "upload_id": "not me",
            "new_asset_settings": {"passthrough": OWNER.text(), "meta": {"external_id": "t1"}},
        }
    )
    assert upload == Upload(
        id="u1",
        status="asset_created",
        url="https://uploads.example/u1?token=abc",
        asset_id="a1",
        passthrough=OWNER,
        raw_passthrough=OWNER.text(),
        external_id="t1",
        timeout=86400,
    )


def test_the_address_of_an_upload_shows_nowhere() -> None:
    upload = upload_from({"id": "u1", "url": "https://uploads.example/u1?token=abc"})
    assert upload.url == "https://uploads.example/u1?token=abc"
    assert "uploads.example" not in repr(upload) + str(upload) + f"{upload}"


@each_of(
    "value",
    [
        None,
        [],
        "x",
        3,
        {},
        {"id": None},
        {"id": ""},
        {"id": "  "},
        {"id": 5},
        {"id": ["a"]},
        {"id": "a\nb"},
        {"id": "a\x00"},
        {"id": "x" * 256},
    ],
)
@each_of("read", [asset_from, upload_from])
def test_without_an_id_it_is_nothing(read: Callable[[object], Asset | Upload], value: object) -> None:
    with pytest.raises(WithoutId):
        read(value)


@given(st.dictionaries(ASSET_KEYS, JSON, max_size=6))
def test_no_content_of_an_asset_raises(content: dict[str, Any]) -> None:
    asset = asset_from({**content, "id": "a1"})
    assert asset.id == "a1"
    assert asset.progress is None or 0 <= asset.progress <= 100
    assert asset.created_at is None or asset.created_at.tzinfo is not None
    assert asset.error_message is None or (
        len(asset.error_message) <= 500 and not has_control(asset.error_message)
    )


@given(st.dictionaries(UPLOAD_KEYS, JSON, max_size=6))
def test_no_content_of_an_upload_raises(content: dict[str, Any]) -> None:
    upload = upload_from({**content, "id": "u1"})
    assert upload.id == "u1"
    assert upload.error_message is None or not has_control(upload.error_message)
