"""Section 5, the webhook: who is believed, what is stored, and whose event it is."""

import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.callers import Caller, Doc, Hook, sign
from tests.contract.stack import OLD_SECRET, SECRET, Stack


def envelope(type_: str = "video.asset.ready", **more: object) -> Doc:
    return {"type": type_, "id": str(uuid.uuid4()), "data": {"id": "A1"}, **more}


def stored(stack: Stack, event_id: str) -> Doc:
    return stack.one("SELECT * FROM mux_events WHERE mux_event_id = %s", event_id)


def named(lesson_id: str, **more: object) -> str:
    return json.dumps({"lesson_id": lesson_id, **more})


def test_the_published_vector_is_too_old(stack: Stack) -> None:
    body = b'{"type":"video.asset.ready","id":"3a56ac3d-33da-4366-855b-f592d898409d","data":{"id":"asset1","status":"ready"}}'
    stack.hook.raw(body, sign(SECRET, body, at=1700000000)).expect(401)


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
@pytest.mark.parametrize("path", ["/api/webhooks/mux", "/api/mux/webhook"])
def test_both_addresses_and_both_secrets(stack: Stack, path: str, secret: str) -> None:
    event = envelope("video.asset.created")
    body = json.dumps(event).encode()
    answer = stack.hook.raw(body, sign(secret, body), path).expect(204)
    assert answer.body == b""
    assert stored(stack, event["id"])["type"] == "video.asset.created"


def digest(body: bytes, now: int) -> str:
    return sign(SECRET, body, at=now).partition("v1=")[2]


REFUSED: dict[str, Callable[[bytes, int], str | None]] = {
    "no header": lambda body, now: None,
    "empty": lambda body, now: "",
    "a word": lambda body, now: "nonsense",
    "names without values": lambda body, now: "t=,v1=",
    "no time": lambda body, now: f"v1={digest(body, now)}",
    "no digest": lambda body, now: f"t={now}",
    "zeros": lambda body, now: f"t={now},v1={'0' * 64}",
    "another version": lambda body, now: f"t={now},v0={digest(body, now)}",
    "a time that is none": lambda body, now: f"t=x,v1={digest(body, now)}",
    "another secret": lambda body, now: sign("another", body),
    "another body": lambda body, now: sign(SECRET, body + b" "),
    "too old": lambda body, now: sign(SECRET, body, at=now - 301),
    "of the future": lambda body, now: sign(SECRET, body, at=now + 310),
    "two times": lambda body, now: f"t={now},t={now},v1={digest(body, now)}",
    "capitals and a letter more": lambda body, now: f"t={now},v1={digest(body, now).upper()}x",
    "no ASCII": lambda body, now: "t=1,v1=\xe9\xe9",
}


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED)
def test_signatures_that_are_refused(stack: Stack, header: Callable[[bytes, int], str | None]) -> None:
    body = json.dumps(envelope()).encode()
    answer = stack.hook.raw(body, header(body, int(time.time()))).expect(401)
    assert body not in answer.body
    assert stack.sql("SELECT 1 FROM mux_events WHERE mux_event_id = %s", json.loads(body)["id"]) == []


def test_a_signature_of_some_minutes_ago_and_the_second_of_two_are_right(stack: Stack) -> None:
    body = json.dumps(envelope()).encode()
    stack.hook.raw(body, sign(SECRET, body, at=int(time.time()) - 290)).expect(204)
    other = json.dumps(envelope()).encode()
    two = f"{sign('another', other)},v1={sign(SECRET, other).partition('v1=')[2]}"
    stack.hook.raw(other, two).expect(204)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"text"', b"null", b"{}", b'{"type":"video.asset.ready"}', b'{"id":"e1"}',
        b'{"id":5,"type":"video.asset.ready"}', b'{"id":"e1","type":["x"]}', b'{"id":null,"type":"x"}',
    ],
)  # fmt: skip
def test_bodies_that_are_no_event(stack: Stack, body: bytes) -> None:
    stack.hook.raw(body, sign(SECRET, body)).expect(400)


@pytest.mark.parametrize(("length", "expected"), [(1024 * 1024, 204), (1024 * 1024 + 1, 413)])
def test_too_large(stack: Stack, length: int, expected: int) -> None:
    event = envelope()
    padding = length - len(json.dumps({**event, "pad": ""}))
    body = json.dumps({**event, "pad": "x" * padding}).encode()
    assert len(body) == length
    stack.hook.raw(body, sign(SECRET, body)).expect(expected)


ODD_CONTENT = [
    {"id": "A\u0000B", "status": "ready\u0000"}, None, [], "text", 7, {"id": None}, {"id": {"deep": []}},
    {"id": "A1", "playback_ids": "none"}, {"id": "A1", "playback_ids": [None, 5, {}]}, {"passthrough": 5},
    {"id": "A1", "passthrough": "{\"lesson_id\": [1]}"}, {"id": "A1", "passthrough": "{"}, {"id": "A" * 5000},
    {"id": "A1", "duration": "long", "progress": "fast", "errors": [1]}, {"id": "A\ud800"},
]  # fmt: skip


@pytest.mark.parametrize("type_", ["video.asset.ready", "video.upload.asset_created", "video.asset.errored"])
@pytest.mark.parametrize("data", ODD_CONTENT, ids=range(len(ODD_CONTENT)))
def test_odd_content_is_stored_made_safe(stack: Stack, data: object, type_: str) -> None:
    event = envelope(type_, data=data)
    body = json.dumps(event).encode()
    stack.hook.raw(body, sign(SECRET, body)).expect(204)
    row = stored(stack, event["id"])
    assert row["outcome"] in ("ignored", "unmatched", "no_change"), row


def test_a_type_that_is_too_long_is_no_fault_of_the_server(stack: Stack) -> None:
    event = envelope(type="x" * 300)
    body = json.dumps(event).encode()
    assert stack.hook.raw(body, sign(SECRET, body)).status in (204, 400)


def test_outcomes(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    asset = stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
    for kind, expected in (("ready", "applied"), ("ready", "no_change"), ("created", "no_change")):
        event_id = str(uuid.uuid4())
        stack.hook.asset(kind, asset, id=event_id).expect(204)
        row = stored(stack, event_id)
        assert (row["outcome"], row["object_id"], row["error"]) == (expected, asset["id"], None)
        assert row["processed_at"] is not None
        assert row["attempts"] == 1
        assert row["payload"]["data"]["id"] == asset["id"]


@pytest.mark.parametrize(
    "type_", ["video.live_stream.active", "robots.job.done", "video.asset.track.ready", "surprise"]
)
def test_types_that_mean_nothing_here_are_ignored(stack: Stack, type_: str) -> None:
    event = envelope(type_)
    body = json.dumps(event).encode()
    stack.hook.raw(body, sign(SECRET, body)).expect(204)
    assert stored(stack, event["id"])["outcome"] == "ignored"


@pytest.mark.parametrize(
    ("passthrough", "expected"),
    [(named("8a4b1f7e-0000-4000-8000-000000000001"), "unmatched"), ("of another application", "ignored")],
)
def test_an_asset_of_no_lesson_here(stack: Stack, passthrough: str, expected: str) -> None:
    event_id = str(uuid.uuid4())
    foreign = stack.mux.asset("ready", passthrough=passthrough)
    stack.hook.asset("ready", foreign, id=event_id).expect(204)
    assert stored(stack, event_id)["outcome"] == expected


def test_a_duplicate_is_stored_once_though_its_bytes_differ(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    asset = stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
    event_id = str(uuid.uuid4())
    attempts = [{"webhook_id": 1, "response_status_code": 500, "response_body": "", "max_attempts": 30}]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda n: stack.hook.asset("ready", asset, id=event_id, attempts=attempts * n), range(16)
            )
        )
    assert {answer.status for answer in answers} == {204}
    # so many at once are answered when they are stored, and applied right after
    stack.until(
        lambda: stack.sql(
            "SELECT 1 FROM mux_events WHERE mux_event_id = %s AND outcome = 'applied'", event_id
        )
    )
    stored(stack, event_id)
    assert stack.actions(lesson_id).count("lesson.published") == 1
    assert stack.notices(lesson_id) == ["lesson_published"]


def ids_only(event: str, stack: Stack, lesson_id: str, upload_id: str) -> Doc:
    """The asset of an upload as three ways of naming it would show it."""
    asset = stack.mux.asset_of(upload_id, "ready")
    if event == "passthrough only":
        asset["passthrough"] = named(lesson_id)
        del asset["upload_id"]
    if event == "upload id only":
        del asset["passthrough"]
    if event == "further keys":
        asset["passthrough"] = named(lesson_id, whatever="else", tracking_id=str(uuid.uuid4()))
    return asset


@pytest.mark.parametrize("event", ["passthrough only", "upload id only", "further keys"])
def test_whose_event_it_is(stack: Stack, instructor: Caller, event: str) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    asset = ids_only(event, stack, lesson_id, ticket["upload_id"])
    stack.hook.asset("ready", asset).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["asset_id"]) == ("published", asset["id"])
    assert len(stack.tracking(lesson_id)) == 1


def test_an_asset_id_alone_is_enough_later(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    asset = stack.mux.asset_of(ticket["upload_id"])
    stack.hook.upload("asset_created", stack.mux.uploads[ticket["upload_id"]]).expect(204)
    bare = {"id": asset["id"], "status": "ready", "playback_ids": asset["playback_ids"]}
    stack.hook.event("video.asset.ready", bare).expect(204)
    assert instructor.seen(lesson_id)["status"] == "published"


def test_ready_before_everything_else(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    asset = stack.mux.asset_of(ticket["upload_id"], "ready")
    stack.hook.asset("ready", asset).expect(204)
    stack.hook.upload("asset_created", stack.mux.uploads[ticket["upload_id"]]).expect(204)
    stack.hook.asset("created", {**asset, "status": "preparing"}).expect(204)
    assert instructor.seen(lesson_id)["status"] == "published"


def test_an_event_before_its_owner_waits_for_it(stack: Stack, instructor: Caller) -> None:
    lesson_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
    asset = stack.mux.asset("ready", passthrough=named(lesson_id), upload_id=f"U{uuid.uuid4().hex}")
    stack.hook.asset("ready", asset, id=event_id).expect(204)
    assert stored(stack, event_id)["outcome"] == "unmatched"
    stack.lesson_row(id=lesson_id)
    row = stored(stack, event_id)
    assert stack.flask("events", "replay", "--id", str(row["id"])).returncode == 0
    assert stored(stack, event_id)["outcome"] == "applied"
    assert instructor.seen(lesson_id)["status"] == "published"


def test_a_course_preview_by_its_passthrough(stack: Stack, instructor: Caller) -> None:
    course_id = instructor.course()["id"]
    asset = stack.mux.asset("ready", passthrough=json.dumps({"course_id": course_id}))
    stack.hook.asset("ready", asset).expect(204)
    row = stack.one("SELECT * FROM courses WHERE id = %s", course_id)
    assert row["mux_preview_asset_id"] == asset["id"]


def test_no_secret_is_stored(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    upload = stack.mux.uploads[instructor.upload(lesson_id=lesson_id)["upload_id"]]
    event_id = str(uuid.uuid4())
    stack.hook.event("video.upload.created", upload, id=event_id).expect(204)
    assert "token=secret" not in json.dumps(stored(stack, event_id)["payload"])


def test_a_token_or_a_session_means_nothing_here(stack: Stack, admin: Caller) -> None:
    admin.post("/api/webhooks/mux", envelope()).expect(401)
    Hook(stack.url, "").event("video.asset.ready", {"id": "A1"}).expect(401)
