"""Liveness and readiness probes. Public, so they name what is missing and never give details."""

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.webhooks import waiting_events

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Webhooks that wait are told and make no process unready: web stores them and would be missed."""
    waiting: dict[str, float] = {}
    try:
        signs = heartbeats.check()
        if signs["migrations"]:
            backlog = waiting_events.backlog()
            waiting = {"count": backlog.count, "oldest_seconds": round(backlog.oldest_seconds, 1)}
    except SQLAlchemyError:
        db.session.rollback()
        signs = heartbeats.without_database()
    ready = all(signs.values())
    status = "ok" if ready else "not_ready"
    return jsonify(status=status, checks=signs, waiting_events=waiting), 200 if ready else 503
