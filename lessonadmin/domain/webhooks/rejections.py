"""Webhook requests that were refused, counted for the alarm. A flood of them costs one small write every few seconds."""

import logging
import threading
import time
from collections import Counter

from sqlalchemy.exc import SQLAlchemyError

from lessonadmin.db import db
from lessonadmin.domain import hourly_statistics

log = logging.getLogger(__name__)

WRITE_EVERY_SECONDS = 5.0
_lock = threading.Lock()
_waiting: Counter[str] = Counter()
_written_at = -WRITE_EVERY_SECONDS


def count(reason: str) -> None:
    """Remember one refusal; written down at once, or with the next one after a flood or after the database was away."""
    global _written_at
    with _lock:
        _waiting[reason] += 1
        if time.monotonic() - _written_at < WRITE_EVERY_SECONDS:
            return
        _written_at = time.monotonic()
        waiting = dict(_waiting)
        _waiting.clear()
    try:
        for one, number in waiting.items():
            hourly_statistics.add("rejected", one, number)
        db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()
        with _lock:
            _waiting.update(waiting)
        log.warning("refused webhooks could not be counted: %s", type(error).__name__)
