"""/metrics of real gunicorn workers, read by Prometheus's own parser: every metric of the contract, the same from every worker."""

import json
import re
import socket
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from devstack.servers import ports
from lessonadmin import metrics
from tests.operate.serving import web
from tests.settings import environment
from tests.signing import signature

# Section 8 of the contract: name -> labels
CONTRACT = {
    "lessonadmin_webhook_events_total": {"type", "outcome"},
    "lessonadmin_webhook_rejected_total": {"reason"},
    "lessonadmin_uploads_total": {"outcome"},
    "lessonadmin_time_to_ready_seconds": set(),
    "lessonadmin_ready_discovered_total": {"by"},
    "lessonadmin_mux_requests_total": {"operation", "outcome"},
    "lessonadmin_lessons_stuck": set(),
    "lessonadmin_deletions_pending": set(),
    "lessonadmin_queue_jobs": {"queue", "state"},
    "lessonadmin_http_request_seconds": {"route", "method", "status"},
}
HISTOGRAMS = {"lessonadmin_time_to_ready_seconds", "lessonadmin_http_request_seconds"}
WEBHOOKS = 60


def ask(url: str, *, token: str | None = None) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def tell(address: str, secret: str) -> int:
    body = json.dumps({"type": "video.asset.created", "id": str(uuid.uuid4()), "data": {"id": "x"}}).encode()
    headers = {"Mux-Signature": signature(body, secret, now=time.time()), "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/api/webhooks/mux", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def status_of_raw(address: str, line: str) -> int:
    """The status of a request whose first line is sent as it stands: nothing on the way makes its path tidy."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"{line} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return int(connection.recv(64).split()[1])


def samples(text: str, name: str) -> dict[str, float]:
    return {
        json.dumps(one.labels, sort_keys=True): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == name
    }


def total(text: str, name: str) -> float:
    return sum(samples(text, name).values())


def files_of(settings: dict[str, str]) -> set[str]:
    return {file.name for file in Path(settings["PROMETHEUS_MULTIPROC_DIR"]).glob("*.db")}


@pytest.fixture
def settings(pg_url: str, redis_url: str, app: object, tmp_path: Path) -> dict[str, str]:
    return environment(
        database_url=pg_url,
        redis_url=redis_url,
        METRICS_TOKEN="for-prometheus",
        HOST="127.0.0.1",
        PORT=str(ports.any_free()),
        WEB_CONCURRENCY="2",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    )


def test_several_processes_count_as_one_and_a_restart_loses_nothing(settings: dict[str, str]) -> None:
    with web(settings) as address:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(f"{address}/metrics")
        assert {tell(address, "test-webhook-secret") for _ in range(WEBHOOKS)} == {204}
        assert {tell(address, "wrong") for _ in range(5)} == {401}
        assert {status_of_raw(address, f"A{number:07d} /login") for number in range(30)} == {501}
        static = re.search(r"/static/~\w+/js/", ask(f"{address}/login"))
        assert static is not None
        assert status_of_raw(address, f"GET {static[0]}app.js") == 200
        for name in (
            "../../../eslint.config.mjs",
            "%2e%2e/%2e%2e/%2e%2e/eslint.config.mjs",
            "./app.js",
            "../js/app.js",
        ):
            assert status_of_raw(address, f"GET {static[0]}{name}") == 404, name
        pages = [ask(f"{address}/metrics", token="for-prometheus") for _ in range(8)]
    assert {total(page, "lessonadmin_webhook_events_total") for page in pages} == {WEBHOOKS}
    assert {total(page, "lessonadmin_webhook_rejected_total") for page in pages} == {5}
    assert all('method="A' not in page for page in pages)
    left = files_of(settings)
    assert "counter_slot1.db" in left
    with web(settings) as address:
        assert tell(address, "test-webhook-secret") == 204
        page = ask(f"{address}/metrics", token="for-prometheus")
    assert total(page, "lessonadmin_webhook_events_total") == WEBHOOKS + 1
    assert files_of(settings) == left, "the second start went on in the files of the first"


def test_every_metric_of_the_contract_is_there_with_its_labels(settings: dict[str, str]) -> None:
    """Those that nothing has counted yet are made to count once, in the names and labels of the code."""
    metrics.webhook_events.labels("other", "applied").inc(0)
    metrics.webhook_rejected.labels("mismatch").inc(0)
    metrics.uploads.labels("ready").inc(0)
    metrics.ready_discovered.labels("webhook").inc(0)
    metrics.mux_requests.labels("get_asset", "ok").inc(0)
    metrics.http_requests.labels("none", "GET", "200").observe(0.01)
    metrics.time_to_ready.observe(0.0)

    from tests import factories

    assert factories.application is not None
    with factories.application.test_request_context():
        from lessonadmin.views.metrics import Gauges

        page = metrics.exposition(Gauges()).decode()
    for name, labels in CONTRACT.items():
        found = samples(page, f"{name}_bucket" if name in HISTOGRAMS else name)
        assert found, name
        for one in found:
            assert set(json.loads(one)) - {"le"} == labels, name
    assert set(samples(page, "lessonadmin_alarm")) >= {json.dumps({"kind": "no_worker"})}
