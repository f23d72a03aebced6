"""Which threads answer a request, and that they go on after errors and wait for each other in no group but their own."""

import logging
import threading
from queue import Queue

import pytest
from flask import Flask

from lessonadmin.web_server.thread_pools import (
    HEALTH_THREADS,
    OTHERS,
    RESERVED,
    WEBHOOK_THREADS,
    ThreadPools,
    group_of,
)


@pytest.mark.parametrize(
    ("line", "group"),
    [
        (b"GET /healthz HTTP/1.1", "health"),
        (b"GET /healthz?a=b HTTP/1.1", "health"),
        (b"POST /api/webhooks/mux HTTP/1.1", "webhooks"),
        (b"POST /api/mux/webhook HTTP/1.1", "webhooks"),
        (b"GET /healthz/ HTTP/1.1", OTHERS),
        (b"GET /lessons HTTP/1.1", OTHERS),
        (b"GET", OTHERS),
        (b"", OTHERS),
        (b"\xff /\xff", OTHERS),
    ],
)
def test_health_and_webhooks_have_threads_of_their_own(line: bytes, group: str) -> None:
    assert group_of(line) == group


def test_the_application_has_these_addresses(app: Flask) -> None:
    assert set(RESERVED) <= {rule.rule for rule in app.url_map.iter_rules()}
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("webhooks.")}
    assert routes == {path for path, group in RESERVED.items() if group == "webhooks"}


def test_as_many_run_at_once_as_a_group_has_threads_and_no_group_waits_for_another() -> None:
    pools, release, running = ThreadPools(2), threading.Event(), Queue[str]()

    def job(group: str) -> None:
        running.put(group)
        release.wait(10)

    for group, count in ((OTHERS, 3), ("webhooks", WEBHOOK_THREADS), ("health", HEALTH_THREADS)):
        for _ in range(count):
            pools.submit(group, lambda group=group: job(group))
    begun = [running.get(timeout=5) for _ in range(2 + WEBHOOK_THREADS + HEALTH_THREADS)]
    assert begun.count(OTHERS) == 2
    assert running.empty()
    release.set()
    assert running.get(timeout=5) == OTHERS


def test_a_thread_goes_on_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    pools, done = ThreadPools(1), threading.Event()

    def fail() -> None:
        raise SystemExit(1)

    with caplog.at_level(logging.ERROR):
        pools.submit(OTHERS, fail)
        pools.submit(OTHERS, done.set)
        assert done.wait(5)
    assert "goes on after an error" in caplog.text
