"""`/metrics` for Prometheus: counters of all processes, and gauges read from the database at this moment."""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import auth, config, metrics
from lessonadmin.database import row_access
from lessonadmin.db import db
from lessonadmin.domain.health import dashboard
from lessonadmin.domain.webhooks import waiting_events

bp = Blueprint("metrics", __name__)


class Gauges(Collector):
    """The gauges of the contract, read when Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        try:
            rows = list(_of_the_database())
        except SQLAlchemyError:
            db.session.rollback()  # the counters are told all the same
        else:
            yield from rows
        jobs = GaugeMetricFamily(
            "lessonadmin_queue_jobs", "Jobs by queue and state.", labels=["queue", "state"]
        )
        for queue, states in dashboard.queue_jobs().items():
            for state, count in states.items():
                jobs.add_metric([queue, state], count)
        yield jobs


def _of_the_database() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "lessonadmin_lessons_stuck",
        "Videos that take longer than they should.",
        value=dashboard.lessons_stuck(),
    )
    yield _by_label(
        "lessonadmin_lessons_needing_attention",
        "Lessons that need a person, each counted by its first cause.",
        "cause",
        dashboard.lessons_needing_attention(),
    )
    yield GaugeMetricFamily(
        "lessonadmin_deletions_pending",
        "Assets that are still to be deleted at Mux.",
        value=dashboard.deletions_pending(),
    )
    backlog = waiting_events.backlog()
    yield GaugeMetricFamily(
        "lessonadmin_events_waiting", "Webhooks that are stored and not applied yet.", value=backlog.count
    )
    yield GaugeMetricFamily(
        "lessonadmin_events_waiting_seconds",
        "For how long the oldest of them has waited.",
        value=backlog.oldest_seconds,
    )
    alarms = dashboard.alarms_by_kind()
    yield _by_label("lessonadmin_alarm", "1 while the alarm of this kind stands, else 0.", "kind", alarms)


def _by_label(name: str, words: str, label: str, values: Mapping[Any, float]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge


@bp.get("/metrics")
def show() -> Response:
    if not _may_read():
        auth.note_wrong_token()
        abort(401)
    with row_access.everything():
        return Response(metrics.exposition(Gauges()), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    found = auth.identity()
    if found is not None and found.user.is_staff:
        return True
    token = config.current().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return token is not None and hmac.compare_digest(given.encode(), token.encode())
