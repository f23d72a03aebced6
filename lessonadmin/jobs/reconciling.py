"""Jobs of reconciliation: the nightly run, which fixes what is safe and deletes nothing, and what staff request in the panel.

The names of the jobs stay as they are: jobs that wait in Redis during an upgrade carry them.
"""

import logging
import uuid

from lessonadmin import queue
from lessonadmin.db import JOB, Actor
from lessonadmin.domain.reconciliation import mux_inventory, reconcile

log = logging.getLogger(__name__)


def reconcile_nightly() -> None:
    """Run once; a run that is under way or cannot be finished is left to the next night."""
    try:
        reconcile.run(actor=JOB, started_by="nightly", fix=True)
    except (reconcile.AlreadyRunning, mux_inventory.InventoryFailed) as error:
        log.warning("no reconcile tonight: %s", error)


def ask_when_due() -> bool:
    """To read a large Mux takes long, so a worker does it and the clock keeps ticking."""
    return reconcile.is_due() and queue.enqueue("lessonadmin.jobs.reconciling.reconcile_nightly")


def walk_now(user_id: str) -> None:
    """Staff pressed the button: read and report, change nothing."""
    try:
        reconcile.run(actor=Actor.user(uuid.UUID(user_id)), started_by=user_id, fix=False)
    except (reconcile.AlreadyRunning, mux_inventory.InventoryFailed) as error:
        log.warning("no reconciliation run: %s", error)


def mend_kind(run_id: str, kind: str, user_id: str, reason: str) -> None:
    """Fix what the last run found of one kind; done twice, the second one finds nothing to do."""
    actor = Actor.user(uuid.UUID(user_id), reason=reason or None)
    try:
        reconcile.fix_kind(uuid.UUID(run_id), kind, actor=actor)
    except reconcile.AlreadyRunning:
        log.warning("%s was not fixed: a reconciliation run is under way", kind)
