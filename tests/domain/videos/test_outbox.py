"""A row of work at Mux is one worker's at a time, and whoever comes too late changes nothing."""

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin import mux
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.models import AssetDeletion, UploadCancellation
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos import cleanup, outbox
from lessonadmin.domain.videos.outbox import Lease, OutboxModel
from tests.factories import make_lesson
from tests.mux_sim import MuxSim

PROMISES: dict[OutboxModel, Any] = {
    AssetDeletion: lambda: AssetDeletion(mux_asset_id="one"),
    UploadCancellation: lambda: UploadCancellation(
        upload_id="one", target_type="lesson", target_id=uuid.uuid4()
    ),
}


@pytest.fixture(params=PROMISES, ids=lambda model: model.__tablename__)
def model(request: pytest.FixtureRequest, session: Session) -> OutboxModel:
    db.session.add(PROMISES[request.param]())
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


def test_a_late_one_changes_nothing(model: OutboxModel) -> None:
    late = take(model)
    time_is_up(model)
    heir = take(model)
    assert late is not None
    assert heir is not None
    for too_late in (
        lambda: outbox.release_after_error(late, mux.Later("No answer.")),
        lambda: outbox.release(late, "no", seconds=1),
        lambda: outbox.mark_done(late),
    ):
        with transaction(JOB):
            assert not too_late()
        row = row_of(model)
        assert (row.lease_token, row.last_error, row.done_at) == (heir.token, None, None)
    with transaction(JOB):
        assert outbox.mark_done(heir)
    assert row_of(model).done_at is not None
    time_is_up(model)
    assert take(model) is None


@pytest.mark.parametrize(
    ("tries", "wished", "seconds"), [(1, None, 30), (2, None, 60), (3, None, 120), (1, 500.0, 500)]
)
def test_after_a_failure_it_waits_longer_each_time(
    model: OutboxModel, tries: int, wished: float | None, seconds: float
) -> None:
    for number in range(tries):
        time_is_up(model)
        lease = take(model)
        assert lease is not None
        assert lease.attempts == number + 1
        with transaction(JOB):
            outbox.release_after_error(lease, mux.Later("Too many calls.", retry_after=wished))
    assert seconds - 20 < seconds_left(model) <= seconds
    assert row_of(model).last_error.endswith("Too many calls.")
    assert row_of(model).lease_token is None


@pytest.mark.parametrize("answer", ["cancelled", "no answer"])
def test_a_cancellation_that_another_worker_has_finished_is_left_as_it_is(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=JOB)
    row_id = db.session.scalars(select(UploadCancellation.id)).one()
    db.session.rollback()
    at_mux, ended = cleanup._cancel_at_mux, []

    def slow(upload_id: str, priority: mux.Priority) -> mux.Upload | None:
        """While the first waits for Mux, its lease runs out and another one does the work."""
        if ended:
            return at_mux(upload_id, priority)
        time_is_up(UploadCancellation)
        ended.append(None)
        ended[:] = [cleanup.finish_cancellation(row_id, actor=JOB)]
        if answer == "no answer":
            raise mux.Later("No answer.")
        return None

    monkeypatch.setattr(cleanup, "_cancel_at_mux", slow)
    if answer == "no answer":
        with pytest.raises(mux.Later):
            cleanup.finish_cancellation(row_id, actor=JOB)
    else:
        assert cleanup.finish_cancellation(row_id, actor=JOB) is False
    assert ended == [True]
    row = row_of(UploadCancellation)
    assert row.done_at is not None
    assert (row.last_error, row.lease_token) == (None, None)
    assert mux_sim.rows(lesson)[0].status == "cancelled"
