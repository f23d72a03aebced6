"""The applier of webhooks: a thread of the clock that applies what web has stored, as soon as it is stored.

PostgreSQL wakes it (`LISTEN`); a look every second finds the rest, also where a pooler of connections lets no
notification through. One process at a time is the applier, by a lock that goes with its connection; the clocks beside it take over when
it is gone or does not keep up. The rules are in `lessonadmin.domain.webhooks.applier`.
"""

import logging
import threading
from typing import Any

import psycopg
from flask import Flask

from lessonadmin import config
from lessonadmin.database.database_errors import is_of_database
from lessonadmin.database.single_connection import connect
from lessonadmin.domain.webhooks import applier
from lessonadmin.domain.webhooks.waiting_events import CHANNEL

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# While events keep coming: a batch has a cost of its own, so a few milliseconds later there are more in one. It is longer than
# web is silent after a notification (`waiting_events.SILENT_SECONDS`), so that nothing waits for the tick.
PAUSE_SECONDS = 0.05
PAUSE_AFTER_ERROR_SECONDS = 1.0

Listening = psycopg.Connection[tuple[Any, ...]]


def start(application: Flask, stop: threading.Event) -> threading.Thread:
    """Apply until `stop`; the caller joins the thread, which ends after the batch that it is at."""
    thread = threading.Thread(target=_run, args=(application, stop), name="applier of webhooks")
    thread.start()
    return thread


def _run(application: Flask, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with connect(config.current().database_url) as connection, application.app_context():
                _work(connection, stop)
        except Exception as error:  # it must go on, whatever applying raises
            if is_of_database(error):
                log.warning("webhooks wait, the database does not answer (%s)", type(error).__name__)
            else:
                log.exception("the applier of webhooks failed and goes on")
            stop.wait(PAUSE_AFTER_ERROR_SECONDS)


def _work(connection: Listening, stop: threading.Event) -> None:
    connection.execute(f"LISTEN {CHANNEL}")
    is_applier = was_notified = False
    while not stop.is_set():
        is_applier = is_applier or _got_lock(connection)
        if is_applier:
            _apply(stop, was_notified)
        else:
            applier.help_if_needed(lambda: not stop.is_set())
        was_notified = _wait(connection)


def _apply(stop: threading.Event, was_notified: bool) -> None:
    """Until a look finds nothing, and once more after a notification."""
    while not stop.is_set():
        count = applier.apply_due()
        if not (count or was_notified):
            return
        was_notified = False
        if count < applier.BATCH:
            stop.wait(PAUSE_SECONDS)


def _got_lock(connection: Listening) -> bool:
    ((got,),) = connection.execute("SELECT pg_try_advisory_lock(%s)", [applier.LOCK]).fetchall()
    return bool(got)


def _wait(connection: Listening) -> bool:
    """Until something is stored, and no longer than a tick. Was it something?"""
    return bool(list(connection.notifies(timeout=TICK_SECONDS, stop_after=1)))
