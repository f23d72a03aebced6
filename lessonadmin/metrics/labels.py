"""The values that a metric's labels may have, where they come from outside.

Each value makes a series that every process keeps for good, in memory and in its file. So what a stranger may choose (a
request's method) or somebody else may invent (the type of an event) is looked up in a list, and everything that is not
in it counts as one. The other labels are words of our own code. Nothing in here counts.
"""

import json

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

# metric -> label -> the one that speaks for it
_BOUNDED = {
    "lessonadmin_http_request_seconds": {"method": (METHODS, OTHER_METHOD)},
    "lessonadmin_webhook_events_total": {"type": (EVENT_TYPES, OTHER_TYPE)},
    # the client keeps a counter under its name without the ending
    "lessonadmin_webhook_events": {"type": (EVENT_TYPES, OTHER_TYPE)},
}


def method(given: str) -> str:
    """The method of a request, or `OTHER`."""
    return given if given in METHODS else OTHER_METHOD


def event_type(given: str) -> str:
    """A type of event that Mux documents, or `other`."""
    return given if given in EVENT_TYPES else OTHER_TYPE


def bounded(key: str) -> str:
    """The key of a series in a file of the client's, with every label from its list.

    Files that a former version wrote may hold any method and any type.
    """
    metric, name, labels, said = json.loads(key)
    limits = _BOUNDED.get(metric, {})
    for label, (known, other) in limits.items():
        if label in labels and labels[label] not in known:
            labels[label] = other
    return json.dumps([metric, name, labels, said], sort_keys=True) if limits else key
