"""What the product alone must stand: a fixed rate, a backlog of any size, and single webhooks on an idle system."""

import http.cookiejar
import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.workload import webhook_events, webhook_rows
from bench.workload.receivers import Receiver
from bench.workload.sender import Result, quantile, send_all, send_at_rate
from bench.workload.webhook_burst import WARM_UP, wait_until_drained
from lessonadmin.domain.accounts import passwords

RATE = 800.0
RATE_BESIDE_BACKLOG = 50.0
IDLE_PAUSE_SECONDS = 0.1
SAMPLE_SECONDS = 0.1
PAGE_SECONDS = 0.5
MAX_IDLE_SECONDS = 30
MAX_BACKLOG_SECONDS = 240  # signatures are good for 300
EMAIL, PASSWORD = "bench-reader@school.example", "a long bench password"
DELAYS = """SELECT extract(epoch FROM processed_at - received_at) FROM mux_events
  WHERE outcome = 'applied' AND received_at >= %s"""


@contextmanager
def sampling(look: Callable[[], float], seconds: float) -> Iterator[list[float]]:
    """Ask again and again in a thread; a failure there is raised here."""
    values: list[float] = []
    problems: list[Exception] = []
    over = threading.Event()

    def work() -> None:
        try:
            while not over.wait(seconds):
                values.append(look())
        except Exception as problem:
            problems.append(problem)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield values
    finally:
        over.set()
        thread.join()
    if problems:
        raise problems[0]


@dataclass(frozen=True)
class Sustained:
    """At a fixed rate: answers, delays from received to published in milliseconds, and how the backlog changed."""

    result: Result
    p50: float
    p99: float
    growth: float
    most: float


def sustain(receiver: Receiver, address: str, seconds: float) -> Sustained:
    with webhook_rows.connect(address) as database, webhook_rows.connect(address) as beside:
        lessons = webhook_rows.lessons(database, WARM_UP, int(RATE * seconds))
        requests = webhook_events.requests(lessons)
        began = database.execute("SELECT clock_timestamp()").fetchall()[0]
        with sampling(lambda: webhook_rows.backlog(beside), SAMPLE_SECONDS) as waiting:
            result = send_at_rate(receiver.port, requests, rate=RATE)
        wait_until_drained(database)
        delays = [float(row[0]) * 1000 for row in database.execute(DELAYS, began)]
    quarter = max(len(waiting) // 4, 1)
    growth = quantile(waiting[-quarter:], 0.5) - quantile(waiting[quarter : 2 * quarter], 0.5)
    return Sustained(result, quantile(delays, 0.5), quantile(delays, 0.99), growth, max(waiting))


@dataclass(frozen=True)
class Drained:
    """A backlog: how many a second were applied; what new webhooks and a page, in milliseconds, took meanwhile."""

    rate: float
    seconds: float
    result: Result
    pages: list[float]


def drain(receiver: Receiver, address: str, count: int) -> Drained:
    """Store a backlog behind the product's back, and send new webhooks and ask for a page until it is gone."""
    with webhook_rows.connect(address) as database:
        requests = webhook_events.requests(webhook_rows.lessons(database, WARM_UP + count, count))
        look_at_page = _signed_in(receiver, database)
        look_at_page()
        webhook_rows.fill_backlog(database, WARM_UP, count)
        began = time.monotonic()
        gone: list[float] = []

        def is_gone() -> float:
            if not gone and webhook_rows.is_backlog_gone(database):
                gone.append(time.monotonic() - began)
            return len(gone)

        def is_over() -> bool:
            return bool(gone) or time.monotonic() - began > MAX_BACKLOG_SECONDS

        with sampling(is_gone, SAMPLE_SECONDS), sampling(look_at_page, PAGE_SECONDS) as pages:
            result = send_at_rate(receiver.port, requests, rate=RATE_BESIDE_BACKLOG, until=is_over)
        seconds = gone[0] if gone else float("inf")
        wait_until_drained(database)
    return Drained(count / seconds, seconds, result, pages)


def _signed_in(receiver: Receiver, database: webhook_rows.Database) -> Callable[[], float]:
    """Asks for the list of lessons as an instructor; milliseconds until the whole page is there."""
    database.execute(
        "INSERT INTO users (email, name, role, password_hash) VALUES (%s, 'Reader', 'instructor', %s)",
        (EMAIL, passwords.hashed(PASSWORD)),
    )
    origin = f"http://127.0.0.1:{receiver.port}"
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
    form = browser.open(f"{origin}/login", timeout=30).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token is not None
    fields = {"email": EMAIL, "password": PASSWORD, "csrf_token": token.group(1)}
    browser.open(f"{origin}/login", urllib.parse.urlencode(fields).encode(), timeout=30).close()

    def look() -> float:
        began = time.perf_counter()
        with browser.open(f"{origin}/lessons", timeout=30) as answer:
            assert answer.url == f"{origin}/lessons", answer.url
            answer.read()
        return (time.perf_counter() - began) * 1000

    return look


@dataclass(frozen=True)
class Idle:
    """Milliseconds from sending one webhook until its lesson is published, and how many were when it was answered."""

    waits: list[float]
    at_once: int


def trickle(receiver: Receiver, address: str, count: int) -> Idle:
    """One webhook at a time on an idle system."""
    waits, at_once = [], 0
    with webhook_rows.connect(address) as database:
        for lesson in webhook_rows.lessons(database, WARM_UP, count):
            time.sleep(IDLE_PAUSE_SECONDS)
            result = send_all(receiver.port, webhook_events.requests([lesson]), connections=1)
            answered = time.perf_counter()
            at_once += webhook_rows.is_published(database, lesson)
            while not webhook_rows.is_published(database, lesson):
                if time.perf_counter() - answered > MAX_IDLE_SECONDS:
                    raise RuntimeError("a lesson was not published")
                time.sleep(0.001)
            waits.append((result.waits[0] + time.perf_counter() - answered) * 1000)
    return Idle(waits, at_once)
