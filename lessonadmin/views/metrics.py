"""`/metrics` for Prometheus: counters of all processes, and gauges read from the database at this moment."""

import hmac
from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import auth, config, metrics
from lessonadmin.db import db
from lessonadmin.domain.health import dashboard
from lessonadmin.domain.webhooks import waiting_events

bp = Blueprint("metrics", __name__)


class Gauges(Collector):
    """The gauges of the contract, read when Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        try:
            stuck, needing, pending, alarms, backlog = (
                dashboard.lessons_stuck(),
                dashboard.lessons_needing_attention(),
                dashboard.deletions_pending(),
                dashboard.alarms_by_kind(),
                waiting_events.backlog(),
            )
        except SQLAlchemyError:
            db.session.rollback()  # the counters are told all the same
        else:
            yield GaugeMetricFamily(
                "lessonadmin_lessons_stuck", "Videos that take longer than they should.", value=stuck
            )
            attention = GaugeMetricFamily(
                "lessonadmin_lessons_needing_attention",
                "Lessons that need a person, each counted by its first cause.",
                labels=["cause"],
            )
            for cause, count in needing.items():
                attention.add_metric([cause], count)
            yield attention
            yield GaugeMetricFamily(
                "lessonadmin_deletions_pending", "Assets that are still to be deleted at Mux.", value=pending
            )
            yield GaugeMetricFamily(
                "lessonadmin_events_waiting",
                "Webhooks that are stored and not applied yet.",
                value=backlog.count,
            )
            yield GaugeMetricFamily(
                "lessonadmin_events_waiting_seconds",
                "For how long the oldest of them has waited.",
                value=backlog.oldest_seconds,
            )
            alarm = GaugeMetricFamily(
                "lessonadmin_alarm", "1 while the alarm of this kind stands, else 0.", labels=["kind"]
            )
            for kind, stands in alarms.items():
                alarm.add_metric([kind], int(stands))
            yield alarm
        jobs = GaugeMetricFamily(
            "lessonadmin_queue_jobs", "Jobs by queue and state.", labels=["queue", "state"]
        )
        for queue, states in dashboard.queue_jobs().items():
            for state, count in states.items():
                jobs.add_metric([queue, state], count)
        yield jobs


@bp.get("/metrics")
def show() -> Response:
    if not _may_read():
        auth.note_wrong_token()
        abort(401)
    return Response(metrics.exposition(Gauges()), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    found = auth.identity()
    if found is not None and found.user.is_staff:
        return True
    token = config.current().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return token is not None and hmac.compare_digest(given.encode(), token.encode())
