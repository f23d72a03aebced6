"""`flask clock`: leave a heartbeat, run the periodic table and apply webhooks; `flask sweep`: one pass, and print what it did.

The clock lets workers ask Mux about uploads and carry out bulk actions, and does it itself when Redis or all workers are
silent; everything else it does itself. So what was missed is repaired even without both. Two clocks do no harm.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

import click
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.maintenance import sweep
from lessonadmin.jobs import applier, own_connections
from lessonadmin.jobs.schedule import TABLE
from lessonadmin.text.texts import visible

log = logging.getLogger(__name__)

TICK_SECONDS = 10.0
PAUSE_AFTER_ERROR_SECONDS = 2.0
# A sweep has some twenty parts and asks for a heartbeat before each; most of them take no time.
HEARTBEAT_SECONDS = 5.0


def _heartbeat() -> Callable[[], None]:
    """Leaves a heartbeat, unless the last one is new."""
    left = float("-inf")

    def leave() -> None:
        nonlocal left
        if time.monotonic() - left >= HEARTBEAT_SECONDS:
            heartbeats.record(heartbeats.CLOCK, host=socket.gethostname(), pid=os.getpid())
            left = time.monotonic()

    return leave


def run(application: Flask) -> None:
    """Tick until the process is told to stop; a database that does not answer is waited for."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    leave_heartbeat = _heartbeat()
    applying = applier.start(application, stop)
    due = {one.name: time.monotonic() + one.after for one in TABLE}
    while not stop.is_set():
        pause = TICK_SECONDS
        try:
            with application.app_context():
                leave_heartbeat()
                for one in TABLE:
                    if time.monotonic() >= due[one.name] and not stop.is_set():
                        due[one.name] = time.monotonic() + one.seconds()
                        one.run(leave_heartbeat)
        except SQLAlchemyError as error:
            log.warning("the database does not answer (%s), trying again", type(error).__name__)
            pause = PAUSE_AFTER_ERROR_SECONDS
        except Exception:  # the clock must go on, whatever one periodic task raises
            log.exception("the clock had an error and goes on")
            pause = PAUSE_AFTER_ERROR_SECONDS
        next_due = min(due.values()) - time.monotonic()
        stop.wait(max(0.2, min(pause, next_due)))
    applying.join()


@click.command("clock")
def command() -> None:
    """Record a heartbeat and repair what was missed, until stopped."""
    own_connections.required()
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the real one
    run(application)


@click.command("sweep")
def sweep_command() -> None:
    """One pass of everything the clock does, uploads looked at here and not by a worker."""
    own_connections.required()
    summary = sweep.sweep()
    if not summary.ran:
        click.echo("another sweep is at work; what it does is not done twice")
    for name, figure in summary.figures.items():
        click.echo(f"{name}: {figure}")
    failed = dict(summary.failed)
    for one in TABLE:
        if one.name != "sweep":
            try:
                click.echo(visible(f"{one.name}: {_in_words(one.run(lambda: None))}"))
            except Exception as error:  # one periodic task that fails must not stop the others
                log.exception("the sweep could not finish: %s", one.name)
                failed[one.name] = type(error).__name__
    db.session.remove()
    for name, reason in failed.items():
        click.echo(f"failed {name}: {reason}", err=True)
    if failed:
        raise SystemExit(1)


def _in_words(result: object) -> str:
    if isinstance(result, dict):
        return ", ".join(f"{name} {count}" for name, count in result.items()) or "nothing"
    return "done" if result is None else str(result)
