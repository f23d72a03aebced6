"""A journal of everything that was sent and acknowledged, held against what is left after kill -9 of web and database.

The sender does what Mux does: an event that was not answered with 2xx is sent again, some are sent twice anyway. In the
end the sets are compared: nothing that was acknowledged is missing, nothing happened twice. The control runs the same
check with a database that acknowledges before it has written, and must be caught losing something.
"""

import itertools
import json
import os
import queue
import random
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

import psutil
import psycopg
import pytest

from devstack.servers.for_tests import Servers
from devstack.servers.postgres import APP_ROLE
from lessonadmin import mux
from tests.flows.processes import DATABASE, SECRET, Stack, wait_for
from tests.signing import signature

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(110)]

SENDERS = 8
LESSONS = 1700
ROUNDS_OF_DESTRUCTION = 6


@dataclass
class Journal:
    """What was sent, and which of it was acknowledged; written by the senders as it happens."""

    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, event_id: str, status: int) -> bool:
        with self.lock:
            self.sent.add(event_id)
            if 200 <= status <= 299:
                self.acknowledged.add(event_id)
                return True
            self.refused += 1
            return False


def deliver(connection: HTTPConnection, payload: dict[str, Any]) -> int:
    """One attempt, freshly signed; 0 if no answer came."""
    body = json.dumps(payload).encode()
    headers = {"Content-Type": "application/json", "Mux-Signature": signature(body, SECRET, now=time.time())}
    try:
        connection.request("POST", "/api/webhooks/mux", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, HTTPException):
        connection.close()
        return 0


def send_all(stack: Stack, payloads: list[dict[str, Any]], journal: Journal) -> Iterator[int]:
    """Send until everything is acknowledged; yields how much is, now and then."""
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()
    for payload in payloads:
        waiting.put(payload)
    left = len(payloads)

    def work(number: int) -> None:
        nonlocal left
        luck = random.Random(number)
        connection = HTTPConnection("127.0.0.1", stack.port, timeout=10)
        while left > 0:
            try:
                payload = waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            if journal.note(payload["id"], deliver(connection, payload)):
                with journal.lock:
                    left -= 1
                if luck.random() < 0.1:
                    deliver(connection, payload | {"attempts": [{"response_status_code": 204}]})
            else:
                waiting.put(payload)
                time.sleep(0.1)
        connection.close()

    senders = [threading.Thread(target=work, args=(number,)) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        yield len(journal.acknowledged)
        time.sleep(0.05)


def lessons_in_the_making(stack: Stack, count: int) -> list[dict[str, Any]]:
    """So many lessons whose files are in, and all that Mux has to say about them, mixed."""
    instructor = uuid.uuid4()
    found = [(uuid.uuid4(), uuid.uuid4()) for _ in range(count)]
    with psycopg.connect(host=str(stack.home), user="lessonadmin", dbname=DATABASE) as connection:
        connection.execute(
            "INSERT INTO users (id, email, name, role) VALUES (%s, 't@school.example', 'T', 'instructor')",
            [instructor],
        )
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO lessons (id, creator_id, title) VALUES (%s, %s, 'A lesson')",
            [(one, instructor) for one, _ in found],
        )
        cursor.executemany(
            "INSERT INTO mux_asset_tracking (id, lesson_id, owner_id, upload_id) VALUES (%s, %s, %s, %s)",
            [(row, lesson, instructor, f"upload-{row}") for lesson, row in found],
        )
    payloads = list(itertools.chain.from_iterable(story(lesson, row) for lesson, row in found))
    random.Random(1).shuffle(payloads)
    return payloads


def story(lesson: uuid.UUID, row: uuid.UUID) -> list[dict[str, Any]]:
    note = mux.Passthrough(lesson_id=lesson, tracking_id=row).text()
    upload, asset = f"upload-{row}", f"asset-{row}"
    made = {
        "id": upload,
        "asset_id": asset,
        "status": "asset_created",
        "new_asset_settings": {"passthrough": note},
    }
    video = {
        "id": asset,
        "upload_id": upload,
        "passthrough": note,
        "playback_ids": [{"id": f"p-{row}", "policy": "public"}],
    }
    told = [
        ("video.upload.asset_created", made),
        ("video.asset.created", video | {"status": "preparing"}),
        ("video.asset.ready", video | {"status": "ready", "duration": 60.0}),
    ]
    return [{"id": str(uuid.uuid4()), "type": kind, "data": data, "attempts": []} for kind, data in told]


def kept(stack: Stack) -> list[str]:
    """Every event that is stored, applied or not."""
    query = "SELECT mux_event_id FROM mux_events UNION ALL SELECT mux_event_id FROM waiting_events"
    return [row[0] for row in stack.database.rows(query)]


def is_applied(stack: Stack) -> bool:
    return bool(stack.database.one("SELECT count(*) FROM waiting_events") == 0)


@contextmanager
def running(*options: str) -> Iterator[Stack]:
    """Web and clock on a database of their own that keeps its word about commits; webhooks need nothing else."""
    stack = Stack(database_options=options)
    try:
        stack.start_redis()
        stack.start("web", "clock")
        wait_for(stack.alive, seconds=30, what="web")
        yield stack
    finally:
        stack.end()


def kill_a_web_process(stack: Stack) -> None:
    children = psutil.Process(stack.processes["web"].pid).children()
    for child in children[:1]:
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)


def kill_all_of_web(stack: Stack) -> None:
    stack.kill("web")
    stack.start("web")


def kill_the_clock(stack: Stack) -> None:
    stack.kill("clock")
    stack.start("clock")


def crash_the_database(stack: Stack) -> None:
    stack.database.kill()
    stack.database.start()


DESTRUCTION = (kill_a_web_process, crash_the_database, kill_the_clock, kill_all_of_web)


def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(real_servers: Servers) -> None:
    with running() as stack:
        payloads = lessons_in_the_making(stack, LESSONS)
        assert len(payloads) >= 5000
        journal, strikes = Journal(), 0
        for acknowledged in send_all(stack, payloads, journal):
            if acknowledged > (strikes + 1) * len(payloads) / (ROUNDS_OF_DESTRUCTION + 1):
                DESTRUCTION[strikes % len(DESTRUCTION)](stack)
                strikes += 1
        crash_the_database(stack)

        stored = kept(stack)
        assert strikes == ROUNDS_OF_DESTRUCTION
        assert journal.refused > 0, "nothing was ever in the way: this proves nothing"
        assert len(journal.acknowledged) == len(payloads) >= 5000
        assert journal.acknowledged - set(stored) == set(), "acknowledged and lost"
        assert set(stored) - journal.sent == set(), "never sent"
        assert len(stored) == len(set(stored)), "stored twice"
        wait_for(lambda: is_applied(stack), seconds=60, what="the application of all")
        assert sorted(kept(stack)) == sorted(stored)
        # and what they did: each lesson is out, once
        one = stack.database.one
        assert one("SELECT count(*) FROM lessons WHERE status = 'published'") == LESSONS
        assert one("SELECT count(*) FROM audit_log WHERE action = 'lesson.published'") == LESSONS
        assert (
            one("SELECT count(DISTINCT target_id) FROM audit_log WHERE action = 'lesson.published'")
            == LESSONS
        )
        assert one("SELECT count(*) FROM notifications WHERE kind = 'lesson_published'") == LESSONS
        assert one("SELECT count(*) FROM mux_events WHERE outcome NOT IN ('applied', 'no_change')") == 0


def test_the_control_a_careless_database_is_caught(real_servers: Servers) -> None:
    """The same check must fail when commits are acknowledged before they are written."""
    careless = (
        "-c", "wal_writer_delay=10s", "-c", "wal_writer_flush_after=1GB", "-c", "wal_buffers=64MB", "-c", "bgwriter_delay=10s",
    )  # fmt: skip
    with running(*careless) as stack:
        stack.database.rows(f"ALTER ROLE {APP_ROLE} SET synchronous_commit = off")
        stack.kill("web")
        stack.start("web")
        wait_for(stack.alive, seconds=30, what="web")
        lost: set[str] = set()
        for _ in range(4):
            journal = Journal()
            payloads = [{"id": str(uuid.uuid4()), "type": "x", "data": {}} for _ in range(150)]
            for _ in send_all(stack, payloads, journal):
                pass
            assert len(journal.acknowledged) == len(payloads)
            crash_the_database(stack)
            lost = journal.acknowledged - set(kept(stack))
            if lost:
                break
        assert lost, "the check cannot see a loss, so it proves nothing"


def test_the_database_really_was_careful(real_servers: Servers) -> None:
    """What the first test relies on: the stack's database is not run like the quick one of the other tests."""
    stack = Stack()
    try:
        assert stack.database.one("SHOW synchronous_commit") == "on"
        assert stack.database.one("SHOW fsync") == "on"
        assert stack.database.one("SHOW full_page_writes") == "on"
    finally:
        stack.end()
