"""Webhooks, health checks and pages beside whatever is slow: clients that hardly send or hardly read, Mux, sign-ins, the database.

Each flow holds web by real requests of one kind, then measures what other clients wait for.
"""

import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from tests.contract.callers import Browser, Hook
from tests.flows.instructor import PASSWORD, Instructor
from tests.flows.processes import DATABASE, SECRET, Stack, request, wait_for
from tests.flows.support import Support

pytestmark = pytest.mark.timeout(110)
SETTINGS = {"UPLOADS_PER_HOUR": "1000000", "ASKS_PER_MINUTE": "1000000"}
MAX_SECONDS = 2.0
ROUNDS = 8
THREADS = 8  # of web for pages: WEB_CONCURRENCY x WEB_THREADS of the Procfile
HEAD_BEGINS = b"GET /login HTTP/1.1\r\nHos"
BODY_BEGINS = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na"
SLOW = {
    "nothing": b"",
    "a head": HEAD_BEGINS,
    "a page's body": BODY_BEGINS % b"/login",
    "a webhook's body": BODY_BEGINS % b"/api/webhooks/mux",
}


@pytest.fixture(scope="module")
def support(running: Stack) -> Instructor:
    return Support.hired(running)


@contextmanager
def clients(stack: Stack, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as opened:
        yield [opened.enter_context(connected(stack, sent)) for _ in range(count)]


def connected(stack: Stack, sent: bytes) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", stack.port))
    client.sendall(sent)
    return client


def health(stack: Stack) -> bool:
    return request("GET", f"{stack.url}/healthz").status == 200


def webhook(stack: Stack) -> bool:
    return Hook(stack.url, SECRET).event("video.asset.unknown", {"id": uuid.uuid4().hex}).status == 204


def page(stack: Stack) -> bool:
    return request("GET", f"{stack.url}/login").status == 200


def slowest(stack: Stack, *asked: Callable[[Stack], bool]) -> float:
    """Seconds of the slowest answer, of several of each kind. It is measured up to three times: what holds web up does so
    each time, and what else the machine does for a moment does not."""
    found = _slowest(stack, *asked)
    for _ in range(2):
        if found >= MAX_SECONDS:
            found = min(found, _slowest(stack, *asked))
    return found


def _slowest(stack: Stack, *asked: Callable[[Stack], bool]) -> float:
    found = 0.0
    for ask in asked * ROUNDS:
        began = time.monotonic()
        assert ask(stack)
        found = max(found, time.monotonic() - began)
    return found


@pytest.mark.parametrize("kind", SLOW)
def test_forty_clients_that_hardly_send_hold_nothing_up(stack: Stack, kind: str) -> None:
    with clients(stack, 40, SLOW[kind]) as slow:
        assert slowest(stack, health, webhook, page) < MAX_SECONDS
        for one in slow:
            one.sendall(b"a")
        assert slowest(stack, health, webhook, page) < MAX_SECONDS


def test_eight_clients_that_hardly_read_an_export_hold_nothing_up(stack: Stack, support: Instructor) -> None:
    rows = "INSERT INTO lessons (creator_id, title) SELECT (SELECT id FROM users LIMIT 1), repeat('long ', 30) || n FROM generate_series(1, 40000) n"
    stack.database.rows(rows)
    cookies = "; ".join(f"{name}={value}" for name, value in support.browser().cookies.items())
    asked = f"GET /admin/lesson/export/csv/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n\r\n"
    with clients(stack, THREADS, asked.encode()) as readers:
        assert {one.recv(15) for one in readers} == {b"HTTP/1.1 200 OK"}
        assert slowest(stack, health, webhook, page) < MAX_SECONDS


def test_eight_questions_that_mux_does_not_answer_hold_nothing_up(
    stack: Stack, instructor: Instructor
) -> None:
    lesson = instructor.lesson()
    stack.mux.fault("api", "hang")
    with ThreadPoolExecutor(THREADS) as pool:
        asking = [
            pool.submit(instructor.ask, "POST", "/api/mux/upload-url", {"lesson_id": lesson, "filename": "a.mp4"})
            for _ in range(THREADS)
        ]  # fmt: skip
        wait_for(lambda: any(one.done() for one in asking), seconds=5, what="a question that was refused")
        took = slowest(stack, health, webhook, page)
        stack.mux.clear_faults()
        statuses = [one.result()[0] for one in asking]
    assert took < MAX_SECONDS
    assert statuses.count(503) >= THREADS - 2 * 3, "no more than three calls at once in a process"


def test_eight_sign_ins_at_once_hold_nothing_up(stack: Stack, instructor: Instructor) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        signing: list[Future[Any]] = [
            pool.submit(Browser(stack.url).sign_in, instructor.email, PASSWORD) for _ in range(THREADS)
        ]
        took = slowest(stack, health, webhook, page)
        assert {one.result().status for one in signing} == {302}
    assert took < MAX_SECONDS


def test_threads_that_all_wait_for_the_database_hold_neither_health_nor_webhooks(
    stack: Stack, instructor: Instructor
) -> None:
    with (
        psycopg.connect(host=str(stack.home), user="lessonadmin", dbname=DATABASE) as locker,
        ThreadPoolExecutor(2 * THREADS) as pool,
    ):
        locker.execute("LOCK TABLE lessons IN ACCESS EXCLUSIVE MODE")
        waiting = [pool.submit(instructor.ask, "GET", "/api/lessons") for _ in range(2 * THREADS)]
        locked = "SELECT count(*) >= %s FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_for(lambda: stack.database.one(locked, THREADS), seconds=4, what="threads that wait")
        took = slowest(stack, health, webhook)
        locker.rollback()
        assert {one.result()[0] for one in waiting} <= {200, 503}
    assert took < MAX_SECONDS


def test_a_deployment_loses_no_request_in_flight(stack: Stack, instructor: Instructor) -> None:
    """Slow clients do not prolong the stop beyond its ten seconds, and a request that waits for the database is answered."""
    with (
        psycopg.connect(host=str(stack.home), user="lessonadmin", dbname=DATABASE) as locker,
        ThreadPoolExecutor(1) as pool,
        clients(stack, 40, HEAD_BEGINS),
    ):
        locker.execute("LOCK TABLE lessons IN ACCESS EXCLUSIVE MODE")
        in_flight = pool.submit(instructor.ask, "GET", "/api/lessons")
        locked = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_for(lambda: stack.database.one(locked), seconds=4, what="the request in flight")
        web = stack.processes.pop("web")
        web.send_signal(signal.SIGTERM)
        began = time.monotonic()
        wait_for(lambda: not stack.alive(), seconds=3, what="the end of accepting")
        locker.rollback()
        assert in_flight.result()[0] == 200
        assert web.wait(12) == 0
        assert time.monotonic() - began < 10


def test_new_processes_take_over_without_a_request_lost(stack: Stack) -> None:
    """`kill -HUP`: the old ones end, the port never closes."""
    old = {one.pid for one in stack.children("web")}
    stack.processes["web"].send_signal(signal.SIGHUP)
    asked = 0
    until = time.monotonic() + 30
    while old & {one.pid for one in stack.children("web")}:
        assert health(stack)
        assert page(stack)
        assert time.monotonic() < until
        asked += 1
    assert asked
