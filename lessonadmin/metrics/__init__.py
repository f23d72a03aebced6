"""Every counter and histogram, in one list; each process writes its own file and `/metrics` adds them up.

Gauges that describe the database or the queues are not kept here: they are read when somebody asks.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lessonadmin import config
from lessonadmin.metrics import folder, labels

# Two installations of one user on one machine do not add up each other's figures.
_HOUSE = hashlib.sha256(os.environ.get("DATABASE_URL", "").encode()).hexdigest()[:8]
_DEFAULT = Path(tempfile.gettempdir()) / f"lessonadmin-metrics-{os.getuid()}-{_HOUSE}"
# The client decides at import whether values live in files, so the folder must be known before it.
_FOLDER = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_DEFAULT)))
try:
    folder.make_private(_FOLDER)
except folder.NotOurs as refusal:
    raise config.SettingsError(
        f"Lessonadmin cannot start: the folder for its metrics, {_FOLDER}, {refusal}. "
        "Remove it, or name another one in PROMETHEUS_MULTIPROC_DIR."
    ) from None

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest  # noqa: E402 - after the folder
from prometheus_client.core import Metric  # noqa: E402 - after the folder
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402 - after the folder
from prometheus_client.registry import Collector  # noqa: E402 - after the folder

from lessonadmin.metrics import files  # noqa: E402 - after the folder

LONG_WAITS = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
REQUEST_TIMES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)

webhook_events = Counter(
    "lessonadmin_webhook_events_total", "Webhook events by what became of them.", ["type", "outcome"]
)
webhook_rejected = Counter(
    "lessonadmin_webhook_rejected_total", "Webhook requests that were refused.", ["reason"]
)
security_events = Counter(
    "lessonadmin_security_events_total", "Refusals and failed tries to come in, by kind.", ["kind"]
)
uploads = Counter("lessonadmin_uploads_total", "Uploads by how they ended.", ["outcome"])
time_to_ready = Histogram(
    "lessonadmin_time_to_ready_seconds", "From upload URL to playable video.", buckets=LONG_WAITS
)
ready_discovered = Counter(
    "lessonadmin_ready_discovered_total", "Who found out that a video is ready.", ["by"]
)
jobs_refused = Counter("lessonadmin_jobs_refused_total", "Jobs in Redis that are none of ours.")
mux_requests = Counter("lessonadmin_mux_requests_total", "Calls to Mux.", ["operation", "outcome"])
http_requests = Histogram(
    "lessonadmin_http_request_seconds",
    "Time to answer a request.",
    ["route", "method", "status"],
    buckets=REQUEST_TIMES,
)


class _AllProcesses(Collector):
    """What the files of all processes add up to."""

    def collect(self) -> Iterator[Metric]:
        yield from MultiProcessCollector.merge(files.files(_FOLDER))  # type: ignore[no-untyped-call]


def exposition(*others: Collector) -> bytes:
    """Everything in Prometheus's text format, with what other collectors know of this moment."""
    found = CollectorRegistry()
    for one in (_AllProcesses(), *others):
        found.register(one)
    with files.locked(_FOLDER):
        files.fold(_FOLDER, labels.bounded)
        return generate_latest(found)


def tidy() -> int:
    """Fold what processes before this one have left; done when web starts. How many files."""
    with files.locked(_FOLDER):
        return files.fold(_FOLDER, labels.bounded, most_dead=0)
