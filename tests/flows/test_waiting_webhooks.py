"""Webhooks between their answer and their effect: whatever is killed, locked or broken there, each is applied once.

No sweep and no question to Mux repairs anything here: only what web has stored and the applier applies.
"""

import json
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest

from lessonadmin.domain.webhooks import applier
from tests.flows.processes import DATABASE, SECRET, Stack, request, wait_for
from tests.signing import signature

pytestmark = pytest.mark.timeout(110)

SETTINGS = {"SWEEP_EVERY_SECONDS": "3600", "RECHECK_AFTER_SECONDS": "86400"}
SEED = """
WITH user_of_test AS (INSERT INTO users (email, role) VALUES (gen_random_uuid()::text, 'instructor') RETURNING id),
  made AS (INSERT INTO lessons (creator_id, title, publish_on_ready, video_processing_status)
    SELECT (SELECT id FROM user_of_test), 'Waits ' || n, true, 'uploading' FROM generate_series(1, %s) n RETURNING id, creator_id)
INSERT INTO mux_asset_tracking (lesson_id, owner_id, upload_id, status, next_check_at)
  SELECT id, creator_id, 'upload-' || id, 'uploading', NULL FROM made RETURNING lesson_id::text"""


def lessons(stack: Stack, count: int) -> list[str]:
    """Lessons that are published when Mux says that their video is ready."""
    return [one for (one,) in stack.database.rows(SEED, count)]


def event(lesson_id: str) -> bytes:
    data = {
        "id": f"asset-{lesson_id}",
        "status": "ready",
        "upload_id": f"upload-{lesson_id}",
        "playback_ids": [{"id": f"play-{lesson_id}", "policy": "public"}],
        "passthrough": json.dumps({"lesson_id": lesson_id}),
    }
    return json.dumps({"id": str(uuid.uuid4()), "type": "video.asset.ready", "data": data}).encode()


def send(stack: Stack, body: bytes) -> int:
    headers = {"Mux-Signature": signature(body, SECRET, now=time.time())}
    return request("POST", f"{stack.url}/api/webhooks/mux", body, headers=headers, timeout=10).status


def send_until_taken(stack: Stack, bodies: Sequence[bytes], *, threads: int = 8) -> None:
    """As Mux does it: what is not answered with 204 is sent again."""
    left = list(bodies)

    def work() -> None:
        while True:
            try:
                body = left.pop()
            except IndexError:
                return
            until = time.monotonic() + 60
            while send(stack, body) != 204:
                assert time.monotonic() < until
                time.sleep(0.1)

    senders = [threading.Thread(target=work) for _ in range(threads)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(90)
        assert not sender.is_alive()


def published(stack: Stack, ids: Sequence[str]) -> int:
    query = "SELECT count(*) FROM lessons WHERE status = 'published' AND id = ANY(%s::uuid[])"
    return int(stack.database.one(query, list(ids)))


def each_once(stack: Stack, ids: Sequence[str]) -> None:
    """Published, written down and told, each exactly once; and nothing waits any more."""
    for query in (
        "SELECT target_id::text FROM audit_log WHERE action = 'lesson.published' AND target_id = ANY(%s::uuid[])",
        "SELECT lesson_id::text FROM notifications WHERE kind = 'lesson_published' AND lesson_id = ANY(%s::uuid[])",
        "SELECT target_id::text FROM mux_events WHERE outcome = 'applied' AND target_id = ANY(%s::uuid[])",
    ):
        assert sorted(one for (one,) in stack.database.rows(query, list(ids))) == sorted(ids), query
    assert stack.database.one("SELECT count(*) FROM waiting_events") == 0


def wait_until_published(stack: Stack, ids: Sequence[str], *, seconds: float = 20) -> None:
    wait_for(lambda: published(stack, ids) == len(ids), seconds=seconds, what="the publication of all")


@contextmanager
def connection(stack: Stack) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(host=str(stack.home), user="lessonadmin", dbname=DATABASE, autocommit=True) as found:
        yield found


def hold_back(held: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Nothing applies what is stored: this connection says that it is the applier, and does nothing."""
    held.execute("SELECT pg_advisory_lock(%s)", [applier.LOCK])


def waiting(stack: Stack) -> int:
    return int(stack.database.one("SELECT count(*) FROM waiting_events"))


@contextmanager
def publishing(stack: Stack, count: int) -> Iterator[None]:
    """Webhooks for so many lessons come meanwhile; in the end each is published once."""
    ids = lessons(stack, count)
    sending = threading.Thread(target=send_until_taken, args=(stack, [event(one) for one in ids]))
    sending.start()
    yield
    sending.join(90)
    wait_until_published(stack, ids)
    each_once(stack, ids)


def test_the_applier_is_killed_again_and_again(stack: Stack) -> None:
    with publishing(stack, 400):
        for _ in range(5):
            time.sleep(0.3)
            stack.kill("clock")
            stack.start("clock")


def test_web_is_killed_while_it_stores(stack: Stack) -> None:
    with publishing(stack, 300):
        for _ in range(3):
            time.sleep(0.4)
            for one in stack.children("web"):
                one.kill()
        time.sleep(0.4)
        stack.kill("web")
        stack.start("web")


def test_postgresql_crashes_between_the_answer_and_the_effect(stack: Stack) -> None:
    ids = lessons(stack, 120)
    stack.stop("clock")
    with connection(stack) as held:
        hold_back(held)
        send_until_taken(stack, [event(one) for one in ids])
        assert waiting(stack) > 60, "they were answered, and few were alone"
        stack.database.kill()
    stack.database.start()
    stack.start("clock")
    wait_until_published(stack, ids, seconds=40)
    each_once(stack, ids)


def test_without_a_clock_web_applies_what_it_has_stored(stack: Stack) -> None:
    stack.stop("clock")
    ids = lessons(stack, 60)
    send_until_taken(stack, [event(one) for one in ids])
    wait_until_published(stack, ids, seconds=10)
    each_once(stack, ids)


def test_an_applier_that_hangs_is_helped(stack: Stack) -> None:
    """It says that it is at work, and does nothing: after ten seconds web does not believe it any more."""
    stack.stop("clock")
    ids = lessons(stack, 40)
    with connection(stack) as held:
        hold_back(held)
        send_until_taken(stack, [event(one) for one in ids])
        wait_until_published(stack, ids, seconds=applier.STALE_SECONDS + 10)
    each_once(stack, ids)


def test_two_appliers(stack: Stack) -> None:
    stack.commands["another clock"] = stack.commands["clock"]
    stack.start("another clock")
    try:
        for ended in ("clock", "another clock"):
            with publishing(stack, 200):
                time.sleep(0.3)
                stack.kill(ended)
            stack.start(ended)
    finally:
        stack.stop("another clock")


def test_an_event_that_cannot_be_applied_delays_no_other(stack: Stack) -> None:
    """In the midst of two hundred that are applied together."""
    ids = lessons(stack, 200)
    bad = ids[100]
    stack.database.rows(
        f"ALTER TABLE lessons ADD CONSTRAINT poison CHECK (id <> '{bad}' OR status <> 'published') NOT VALID"
    )
    stack.stop("clock")
    try:
        with connection(stack) as held:
            hold_back(held)
            send_until_taken(stack, [event(one) for one in ids])
        stack.start("clock")
        good = [one for one in ids if one != bad]
        wait_until_published(stack, good)
        query = (
            "SELECT outcome, attempts, next_attempt_at > now(), error FROM mux_events WHERE target_id = %s"
        )
        wait_for(lambda: stack.database.rows(query, bad), seconds=10)
        ((outcome, attempts, tried_again, error),) = stack.database.rows(query, bad)
        assert (outcome, attempts, tried_again) == ("failed", 1, True)
        assert "poison" in error
        each_once(stack, good)
    finally:
        stack.database.rows("ALTER TABLE lessons DROP CONSTRAINT poison")
    event_id = stack.database.one("SELECT id FROM mux_events WHERE target_id = %s", bad)
    stack.flask("events", "replay", "--id", str(event_id))
    each_once(stack, ids)


def test_a_lesson_that_is_locked_for_long_delays_no_other(stack: Stack) -> None:
    ids = lessons(stack, 40)
    held_id, others = ids[0], ids[1:]
    with connection(stack) as support, support.transaction():
        support.execute("SELECT 1 FROM lessons WHERE id = %s FOR UPDATE", [held_id])
        began = time.monotonic()
        assert send(stack, event(held_id)) == 204
        slowest = 0.0
        for one in others:
            sent = time.monotonic()
            assert send(stack, event(one)) == 204
            wait_until_published(stack, [one], seconds=5)
            slowest = max(slowest, time.monotonic() - sent)
            time.sleep(max(0.0, began + 12 * (others.index(one) + 1) / len(others) - time.monotonic()))
        assert slowest < 1.0
        assert time.monotonic() - began > 11
        assert published(stack, [held_id]) == 0
    wait_until_published(stack, [held_id], seconds=5)
    each_once(stack, ids)
