"""The jobs of bulk work do their share and no more, by name and from JSON arguments, as the queue calls them."""

import uuid
from typing import Any

from rq.job import Job
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin import queue
from lessonadmin.db import CLI, Actor, transaction
from lessonadmin.domain.batches import batches, registry
from lessonadmin.domain.models import BatchItem
from lessonadmin.jobs import batches as jobs
from tests.factories import make_playing_lesson, make_user


def begin(count: int) -> uuid.UUID:
    ids = [make_playing_lesson().id for _ in range(count)]
    with transaction(Actor.user(make_user(role="support").id)):
        return batches.create(registry.find("lesson", "unpublish"), ids).id


def queued() -> list[Job]:
    return list(queue.queue("bulk").jobs)


def test_the_job_that_was_queued_finishes_the_batch(session: Session, redis_connection: Any) -> None:
    batch_id = begin(3)
    (job,) = queued()
    job.delete()
    job.func(*job.args)
    assert batches.progress(batch_id).status == "done"
    assert queued() == []


def test_a_job_with_an_old_lease_does_nothing(session: Session, redis_connection: Any) -> None:
    batch_id = begin(1)
    jobs.run_batch(str(batch_id), str(uuid.uuid4()))
    assert batches.progress(batch_id).done == 0


def test_one_row_by_itself(session: Session, redis_connection: Any) -> None:
    batch_id = begin(2)
    item_id = session.scalars(select(BatchItem.id).where(BatchItem.batch_id == batch_id)).first()
    session.rollback()
    for _ in range(2):
        jobs.run_batch_item(str(item_id))
    assert batches.progress(batch_id).done == 1


def test_a_batch_that_is_gone_is_no_error(session: Session) -> None:
    jobs.run_batch(str(uuid.uuid4()), str(uuid.uuid4()))
    jobs.run_batch_item(str(uuid.uuid4()))


def test_nothing_is_queued_when_the_transaction_fails(session: Session, redis_connection: Any) -> None:
    lesson = make_playing_lesson()
    try:
        with transaction(CLI):
            batches.create(registry.find("lesson", "unpublish"), [lesson.id])
            raise LookupError
    except LookupError:
        pass
    assert queued() == []
