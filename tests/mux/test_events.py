"""Webhook bodies: the real shapes, the ids where they truly are, and payloads that are safe to store whatever came."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.mux import BadPayload, Event, Passthrough, read_event, read_stored_event
from lessonadmin.mux.safe_json import MAX_DEPTH
from tests.cases import each_of
from tests.mux.json_values import levels, storable

OWNER = Passthrough(course_id=uuid.UUID(int=3), tracking_id=uuid.UUID(int=4))
EVENT_ID = "3a56ac3d-33da-4366-855b-f592d898409d"


def envelope(kind: str, data: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "id": EVENT_ID,
        "created_at": "2024-05-01T12:00:00.123456Z",
        "object": {"type": "asset", "id": "a1"},
        "environment": {"name": "Production", "id": "env1"},
        "data": data,
        "request_id": None,
        "accessor": None,
        "accessor_source": None,
        "attempts": [],
        **more,
    }


def read(kind: str, data: Any, **more: Any) -> Event:
    return read_event(json.dumps(envelope(kind, data, **more)).encode())


def test_an_asset_event_carries_the_asset() -> None:
    event = read(
        "video.asset.ready",
        {
            "id": "a1",
            "status": "ready",
            "upload_id": "u1",
            "passthrough": OWNER.text(),
            "created_at": 1714564800,
        },
    )
    assert (event.id, event.type, event.object_type, event.object_id) == (
        EVENT_ID,
        "video.asset.ready",
        "asset",
        "a1",
    )
    assert (event.environment_id, event.created_at) == ("env1", datetime(2024, 5, 1, 12, 0, 0, 123456, UTC))
    assert (event.asset_id, event.upload_id, event.passthrough) == ("a1", "u1", OWNER)
    assert event.upload is None
    assert event.asset is not None
    assert event.asset.status == "ready"


def test_an_upload_event_names_the_upload_in_data_id() -> None:
    event = read(
        "video.upload.asset_created",
        {
            "id": "u1",
            "asset_id": "a1",
            "status": "asset_created",
            "new_asset_settings": {"passthrough": OWNER.text()},
            "upload_id": "a trap",
            "passthrough": "a trap",
        },
        object={"type": "upload", "id": "u1"},
    )
    assert (event.upload_id, event.asset_id, event.passthrough) == ("u1", "a1", OWNER)
    assert event.asset is None
    assert event.upload is not None
    assert event.upload.status == "asset_created"


def test_the_object_steps_in_for_an_id_that_data_lacks() -> None:
    assert read("video.asset.deleted", {"status": "ready"}).asset_id == "a1"
    assert read("video.upload.cancelled", None, object={"type": "upload", "id": "u9"}).upload_id == "u9"


def test_a_track_is_not_the_asset() -> None:
    event = read(
        "video.asset.track.ready",
        {"id": "t1", "asset_id": "a1", "status": "ready", "passthrough": OWNER.text()},
        object={"type": "track", "id": "t1"},
    )
    assert (event.asset_id, event.asset, event.passthrough) == ("a1", None, None)
    assert (
        read("video.asset.track.ready", {"id": "t1"}, object={"type": "track", "id": "t1"}).asset_id is None
    )


def test_older_part_events_whose_object_is_the_asset_are_known_by_it() -> None:
    event = read(
        "video.asset.static_renditions.ready", {"id": "a1", "status": "ready", "passthrough": OWNER.text()}
    )
    assert (event.asset_id, event.asset, event.passthrough) == ("a1", None, OWNER)


@pytest.mark.parametrize(
    "kind", ["video.live_stream.active", "robots.job.done", "video.asset", "x", "video.asset.", "🎬"]
)
def test_other_peoples_events_are_read_and_claim_nothing(kind: str) -> None:
    event = read(kind, {"id": "z"}, object={"type": "live_stream", "id": "z"})
    assert event.type == kind
    assert event.upload is None
    assert event.passthrough is None


@each_of("part", ["object", "environment", "data", "created_at", "attempts"])
@each_of("odd", [None, 3, "x", [], [1], {}, {"id": []}, True, -1e308])
@each_of("kind", ["video.asset.ready", "video.upload.created", "video.asset.track.ready", "other"])
def test_odd_content_beside_id_and_type_is_no_reason_to_refuse(kind: str, part: str, odd: object) -> None:
    raw = json.dumps({**envelope(kind, {"id": "a1"}), part: odd}).encode()
    assert read_event(raw).id == EVENT_ID


@each_of(
    "raw",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"{",
        b"{}",
        b"\xff\xfe",
        b"<html></html>",
        b"type=video.asset.ready&id=1",
        b'{"id": "1"}',
        b'{"type": "x"}',
        b'{"id": "1", "type": "x"} trailing',
        b"{'id': '1', 'type': 'x'}",
        b"[" * 500_000,
        b'{"id":' * 100_000,
        b'{"a":' + b'"\\' * 300_000,
        json.dumps({"id": "1", "type": "x"}).encode("utf-16"),
    ],
)
def test_what_is_no_event(raw: bytes) -> None:
    with pytest.raises(BadPayload):
        read_event(raw)


@each_of("field", ["id", "type"])
@each_of(
    "value",
    [None, "", " ", 5, 1.5, True, [], ["x"], {}, {"a": 1}, "a\nb", "a\x00", "\ud800", "a\x7f", "x" * 256],
)
def test_id_and_type_must_be_plain_text(field: str, value: object) -> None:
    with pytest.raises(BadPayload):
        read_event(json.dumps({**envelope("video.asset.ready", {}), field: value}).encode())


def test_bytes_that_are_no_text_may_not_stand_in_an_id_but_elsewhere() -> None:
    assert read_event(b'{"id":"1","type":"x","data":{"title":"caf\xe9"}}').payload["data"] == {
        "title": "caf\ufffd"
    }
    with pytest.raises(BadPayload):
        read_event(b'{"id":"caf\xe9","type":"x"}')


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert read_event(b'\xef\xbb\xbf{"id":"1","type":"x"}').id == "1"


@pytest.mark.parametrize("depth", [MAX_DEPTH + 5, 900, 200_000])
def test_deep_nesting_is_cut_and_the_rest_is_kept(depth: int) -> None:
    nest = b'{"a":' * (depth // 2) + b"[" * (depth // 2) + b"]" * (depth // 2) + b"}" * (depth // 2)
    raw = b'{"type":"video.asset.ready","x":' + nest + b',"id":"1","data":{"id":"a1","status":"ready"}}'
    event = read_event(raw)
    assert (event.id, event.asset_id) == ("1", "a1")
    assert levels(event.payload) <= MAX_DEPTH


def test_secrets_of_mux_are_not_kept() -> None:
    event = read(
        "video.upload.created",
        {
            "id": "u1",
            "status": "waiting",
            "url": "https://uploads.example/u1?token=abc",
            "new_asset_settings": {"inputs": [{"url": "https://x/?Signature=1"}]},
            "stream_key": "sk",
        },
    )
    assert event.upload is not None
    assert event.upload.url is None
    kept = json.dumps(event.payload)
    assert "token=abc" not in kept
    assert "Signature" not in kept
    assert '"sk"' not in kept
    assert "token=abc" not in repr(event)


def test_a_redelivery_says_the_same_as_the_first_delivery() -> None:
    first = read("video.asset.ready", {"id": "a1", "status": "ready"})
    again = read(
        "video.asset.ready",
        {"id": "a1", "status": "ready"},
        attempts=[{"id": "x", "response_status_code": 500}],
    )
    assert first.id == again.id
    assert first.asset == again.asset


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "video.asset.ready",
        "video.asset.errored",
        "video.upload.asset_created",
        "video.asset.track.ready",
        "other",
    ]
)
PARTS = st.sampled_from(["data", "object", "environment", "created_at", "attempts", "url"])


@given(kind=KINDS, parts=st.dictionaries(PARTS, JSON, max_size=5))
def test_whatever_is_in_a_genuine_event_it_is_read_storable_and_reads_the_same_again(
    kind: str, parts: dict[str, Any]
) -> None:
    event = read_event(json.dumps({**parts, "id": EVENT_ID, "type": kind}).encode("utf-8", "surrogatepass"))
    assert storable(event.payload)
    assert read_stored_event(event.payload) == event
    assert read_event(json.dumps(event.payload).encode()) == event


@given(
    st.binary()
    | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | JSON.map(json.dumps).map(str.encode)
)
def test_anything_else_is_an_event_or_a_bad_payload(raw: bytes) -> None:
    try:
        event = read_event(raw)
    except BadPayload:
        return
    assert event.id
    assert event.type


@given(st.text(alphabet='{}[]":,\\x0 ', max_size=200), st.integers(0, 3))
def test_a_torn_deep_body_never_breaks_the_reader(tail: str, kind: int) -> None:
    head = ['{"id":"1","type":"x","d":', "[", '{"a":"', ""][kind]
    with pytest.raises(BadPayload):
        read_event((head + "[" * 2000 + tail).encode())
