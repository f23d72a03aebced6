"""The product with two faults built in, for `test_planted_secrets.py`: a page and a job that fail with secrets in their words and in
their variables, and a page that writes a mark wherever the product writes.
"""

import logging
import os
from typing import Any

from flask import request

from app import app
from lessonadmin import metrics, queue
from lessonadmin.jobs import events

log = logging.getLogger("lessonadmin.planted")
JOB = "lessonadmin.jobs.events.replay_event"
PAGE = "catalog.courses"


class PlantedError(Exception):
    """Something that no code expects."""


def _break(*_: object) -> None:
    secrets = os.environ["PLANTED_SECRETS"]
    try:
        raise PlantedError(f"the server repeats what it was sent: {secrets}")
    except PlantedError as error:
        raise RuntimeError("a library quotes " + ", ".join(secrets.split())) from error


def _leave(mark: str) -> None:
    log.warning("a mark: %s", mark)
    metrics.uploads.labels(mark).inc()
    queue.enqueue(JOB, mark)
    raise PlantedError(mark)


whole = app.view_functions[PAGE]


def page(**arguments: Any) -> Any:
    if "mark" in request.args:
        _leave(request.args["mark"])
    if "break" in request.args:
        queue.enqueue(JOB, "any")
        _break()
    return whole(**arguments)


app.view_functions[PAGE] = page
events.replay_event = _break
