"""A failed job is tried again or forgotten, and the audit trail says by whom; what is refused leaves no row."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin import queue
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.errors import Conflict
from lessonadmin.domain.models import AuditLog
from lessonadmin.domain.support import failed_jobs
from tests.factories import make_user
from tests.workers import work_off


def fail_one(app: Flask) -> str:
    job = queue.queue("bulk").enqueue("lessonadmin.jobs.batches.run_batch_item", "no id")
    work_off(app)
    return str(job.id)


def recorded() -> list[tuple[str, object]]:
    rows = db.session.scalars(
        select(AuditLog).where(AuditLog.action.startswith("job.")).order_by(AuditLog.id)
    )
    return [(row.action, row.detail["job"]) for row in rows]


def test_each_act_is_recorded_with_its_job(app: Flask, session: Session, redis_url: str) -> None:
    support = Actor.user(make_user(role="support").id)
    first = fail_one(app)
    with transaction(support):
        failed_jobs.retry(first)
    assert queue.queue("bulk").job_ids == [first]
    work_off(app)
    with transaction(support):
        failed_jobs.retry_all()
    assert queue.queue("bulk").job_ids == [first]
    work_off(app)
    with transaction(support):
        failed_jobs.forget(first)
    assert queue.queue("bulk").failed_job_registry.get_job_ids() == []
    assert recorded() == [("job.retried", first), ("job.retried", "all"), ("job.deleted", first)]


@pytest.mark.parametrize("act", [failed_jobs.retry, failed_jobs.forget])
def test_what_is_refused_leaves_no_row(session: Session, redis_url: str, act: Callable[[str], None]) -> None:
    with pytest.raises(Conflict), transaction(Actor.user(make_user(role="support").id)):
        act("not there")
    assert recorded() == []
