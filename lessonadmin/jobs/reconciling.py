"""The nightly walk through Mux: finds drift and mends what is safe, and deletes nothing."""

import logging

from lessonadmin.db import JOB
from lessonadmin.domain import reconcile, walking

log = logging.getLogger(__name__)


def reconcile_nightly() -> None:
    """Walk once; a walk that is under way or cannot be finished is left to the next night."""
    try:
        reconcile.run(actor=JOB, started_by="nightly", mend=True)
    except (reconcile.AlreadyRunning, walking.WalkFailed) as error:
        log.warning("no reconcile tonight: %s", error)
