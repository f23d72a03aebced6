"""The address that Mux calls: who is let in, what is answered, what it costs."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as listening
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder

from lessonadmin import metrics
from lessonadmin.database import row_access
from lessonadmin.database.single_connection import SingleConnection, connect
from lessonadmin.db import db
from lessonadmin.domain.models import Announcement, Lesson, MuxEvent, Notification
from lessonadmin.domain.models.notifications import MAY_BE_MUTED
from lessonadmin.domain.webhooks import handlers, intake, rejections, waiting_events
from lessonadmin.metrics import labels
from lessonadmin.views import webhooks
from tests.factories import make_course, make_lesson, make_playing_lesson, make_purchase, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden
from tests.signing import signature

ADDRESS = "/api/webhooks/mux"
SECRET = "test-webhook-secret"
PAYLOAD: dict[str, Any] = {
    "type": "video.asset.ready",
    "id": "event-1",
    "data": {"id": "asset1", "status": "ready"},
}


def body_of(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    return {"Mux-Signature": signature(body, secret, now=time.time() if at is None else at)}


def post(client: FlaskClient, body: bytes, headers: dict[str, str] | None = None, **more: Any) -> Any:
    given = signed(body) if headers is None else headers
    return client.post(ADDRESS, data=body, headers=given, content_type="application/json", **more)


def stored() -> list[MuxEvent]:
    db.session.rollback()
    return list(db.session.scalars(select(MuxEvent)))


def wait_until_applied() -> None:
    """Webhooks that come at once are answered before they are applied; this process applies them a moment later."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        db.session.rollback()
        if not waiting_events.backlog().count:
            return
        time.sleep(0.05)
    raise AssertionError("webhooks wait for ever")


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Every statement that PostgreSQL gets; BEGIN and COMMIT are not among them, nor what tells a transaction whose rows it sees."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != row_access.TELL:
            statements.append(statement)

    with app.app_context():
        engine = db.engine
    listening.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        listening.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("address", [ADDRESS, "/api/mux/webhook"])
def test_a_genuine_event_is_stored_and_answered_with_nothing(
    client: FlaskClient, session: object, address: str
) -> None:
    body = body_of(PAYLOAD)
    answer = client.post(address, data=body, headers=signed(body))
    assert (answer.status_code, answer.data) == (204, b"")
    (row,) = stored()
    assert (row.mux_event_id, row.type, row.outcome) == ("event-1", "video.asset.ready", "unmatched")
    assert row.processed_at is not None


def test_the_second_time_nothing_happens_whatever_the_body(client: FlaskClient, session: object) -> None:
    """A redelivery lists the attempts before it, so its bytes differ."""
    for attempts in ([], [{"response_status_code": 500, "response_body": ""}]):
        assert post(client, body_of(PAYLOAD | {"attempts": attempts})).status_code == 204
    assert len(stored()) == 1


BODY = body_of(PAYLOAD)
NOW = 1_800_000_000


def v1(body: bytes = BODY, *, secret: str = SECRET, at: int = NOW) -> str:
    return signature(body, secret, now=at).partition("v1=")[2]


ZOO = {
    "none": None,
    "empty": "",
    "blank": "   ",
    "no time": f"v1={v1()}",
    "no signature": f"t={NOW}",
    "another scheme": f"t={NOW},v0={v1()}",
    "upper case": f"t={NOW},v1={v1().upper()}",
    "a space": f"t={NOW}, v1={v1()}",
    "two times": f"t={NOW},t={NOW},v1={v1()}",
    "time in words": f"t=soon,v1={v1()}",
    "time with a sign": f"t=+{NOW},v1={v1()}",
    "time with a point": f"t={NOW}.0,v1={v1()}",
    "time in other digits": "t=١٢٣,v1=" + v1(),
    "time without end": f"t={'9' * 400},v1={v1()}",
    "wrong secret": f"t={NOW},v1={v1(secret='another')}",
    "empty secret": f"t={NOW},v1={v1(secret='')}",
    "another body": f"t={NOW},v1={v1(b'{}')}",
    "another time": f"t={NOW + 1},v1={v1()}",
    "too old": f"t={NOW - 301},v1={v1(at=NOW - 301)}",
    "too new": f"t={NOW + 301},v1={v1(at=NOW + 301)}",
    "cut off": f"t={NOW},v1={v1()[:-1]}",
    "too long": f"t={NOW},v1={v1()}00",
    "no hex": f"t={NOW},v1={'z' * 64}",
    "not ASCII": f"t={NOW},v1=ééé{v1()}",
    "a thousand signatures": f"t={NOW}," + ",".join(["v1=00"] * 1000) + f",v1={v1()}",
    "commas": "," * 4000,
}


@pytest.mark.parametrize("animal", ZOO)
def test_the_signature_zoo_is_refused(
    client: FlaskClient, session: object, monkeypatch: pytest.MonkeyPatch, animal: str
) -> None:
    monkeypatch.setattr(webhooks.time, "time", lambda: float(NOW))
    header = ZOO[animal]
    environ = {} if header is None else {"HTTP_MUX_SIGNATURE": header.encode("utf-8").decode("latin-1")}
    answer = client.post(ADDRESS, data=BODY, environ_overrides=environ)
    assert (answer.status_code, answer.data) == (401, b"")
    assert stored() == []


GENUINE = {
    "plain": f"t={NOW},v1={v1()}",
    "the other way round": f"v1={v1()},t={NOW}",
    "the second signature": f"t={NOW},v1={'0' * 64},v1={v1()}",
    "beside another scheme": f"t={NOW},v0=abc,v1={v1()},v2=def",
    "the second secret": f"t={NOW},v1={v1(secret='the-new-one')}",
    "just old enough": f"t={NOW - 300},v1={v1(at=NOW - 300)}",
    "just new enough": f"t={NOW + 300},v1={v1(at=NOW + 300)}",
}


@pytest.mark.parametrize("animal", GENUINE)
def test_what_mux_may_send_is_let_in(
    client: FlaskClient, session: object, monkeypatch: pytest.MonkeyPatch, animal: str
) -> None:
    monkeypatch.setattr(webhooks.time, "time", lambda: float(NOW))
    with overridden(mux_webhook_secrets=(SECRET, "the-new-one")):
        assert post(client, BODY, {"Mux-Signature": GENUINE[animal]}).status_code == 204
    assert len(stored()) == 1


MALFORMED = {
    "nothing": b"",
    "not JSON": b"<html>",
    "half of it": BODY[: len(BODY) // 2],
    "a list": b"[]",
    "a text": b'"event"',
    "null": b"null",
    "no id": b'{"type": "video.asset.ready"}',
    "no type": b'{"id": "1"}',
    "id is a number": b'{"id": 1, "type": "t"}',
    "id is empty": b'{"id": "", "type": "t"}',
    "type is a list": b'{"id": "1", "type": []}',
    "id with NUL": rb'{"id": "a\u0000b", "type": "t"}',
    "id with half a letter": rb'{"id": "a\ud800", "type": "t"}',
    "id without end": json.dumps({"id": "x" * 5000, "type": "t"}).encode(),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_event_is_a_bad_request(client: FlaskClient, session: object, kind: str) -> None:
    answer = post(client, MALFORMED[kind])
    assert (answer.status_code, answer.data) == (400, b"")
    assert stored() == []


ODD = {
    "NUL": {"data": {"id": "a\x00b", "passthrough": "\x00", "x\x00": ["\x00"]}},
    "half letters": {"data": {"passthrough": "\ud800", "\udfff": "\ud83d"}},
    "numbers without end": {"data": {"id": "a", "duration": 10**400, "n": -(10**4000)}},
    "odd types": {"data": [], "object": "asset", "environment": 7, "created_at": {"a": 1}},
    "data is null": {"data": None, "object": None},
    "odd ids": {"data": {"id": {"a": 1}, "upload_id": [], "playback_ids": {"id": 1}}},
    "a bad time": {"created_at": "tomorrow", "data": {"id": "a"}},
    "an unknown status": {"data": {"id": "a", "status": "reticulating"}},
    "hostile text": {
        "data": {"id": "a", "passthrough": "<script>alert(1)</script>", "errors": {"messages": ["\r\nX: y"]}}
    },
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize(
    "type_", ["video.asset.ready", "video.upload.asset_created", "video.asset.track.ready"]
)
def test_odd_content_is_stored_made_safe(client: FlaskClient, session: object, kind: str, type_: str) -> None:
    body = json.dumps({"id": "odd", "type": type_, **ODD[kind]}).encode()
    assert post(client, body).status_code == 204
    (row,) = stored()
    assert row.outcome in ("unmatched", "ignored")
    assert "\x00" not in json.dumps(row.payload)


@pytest.mark.parametrize("deep", [40, 900, 100_000])
def test_deep_nesting_is_no_trouble(client: FlaskClient, session: object, deep: int) -> None:
    body = b'{"id": "deep", "type": "video.asset.ready", "data": ' + b"[" * deep + b"]" * deep + b"}"
    assert post(client, body).status_code == 204
    assert len(stored()) == 1


def test_bytes_that_are_no_utf8_are_stored_made_safe(client: FlaskClient, session: object) -> None:
    assert (
        post(client, b'{"id": "latin", "type": "video.asset.ready", "data": {"id": "\xe4"}}').status_code
        == 204
    )


def test_one_mebibyte_is_let_in_and_one_byte_more_is_not(client: FlaskClient, session: object) -> None:
    frame = len(body_of({"id": "large", "type": "t", "data": ""}))
    body = body_of({"id": "large", "type": "t", "data": "x" * (webhooks.MAX_BODY_BYTES - frame)})
    assert len(body) == 1024 * 1024
    assert post(client, body).status_code == 204
    answer = post(client, body + b" ")
    assert (answer.status_code, answer.data) == (413, b"")
    assert len(stored()) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused(client: FlaskClient, session: object, method: str) -> None:
    assert client.open(ADDRESS, method=method).status_code == 405


def test_no_session_and_no_csrf_token_are_wanted(app: Flask, session: object) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = post(app.test_client(), BODY)
    assert answer.status_code == 204
    assert "Set-Cookie" not in answer.headers


def test_an_unknown_type_and_an_unknown_asset_are_answered_alike(
    client: FlaskClient, session: object
) -> None:
    for number, type_ in enumerate(
        ["video.asset.reticulated", "video.live_stream.active", "robots.job.done", "x"]
    ):
        assert (
            post(client, body_of({"id": f"e{number}", "type": type_, "data": {"id": "z"}})).status_code == 204
        )
    assert {row.outcome for row in stored()} == {"ignored"}


def test_an_upload_address_is_not_stored(client: FlaskClient, session: object) -> None:
    data = {"id": "u1", "url": "https://direct-uploads.example/u1?token=secret", "status": "waiting"}
    post(client, body_of({"id": "e", "type": "video.upload.created", "data": data}))
    assert "secret" not in json.dumps(stored()[0].payload)


# what it costs

MAX_QUERIES = 9


def ready_events(mux_sim: MuxSim) -> list[dict[str, Any]]:
    mux_sim.uploaded(make_lesson())
    events = mux_sim.waiting()
    assert len(events) >= 4
    return events


def test_an_applied_event_costs_nine_queries_at_most(
    app: Flask, client: FlaskClient, mux_sim: MuxSim
) -> None:
    """Besides the one that stores it, and however many are applied together (tests/domain/webhooks/test_applier.py)."""
    cost: dict[str, int] = {}
    for payload in ready_events(mux_sim):
        with counted(app) as statements:
            assert post(client, body_of(payload)).status_code == 204
        cost[payload["type"]] = len(statements)
    assert db.session.scalar(select(Lesson.status)) == "published"
    assert max(cost.values()) <= MAX_QUERIES, cost


def test_a_replacement_costs_little_more(app: Flask, client: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    for _ in range(2):
        mux_sim.uploaded(lesson)
        events = mux_sim.waiting()
        assert len(events) >= 4
        for payload in events:
            with counted(app) as statements:
                post(client, body_of(payload))
            assert len(statements) <= MAX_QUERIES + 3, statements


def test_buyers_cost_a_webhook_nothing(app: Flask, client: FlaskClient, mux_sim: MuxSim) -> None:
    """Publication, and a replacement: what is to be told to students is written by the statement that writes audit rows."""
    costs: list[list[int]] = []
    for buyers in (0, 30):
        course = make_course()
        for _ in range(buyers):
            make_purchase(make_playing_lesson(course=course), make_user(role="student"))
        lesson, cost = make_lesson(course=course), list[int]()
        for limit in (MAX_QUERIES, MAX_QUERIES + 3):
            mux_sim.uploaded(lesson)
            for payload in mux_sim.waiting():
                with counted(app) as statements:
                    post(client, body_of(payload))
                assert len(statements) <= limit, statements
                cost.append(len(statements))
            make_purchase(lesson, make_user(role="student"))
        costs.append(cost)
    assert costs[0] == costs[1]
    assert (
        db.session.scalars(select(Announcement.kind).order_by(Announcement.id)).all()
        == [
            "course_new_lesson",
            "lesson_new_video",
        ]
        * 2
    )
    told = select(func.count()).where(Notification.kind.in_(MAY_BE_MUTED))
    assert db.session.scalar(told) == 0, "by a job"


def test_a_duplicate_costs_nothing_but_the_look_that_finds_it(
    app: Flask, client: FlaskClient, mux_sim: MuxSim
) -> None:
    payloads = ready_events(mux_sim)
    for payload in payloads:
        post(client, body_of(payload))
    for payload in payloads:
        with counted(app) as statements:
            post(client, body_of(payload))
        assert statements == [], "it is found by the statement that stores, on a connection of its own"


def test_a_flood_of_forged_events_costs_one_small_write(
    app: Flask, client: FlaskClient, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejections, "WRITE_EVERY_SECONDS", 600.0)
    monkeypatch.setattr(rejections, "_written_at", -600.0)
    monkeypatch.setattr(rejections, "_waiting", Counter())
    with counted(app) as statements:
        for _ in range(5):
            assert post(client, BODY, signed(BODY, secret="forged")).status_code == 401
    assert len(statements) == 1


def test_answering_asks_mux_nothing(client: FlaskClient, mux_sim: MuxSim) -> None:
    payloads = ready_events(mux_sim)
    before = len(mux_sim.calls())
    for payload in payloads:
        post(client, body_of(payload))
    assert len(mux_sim.calls()) == before


# faults


def test_the_same_event_fifty_times_at_once_is_applied_once(app: Flask, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    *before, ready = mux_sim.waiting()
    for payload in before:
        mux_sim.give(payload)
    answers: list[int] = []
    gate = threading.Barrier(50)

    def send() -> None:
        gate.wait()
        answers.append(post(app.test_client(), body_of(ready)).status_code)

    senders = [threading.Thread(target=send) for _ in range(50)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(answers) == 50
    assert set(answers) == {204}, "they share one connection and a few commits"
    wait_until_applied()
    assert mux_sim.actions(lesson.id).count("lesson.published") == 1
    assert mux_sim.notices(lesson.creator_id) == ["lesson_published"]
    db.session.rollback()
    count = select(func.count()).where(MuxEvent.mux_event_id == ready["id"])
    assert db.session.scalar(count) == 1


def test_two_different_events_about_one_upload_at_once(app: Flask, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    payloads = mux_sim.waiting()
    copies = [payload | {"id": str(uuid.uuid4())} for payload in payloads for _ in range(4)]
    senders = [threading.Thread(target=lambda p=one: post(app.test_client(), body_of(p))) for one in copies]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    wait_until_applied()
    assert mux_sim.lesson(lesson).status == "published"
    assert mux_sim.actions(lesson.id).count("lesson.published") == 1
    assert mux_sim.actions(lesson.id).count("video.ready") == 1


def test_without_redis_the_answer_does_not_wait(client: FlaskClient, mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.control.error_asset(mux_sim.control.assets()[0]["id"])
    disputed = mux_sim.waiting()
    assert len(disputed) >= 4
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        for payload in disputed:
            began = time.monotonic()
            assert post(client, body_of(payload)).status_code == 204
            assert time.monotonic() - began < 0.25
    assert mux_sim.lesson(lesson).video_processing_status == "ready"


def test_a_database_that_is_away_is_503_and_leaves_nothing_behind(
    client: FlaskClient, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("the server closed the connection")

    monkeypatch.setattr(intake, "LOOK_AFTER_FAILURE_SECONDS", 1.0)
    with monkeypatch.context() as broken:
        broken.setattr(SingleConnection, "_execute", away)
        answer = post(client, BODY)
    assert (answer.status_code, answer.data) == (503, b"")
    assert post(client, BODY).status_code == 204
    assert len(stored()) == 1


def test_an_event_that_cannot_be_applied_is_kept_and_acknowledged(
    client: FlaskClient, mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    (payload, *_) = ready_events(mux_sim)

    def poison(*_: object) -> None:
        raise RuntimeError("poison\x00 with\nlines")

    monkeypatch.setattr(handlers, "apply_to", poison)
    assert post(client, body_of(payload)).status_code == 204
    (row,) = stored()
    assert (row.outcome, row.attempts) == ("failed", 1)
    assert row.error
    assert row.error.startswith("RuntimeError: poison")


def test_types_of_events_that_mux_does_not_document_count_as_one(client: FlaskClient) -> None:
    """Each would be a series that every process keeps."""
    for number, kind in enumerate(
        (*(f"video.odd.{letter * 3}" for letter in "abcdefgh"), "video.asset.ready")
    ):
        assert post(client, body_of({**PAYLOAD, "id": f"odd-{number}", "type": kind})).status_code == 204
    told = {
        one.labels["type"]
        for metric in metrics.webhook_events.collect()
        for one in metric.samples
        if one.name.endswith("_total")
    }
    assert {"other", "video.asset.ready"} <= told
    assert told <= {*labels.EVENT_TYPES, "other"}


# the same as every other answer, though Flask does not see it


def test_the_answer_carries_what_every_answer_carries(client: FlaskClient, session: object) -> None:
    page, answer = client.get("/login"), post(client, BODY)
    varies = {"Content-Type", "Content-Length", "Set-Cookie", "Vary"}
    assert set(page.headers.keys()) - varies == set(answer.headers.keys())
    same = set(answer.headers.keys()) - {"Content-Security-Policy", "X-Request-Id"}
    assert {name: page.headers[name] for name in same} == {name: answer.headers[name] for name in same}
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("given", "named"), [("from-the-proxy", "given-from-the-proxy"), ("x\ny", None), (None, None)]
)
def test_each_request_has_an_id(
    client: FlaskClient, session: object, given: str | None, named: str | None
) -> None:
    environ = {} if given is None else {"HTTP_X_REQUEST_ID": given}
    body = body_of(PAYLOAD)
    answer = client.post(ADDRESS, data=body, headers=signed(body), environ_overrides=environ)
    found = answer.headers["X-Request-Id"]
    assert found == named if named is not None else len(found) == 32


@pytest.mark.parametrize(("secret", "status"), [(SECRET, 204), ("another", 401)])
def test_it_is_logged_and_counted_as_any_other(
    client: FlaskClient, session: object, caplog: pytest.LogCaptureFixture, secret: str, status: int
) -> None:
    labels_of = {"route": ADDRESS, "method": "POST", "status": str(status)}

    def count() -> float:
        found = [
            one.value
            for metric in metrics.http_requests.collect()
            for one in metric.samples
            if one.name.endswith("_count") and one.labels == labels_of
        ]
        return sum(found)

    before = count()
    with caplog.at_level("INFO", logger="lessonadmin.request"):
        post(client, BODY, signed(BODY, secret=secret))
    (line,) = [one for one in caplog.records if one.name == "lessonadmin.request"]
    assert line.getMessage() == f"POST {ADDRESS} {status}"
    assert vars(line)["address"] == "127.0.0.1"
    assert vars(line)["milliseconds"] >= 0
    assert count() == before + 1


def test_another_host_is_no_reason_to_refuse_it(client: FlaskClient, session: object) -> None:
    """Mux's calls are signed, and a proxy may call web by another name."""
    body = body_of(PAYLOAD)
    answer = client.post(ADDRESS, data=body, headers={**signed(body), "Host": "elsewhere.example"})
    assert answer.status_code == 204


def test_a_database_that_hangs_is_503_before_mux_gives_up(
    client: FlaskClient, session: object, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LOOK_AFTER_FAILURE_SECONDS", 1.0)
    with connect(pg_url) as other, other.transaction():
        other.execute("LOCK TABLE waiting_events IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        assert post(client, BODY).status_code == 503
        assert time.monotonic() - began < 5
    assert post(client, BODY).status_code == 204
    wait_until_applied()
    assert len(stored()) == 1


def test_what_goes_wrong_unexpectedly_is_500_and_sent_again(
    client: FlaskClient, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("nobody expected this")

    with monkeypatch.context() as patched:
        patched.setattr(waiting_events.Store, "put", broken)
        answer = post(client, BODY)
    assert (answer.status_code, answer.data) == (500, b"")
    assert post(client, BODY).status_code == 204


def test_several_may_be_begun_before_the_first_answer_is_taken(app: Flask, session: object) -> None:
    """As the web server does it. One whose client has gone meanwhile is given up and is in no other's way."""
    middleware = app.wsgi_app
    statuses: list[str] = []

    def start_response(status: str, _headers: list[tuple[str, str]]) -> None:
        statuses.append(status)

    def begun(number: int) -> Any:
        body = body_of({"id": f"e{number}", "type": "x"})
        environ = EnvironBuilder(ADDRESS, method="POST", data=body, headers=signed(body)).get_environ()
        return middleware(environ, start_response)

    answers = [begun(number) for number in range(4)]
    assert statuses == []
    answers.pop(0).close()
    for answer in answers:
        assert list(answer) == []
        answer.close()
    assert statuses == ["204 NO CONTENT"] * 3
    wait_until_applied()
    assert sorted(event.mux_event_id for event in stored()) == ["e1", "e2", "e3"]


def test_one_after_another_is_applied_before_its_answer_however_many(
    client: FlaskClient, mux_sim: MuxSim
) -> None:
    """Also beyond what is applied at once within a second, where there is no applier."""
    lesson = make_lesson()
    for number in range(intake.MAX_APPLIED_AT_ONCE + 10):
        body = body_of({"id": f"e{number}", "type": "video.asset.ready", "data": {"id": str(lesson.id)}})
        assert post(client, body).status_code == 204
        assert len(stored()) == number + 1
