"""The nightly walk through Mux: finds drift and mends what is safe, and deletes nothing."""

import logging

from lessonadmin import queue
from lessonadmin.db import JOB
from lessonadmin.domain import reconcile, walking

log = logging.getLogger(__name__)


def reconcile_nightly() -> None:
    """Walk once; a walk that is under way or cannot be finished is left to the next night."""
    try:
        reconcile.run(actor=JOB, started_by="nightly", mend=True)
    except (reconcile.AlreadyRunning, walking.WalkFailed) as error:
        log.warning("no reconcile tonight: %s", error)


def ask_when_due() -> bool:
    """A walk through a large Mux takes long, so a worker does it and the clock goes on beating."""
    return reconcile.is_due() and queue.enqueue("lessonadmin.jobs.reconciling.reconcile_nightly")
