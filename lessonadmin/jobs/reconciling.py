"""The nightly walk through Mux, which mends what is safe and deletes nothing; and what staff ask for in the panel."""

import logging
import uuid

from lessonadmin import queue
from lessonadmin.db import JOB, Actor
from lessonadmin.domain.reconciliation import mux_inventory, reconcile

log = logging.getLogger(__name__)


def reconcile_nightly() -> None:
    """Walk once; a walk that is under way or cannot be finished is left to the next night."""
    try:
        reconcile.run(actor=JOB, started_by="nightly", mend=True)
    except (reconcile.AlreadyRunning, mux_inventory.WalkFailed) as error:
        log.warning("no reconcile tonight: %s", error)


def ask_when_due() -> bool:
    """A walk through a large Mux takes long, so a worker does it and the clock goes on beating."""
    return reconcile.is_due() and queue.enqueue("lessonadmin.jobs.reconciling.reconcile_nightly")


def walk_now(user_id: str) -> None:
    """Somebody pressed the button: walk and report, and change nothing."""
    try:
        reconcile.run(actor=Actor.user(uuid.UUID(user_id)), started_by=user_id, mend=False)
    except (reconcile.AlreadyRunning, mux_inventory.WalkFailed) as error:
        log.warning("no walk: %s", error)


def mend_kind(run_id: str, kind: str, user_id: str, reason: str) -> None:
    """Mend what the last walk found of one kind; done twice, the second one finds nothing to do."""
    actor = Actor.user(uuid.UUID(user_id), reason=reason or None)
    try:
        reconcile.mend_kind(uuid.UUID(run_id), kind, actor=actor)
    except reconcile.AlreadyRunning:
        log.warning("%s was not mended: a walk is under way", kind)
