"""`/metrics` for Prometheus: counters of all processes, and gauges read from the database at this moment."""

import hmac

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from lessonadmin import auth, config, metrics

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def show() -> Response:
    if not _may_read():
        abort(401)
    return Response(generate_latest(metrics.registry()), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    found = auth.identity()
    if found is not None and found.user.is_staff:
        return True
    token = config.current().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return token is not None and hmac.compare_digest(given.encode(), token.encode())
