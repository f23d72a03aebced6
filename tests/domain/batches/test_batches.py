"""A batch is created, stopped, resumed and retried; its progress comes from its counters."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lessonadmin import queue
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.batches import batches, runner
from lessonadmin.domain.batches.actions import publish_lessons
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import Batch, BatchItem, Lesson
from tests.domain.batches.support import (
    PUBLISH,
    audit_count,
    begin,
    drafts,
    finish,
    hours_pass,
    items_of,
    run_for_ten_seconds,
    true_counts,
)
from tests.queries import counted


def test_a_choice_of_many_rows_is_written_by_one_statement(session: Session, staff: Actor) -> None:
    drafts(3000)
    with counted() as statements:
        batch_id = begin(PUBLISH, select(Lesson.id).order_by(Lesson.title), staff)
    assert len([one for one in statements if "INSERT INTO batch_items" in one]) == 1
    assert len(statements) <= 6
    shown = batches.progress(batch_id)
    assert (shown.status, shown.total, shown.left, shown.percent) == ("open", 3000, 3000, 0)
    names = [line.name for line in batches.items(batch_id, limit=3)]
    assert names == sorted(session.scalars(select(Lesson.title)).all())[:3]


def test_ids_are_taken_once_and_in_their_order(session: Session, staff: Actor) -> None:
    ids = drafts(5)
    batch_id = begin(PUBLISH, [ids[3], ids[1], ids[3], ids[0]], staff)
    assert [line.target_id for line in batches.items(batch_id)] == [ids[3], ids[1], ids[0]]


def test_a_reason_is_kept_and_bounded(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff, reason="  spring clean  ")
    assert batches.get(batch_id).reason == "spring clean"
    with pytest.raises(Invalid), transaction(staff):
        batches.create(PUBLISH, [], reason="x" * 501)


def test_a_batch_enqueues_a_job_once_its_rows_are_safe(
    session: Session, staff: Actor, redis_connection: Any
) -> None:
    batch_id = begin(PUBLISH, drafts(1), staff)
    (job,) = queue.queue("bulk").jobs
    assert (job.func_name, job.args[0]) == (batches.RUN_BATCH, str(batch_id))


def test_a_batch_that_was_stopped_overnight_goes_on_at_its_old_pace(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(150), staff)
    run_for_ten_seconds(batch_id, 50)
    with transaction(staff):
        batches.stop(batch_id)
    hours_pass()
    assert batches.progress(batch_id).rows_per_second == 5.0
    with transaction(staff):
        batches.resume(batch_id)
    finish(batch_id)
    assert 10.0 < batches.get(batch_id).running_seconds < 40.0
    assert batches.get(batch_id).running_since is None


def test_rows_that_are_tried_again_a_day_later_do_not_slow_the_pace(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = drafts(100)
    batch_id = begin(PUBLISH, ids, staff)
    run_for_ten_seconds(batch_id, 100)
    db.session.execute(update(BatchItem).where(BatchItem.target_id.in_(ids[:50])).values(status="failed"))
    db.session.execute(update(Batch).values(done=50, failed=50))
    db.session.commit()
    hours_pass(24)
    with transaction(staff):
        batches.retry_failed(batch_id)
    assert batches.progress(batch_id).rows_per_second == 10.0
    finish(batch_id)
    db.session.execute(update(BatchItem).values(status="failed"))
    db.session.execute(update(Batch).values(done=0, skipped=0, failed=100))
    db.session.commit()
    with transaction(staff):
        batches.retry_failed(batch_id)
    assert batches.progress(batch_id).rows_per_second is None


def test_stop_and_go_on(session: Session, staff: Actor) -> None:
    batch_id = begin(PUBLISH, drafts(100), staff)
    alive = iter([True, False])
    assert runner.run_some(batch_id, seconds=30, alive=lambda: next(alive)).count == 50
    with transaction(staff):
        batches.stop(batch_id)
    assert runner.run_some(batch_id, seconds=30).count == 0
    assert runner.run_item(items_of(batch_id)[-1]) is None
    assert batches.progress(batch_id).status == "stopped"
    with pytest.raises(Conflict), transaction(staff):
        batches.stop(batch_id)
    with transaction(staff):
        batches.resume(batch_id)
    finish(batch_id)
    assert (batches.progress(batch_id).done, batches.progress(batch_id).status) == (100, "done")
    assert [audit_count(f"batch.{what}") for what in ("created", "stopped", "resumed")] == [1, 1, 1]


def test_the_failed_ones_are_tried_again(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = drafts(4)
    true, broken = publish_lessons.publish, set(ids[:2])

    def publish(lesson_id: uuid.UUID) -> Any:
        if lesson_id in broken:
            raise LookupError("planted")
        return true(lesson_id)

    monkeypatch.setattr(publish_lessons, "publish", publish)
    batch_id = begin(PUBLISH, ids, staff)
    finish(batch_id)
    assert batches.progress(batch_id).failed == 2
    broken.clear()
    with transaction(staff):
        assert batches.retry_failed(batch_id) == 2
    shown = batches.progress(batch_id)
    assert (shown.status, shown.failed, shown.finished_at) == ("running", 0, None)
    finish(batch_id)
    shown = batches.progress(batch_id)
    assert (shown.status, shown.done, shown.failed) == ("done", 4, 0)
    with pytest.raises(Conflict), transaction(staff):
        batches.retry_failed(batch_id)


def test_one_failed_row_is_tried_again_by_itself(
    session: Session, staff: Actor, monkeypatch: pytest.MonkeyPatch, redis_connection: Any
) -> None:
    def publish(_lesson_id: uuid.UUID) -> Any:
        raise LookupError("planted")

    batch_id = begin(PUBLISH, drafts(2), staff, enqueue_job=False)
    with monkeypatch.context() as patch:
        patch.setattr(publish_lessons, "publish", publish)
        finish(batch_id)
    first, second = items_of(batch_id)
    with transaction(staff):
        batches.retry_item(first)
    (job,) = queue.queue("bulk").jobs
    assert (job.func_name, list(job.args)) == ("lessonadmin.jobs.batches.run_batch_item", [str(first)])
    runner.run_item(first)
    shown = batches.progress(batch_id)
    assert (shown.done, shown.failed, shown.status) == (1, 1, "done")
    with pytest.raises(Conflict), transaction(staff):
        batches.retry_item(first)
    assert true_counts(batch_id) == {"done": 1, "failed": 1}
    assert second != first
