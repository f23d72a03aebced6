"""Only the holder of a lease finishes an item or works on a batch; only work counts as running time."""

import uuid

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.batches import batches, leases, runner
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import Lesson
from tests.domain.batches.support import (
    PUBLISH,
    audit_count,
    batch_leases_expire,
    begin,
    claimed,
    drafts,
    finish,
    hours_pass,
    items_of,
    killed_at,
    let_leases_run_out,
    true_counts,
)


def test_the_hours_after_a_killed_worker_are_no_running_time(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = begin(PUBLISH, drafts(150), staff)
    with killed_at(monkeypatch, 51):
        runner.run_some(batch_id, seconds=30)
    hours_pass()
    assert runner.run_item(items_of(batch_id)[-1]) is not None
    hours_pass()
    finish(batch_id)
    assert 0.0 < batches.get(batch_id).running_seconds < 2 * leases.LEASE_SECONDS


def test_a_row_in_other_hands_is_left_alone_until_its_lease_runs_out(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    lease = claimed(batch_id)
    assert runner.run_item(lease.item_id) is None
    assert runner.run_some(batch_id, seconds=5).count == 0
    let_leases_run_out()
    assert runner.run_some(batch_id, seconds=5).count == 1


def test_a_zombie_changes_nothing(session: Session, staff: Actor) -> None:
    """A worker that was thought dead comes back after another one has taken and finished its row."""
    ids = drafts(1)
    batch_id = begin(PUBLISH, ids, staff)
    old = claimed(batch_id)
    let_leases_run_out()
    finish(batch_id)
    with transaction(staff):
        lessons.unpublish(db.session.get_one(Lesson, ids[0]))
    job = runner.load(batch_id)
    assert job is not None
    assert runner._carry_out(job, old, "low") is None
    assert db.session.get_one(Lesson, ids[0], populate_existing=True).status == "draft"
    shown = batches.progress(batch_id)
    assert (shown.done, shown.status) == (1, "done")
    assert audit_count("lesson.published") == 1


def test_a_zombie_cannot_put_a_row_back(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    old = claimed(batch_id)
    let_leases_run_out()
    finish(batch_id)
    with transaction(staff):
        assert not leases.put_back(old, "late", seconds=0)
    assert true_counts(batch_id) == {"done": 1}


def test_a_batch_lease_is_taken_over_only_when_it_expired(session: Session) -> None:
    batch_id = uuid.uuid4()
    with transaction(CLI):
        first = leases.lease_batch(batch_id)
        assert first is not None
        assert leases.lease_batch(batch_id) is None
    batch_leases_expire()
    with transaction(CLI):
        second = leases.lease_batch(batch_id)
    assert second is not None
    assert not leases.renew(batch_id, first)
    assert leases.renew(batch_id, second)
    leases.release(batch_id, first)
    assert leases.renew(batch_id, second)
