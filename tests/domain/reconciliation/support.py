"""Run one reconciliation and read what it found."""

from collections import Counter

from lessonadmin.db import CLI, db
from lessonadmin.domain.reconciliation import reconcile
from lessonadmin.domain.reconciliation.differences import Found


def reconciled(*, fix: bool = True, delete_orphans: bool = False) -> tuple[reconcile.Report, list[Found]]:
    told: list[Found] = []
    report = reconcile.run(
        actor=CLI, started_by="test", fix=fix, delete_orphans=delete_orphans, tell=told.append
    )
    db.session.rollback()
    return report, told


def kinds(told: list[Found]) -> Counter[str]:
    return Counter(found.kind for found in told)
