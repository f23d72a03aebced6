"""Is everything as it must be so that videos publish themselves, and if not, what to do: for `flask doctor` and its page.

Each check has a thread of its own and all have one deadline, so that a server that hangs costs no more than that; what
did not answer in time is a failure of its own. The checks change nothing, use connections of their own, and show no secret.
"""

import contextvars
import logging
import queue as threads_queue
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.health.doctor import (
    account_checks,
    database_checks,
    host_checks,
    mux_checks,
    webhook_checks,
)
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line, fail
from lessonadmin.observability import traces
from lessonadmin.text.texts import plain

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0
Check = Callable[[DoctorContext], list[Line]]

# In the order of the output.
CHECKS: dict[str, Check] = {
    "database": database_checks.database,
    "row-level security": database_checks.row_security,
    "redis": host_checks.redis,
    "redis access": host_checks.redis_access,
    "System": database_checks.background_work,
    "work": database_checks.work,
    "webhooks": webhook_checks.webhooks,
    "webhook secrets": webhook_checks.secrets,
    "Mux": mux_checks.tokens,
    "signing keys": mux_checks.signing_keys,
    "PUBLIC_URL": host_checks.public_url,
    "demo": host_checks.demo,
    "second step": account_checks.second_factor,
    "single sign-on": account_checks.single_sign_on,
    "proxies": host_checks.proxies,
    "mail": host_checks.mail,
    "disk": host_checks.disk,
    "files": host_checks.file_store,
}


def examine(*, seconds: float = TIMEOUT_SECONDS) -> list[Line]:
    """Every check, at the same time; never raises and never takes much longer than `seconds`."""
    context = DoctorContext(db.engine, config.current())
    until = time.monotonic() + seconds
    answers: threads_queue.Queue[tuple[str, list[Line]]] = threads_queue.Queue()
    for name, check in CHECKS.items():
        # A copy of the context, so that the thread knows the application; a daemon, so that it never delays the exit.
        run = contextvars.copy_context().run
        threading.Thread(
            target=run, args=(_one, name, check, context, answers), name=f"doctor {name}", daemon=True
        ).start()
    found: dict[str, list[Line]] = {}
    while len(found) < len(CHECKS):
        try:
            name, lines = answers.get(timeout=max(0.0, until - time.monotonic()))
        except threads_queue.Empty:
            break
        found[name] = lines
    return [line for name in CHECKS for line in found.get(name, [_silent(name, seconds)])]


def _one(
    name: str, check: Check, context: DoctorContext, answers: "threads_queue.Queue[tuple[str, list[Line]]]"
) -> None:
    try:
        lines = check(context)
    except Exception as error:  # one check that breaks must not keep the others from their lines
        log.warning("the doctor's check of %s failed: %s", name, type(error).__name__)
        lines = [_unknown(name, error)]
    answers.put((name, lines))


def _unknown(name: str, error: Exception) -> Line:
    if isinstance(error, SQLAlchemyError):
        return fail(name, "Unknown: the database did not answer.", "See the line about the database.")
    said = f"This could not be checked: {plain(traces.with_words(error), max_length=200)}"
    return fail(name, said, "See the log.")


def _silent(name: str, seconds: float) -> Line:
    return fail(
        name,
        f"No answer within {seconds:g} seconds.",
        "Something this check needs does not respond: check the network.",
    )


def healthy(lines: list[Line]) -> bool:
    """Does nothing fail? Warnings are no failures."""
    return all(line.level != "FAIL" for line in lines)
