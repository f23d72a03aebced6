"""The one address that Mux calls: verify the raw bytes, let the inbox store and apply, answer with nothing.

No call to Mux, no mail, no wait for Redis happens here; Mux gives up after five seconds and stores the answer.
"""

import logging
import time

from flask import Blueprint, Response, request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from lessonadmin import config, metrics, mux
from lessonadmin.db import WEBHOOK, db
from lessonadmin.domain.webhooks import inbox, rejections

log = logging.getLogger(__name__)
bp = Blueprint("webhooks", __name__)

MAX_BODY_BYTES = 1024 * 1024


@bp.post("/api/webhooks/mux")
@bp.post("/api/mux/webhook")
def receive() -> Response:
    try:
        body = _body()
        hint = mux.verify(
            request.headers.get("Mux-Signature"), body, config.current().mux_webhook_secrets, now=time.time()
        )
        event = mux.read_event(body)
    except RequestEntityTooLarge:
        return _refused(413, "too_large")
    except mux.BadSignature as refusal:
        return _refused(401, refusal.reason)
    except mux.BadPayload:
        return _refused(400, "malformed")
    try:
        inbox.receive(event, secret_hint=hint, actor=WEBHOOK)
    except SQLAlchemyError as error:
        log.error("event %s could not be stored: %s", event.id, type(error).__name__)
        if isinstance(error, DBAPIError):
            db.session.rollback()
        return _refused(503, "not_stored")
    return Response(status=204)


def _body() -> bytes:
    # A body in chunks does not say its length and is cut off at the limit without a word: so one byte more is read.
    request.max_content_length = MAX_BODY_BYTES + 1
    try:
        body = request.get_data(cache=False)
    except ClientDisconnected as error:
        raise mux.BadPayload("the body ended early") from error
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return body


def _refused(status: int, reason: str) -> Response:
    metrics.webhook_rejected.labels(reason).inc()
    if status == 401:
        rejections.count(reason)
    return Response(status=status)
