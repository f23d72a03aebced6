"""A row of work at Mux is one worker's at a time, and a worker that comes too late changes nothing."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin import mux
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.models import AssetDeletion, UploadCancellation
from lessonadmin.domain.videos import outbox
from lessonadmin.domain.videos.outbox import Lease, OutboxModel

ROWS: dict[OutboxModel, Any] = {
    AssetDeletion: lambda: AssetDeletion(mux_asset_id="one"),
    UploadCancellation: lambda: UploadCancellation(
        upload_id="one", target_type="lesson", target_id=uuid.uuid4()
    ),
}


@pytest.fixture(params=ROWS, ids=lambda model: model.__tablename__)
def model(request: pytest.FixtureRequest, session: Session) -> OutboxModel:
    db.session.add(ROWS[request.param]())
    db.session.commit()
    return request.param  # type: ignore[no-any-return]


def row_of(model: OutboxModel) -> Any:
    db.session.rollback()
    return db.session.scalars(select(model).execution_options(populate_existing=True)).one()


def take(model: OutboxModel) -> Lease | None:
    with transaction(JOB):
        return outbox.take_lease(model, row_of(model).id)


def time_is_up(model: OutboxModel) -> None:
    db.session.execute(update(model).values(due_at=func.now() - text("interval '1 second'")))
    db.session.commit()


def seconds_left(model: OutboxModel) -> float:
    db.session.rollback()
    left = select(func.extract("epoch", model.due_at - func.clock_timestamp()))
    return float(db.session.scalars(left).one())


def test_one_at_a_time(model: OutboxModel) -> None:
    first = take(model)
    assert first is not None
    assert (first.mux_id, first.attempts) == ("one", 1)
    assert take(model) is None
    assert outbox.LEASE_SECONDS - 20 < seconds_left(model) <= outbox.LEASE_SECONDS


@pytest.mark.parametrize(
    "end",
    [
        lambda lease: outbox.release_after_error(lease, mux.Later("No answer.")),
        lambda lease: outbox.release(lease, "no", seconds=1),
        outbox.mark_done,
    ],
    ids=["failed", "put off", "done"],
)
def test_a_late_one_changes_nothing(model: OutboxModel, end: Callable[[Lease], bool]) -> None:
    late = take(model)
    time_is_up(model)
    next_one = take(model)
    assert late is not None
    assert next_one is not None
    with transaction(JOB):
        assert not end(late)
    row = row_of(model)
    assert (row.lease_token, row.last_error, row.done_at) == (next_one.token, None, None)
    with transaction(JOB):
        assert outbox.mark_done(next_one)
    assert row_of(model).done_at is not None
    time_is_up(model)
    assert take(model) is None


@pytest.mark.parametrize(
    ("tries", "asked", "seconds"), [(1, None, 30), (2, None, 60), (3, None, 120), (1, 500.0, 500)]
)
def test_after_a_failure_it_waits_longer_each_time(
    model: OutboxModel, tries: int, asked: float | None, seconds: float
) -> None:
    for number in range(tries):
        time_is_up(model)
        lease = take(model)
        assert lease is not None
        assert lease.attempts == number + 1
        with transaction(JOB):
            outbox.release_after_error(lease, mux.Later("Too many calls.", retry_after=asked))
    assert seconds - 20 < seconds_left(model) <= seconds
    assert row_of(model).last_error.endswith("Too many calls.")
    assert row_of(model).lease_token is None
