"""Liveness and readiness probes. Public, so they name what is missing and never give details."""

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin.db import db
from lessonadmin.domain import heartbeats

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    try:
        signs = heartbeats.check()
    except SQLAlchemyError:
        db.session.rollback()
        signs = heartbeats.without_database()
    ready = all(signs.values())
    return jsonify(status="ok" if ready else "not_ready", checks=signs), 200 if ready else 503
