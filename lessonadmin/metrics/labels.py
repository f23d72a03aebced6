"""The values that a metric's labels may have, where they come from outside.

Each value makes a series that every process keeps for good, in memory and in its file. So what any client may choose (a
request's method) or Mux may invent (the type of an event) is looked up in a list, and everything that is not in it
counts as one. The other labels are words of this code. Nothing in here counts.
"""

from prometheus_client.core import Metric, Sample

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "OTHER"

_PARTS = {
    "video.asset": "created ready errored updated deleted warning non_standard_input_detected live_stream_completed",
    "video.asset.static_renditions": "preparing ready errored deleted",
    "video.asset.static_rendition": "created ready errored deleted skipped",
    "video.asset.master": "preparing ready errored deleted",
    "video.asset.track": "created ready errored deleted",
    "video.upload": "created asset_created cancelled errored",
    "video.live_stream": "created connected recording active disconnected idle updated enabled disabled deleted warning",
    "video.live_stream.simulcast_target": "created idle starting broadcasting errored deleted updated",
    "video.delivery": "high_traffic",
}
EVENT_TYPES = frozenset(f"{about}.{what}" for about, names in _PARTS.items() for what in names.split())
OTHER_TYPE = "other"

# metric -> label -> its known values, and the one for all others
_BOUNDED = {
    "lessonadmin_http_request_seconds": {"method": (METHODS, OTHER_METHOD)},
    # the client keeps a counter under its name without the ending
    "lessonadmin_webhook_events": {"type": (EVENT_TYPES, OTHER_TYPE)},
}


def method(given: str) -> str:
    """The method of a request, or `OTHER`."""
    return given if given in METHODS else OTHER_METHOD


def event_type(given: str) -> str:
    """A type of event that Mux documents, or `other`."""
    return given if given in EVENT_TYPES else OTHER_TYPE


def bounded(metric: Metric) -> Metric:
    """The metric with every label from its list: series that get the same labels are added up.

    Files that a former version wrote may hold any method and any type.
    """
    limits = _BOUNDED.get(metric.name)
    if limits:
        sums: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        for sample in metric.samples:
            key = (
                sample.name,
                tuple((label, _listed(value, limits.get(label))) for label, value in sample.labels.items()),
            )
            sums[key] = sums.get(key, 0.0) + sample.value
        metric.samples = [Sample(name, dict(labels), value) for (name, labels), value in sums.items()]
    return metric


def _listed(value: str, limit: tuple[frozenset[str], str] | None) -> str:
    return value if limit is None or value in limit[0] else limit[1]
