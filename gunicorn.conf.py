"""Read by gunicorn from the folder that it is started in: web does not start on a database that is behind."""

import sys
from typing import Any


def on_starting(server: Any) -> None:
    from app import app
    from lessonadmin import metrics
    from lessonadmin.web import memory, starting

    refusal = starting.refusal(app)
    if refusal is not None:
        sys.exit(refusal)
    metrics.tidy()
    memory.keep_what_is_loaded()
