"""Every counter and histogram, in one list; each process writes its own file and `/metrics` adds them up.

Gauges that describe the database or the queues are not kept here: they are read when `/metrics` is asked.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from lessonadmin.metrics import files, folder, labels, reserved_file

_FOLDER = folder.prepare()
_SLOTS = files.Slots(_FOLDER)
# before the first counter, since the client makes each of this class, and each of its files of the other one
values.MmapedDict = reserved_file.ReservedFile  # type: ignore[attr-defined]  # not a name that the client means to give
values.ValueClass = values.MultiProcessValue(_SLOTS)  # type: ignore[no-untyped-call]

READY_BUCKETS_SECONDS = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
REQUEST_BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)

webhook_events = Counter("lessonadmin_webhook_events_total", "Webhook events by result.", ["type", "outcome"])
webhook_rejected = Counter(
    "lessonadmin_webhook_rejected_total", "Webhook requests that were refused.", ["reason"]
)
security_events = Counter(
    "lessonadmin_security_events_total", "Refusals and failed tries to come in, by kind.", ["kind"]
)
uploads = Counter("lessonadmin_uploads_total", "Uploads by how they ended.", ["outcome"])
time_to_ready = Histogram(
    "lessonadmin_time_to_ready_seconds", "From upload URL to playable video.", buckets=READY_BUCKETS_SECONDS
)
ready_discovered = Counter(
    "lessonadmin_ready_discovered_total", "Who found out that a video is ready.", ["by"]
)
jobs_refused = Counter("lessonadmin_jobs_refused_total", "Jobs in Redis that are not Lessonadmin's.")
mux_requests = Counter("lessonadmin_mux_requests_total", "Calls to Mux.", ["operation", "outcome"])
http_requests = Histogram(
    "lessonadmin_http_request_seconds",
    "Time to answer a request.",
    ["route", "method", "status"],
    buckets=REQUEST_BUCKETS_SECONDS,
)


class _AllProcesses(Collector):
    """What the files of all processes add up to."""

    def collect(self) -> Iterator[Metric]:
        merged = MultiProcessCollector.merge(files.sound(_FOLDER))  # type: ignore[no-untyped-call]
        yield from map(labels.bounded, merged)


def exposition(*others: Collector) -> bytes:
    """Everything in Prometheus's text format, with what other collectors know of this moment."""
    found = CollectorRegistry()
    for one in (_AllProcesses(), *others):
        found.register(one)
    return generate_latest(found)
