"""Staff retry a deletion now: one that waits after an error, but none in its grace time, under way, or of a used asset."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import JOB, Actor, db
from lessonadmin.domain.errors import Conflict, Missing, TooMany
from lessonadmin.domain.models import AssetDeletion, AuditLog
from lessonadmin.domain.support import retry_deletion
from tests.domain.batches.actions.support import staff
from tests.factories import keep, make_playing_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden

IN_AN_HOUR = timedelta(hours=1)
PAST = -timedelta(minutes=1)


def deletion(mux_sim: MuxSim, *, due: timedelta = IN_AN_HOUR, **columns: Any) -> AssetDeletion:
    """Of an asset that is at Mux; it failed once, unless it says otherwise."""
    (asset_id,) = mux_sim.control.seed_assets(1)
    columns = {"attempts": 1, "last_error": "server_error", **columns}
    return keep(AssetDeletion(mux_asset_id=asset_id, due_at=datetime.now(UTC) + due, **columns))


def fresh(row: AssetDeletion) -> AssetDeletion:
    db.session.rollback()
    return db.session.get_one(AssetDeletion, row.id, populate_existing=True)


@pytest.mark.parametrize(
    ("due", "columns"),
    [
        (IN_AN_HOUR, {}),
        (PAST, {}),
        (PAST, {"attempts": 0, "last_error": None}),
        (PAST, {"lease_token": uuid.uuid4()}),
    ],
    ids=["waits after an error", "due", "due for the first time", "its lease ran out"],
)
def test_it_is_carried_out_at_once(mux_sim: MuxSim, due: timedelta, columns: dict[str, Any]) -> None:
    row, by = deletion(mux_sim, due=due, **columns), staff("asked by phone")
    assert retry_deletion.try_now(row.id, actor=by) is True
    assert mux_sim.control.assets() == []
    assert fresh(row).done_at is not None
    (written,) = db.session.scalars(select(AuditLog).where(AuditLog.target_id == row.id))
    assert (written.action, written.actor_id) == ("deletion.retried", by.id)
    assert written.detail == {"asset_id": row.mux_asset_id, "reason": "asked by phone"}


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"attempts": 0, "last_error": None}, "in_grace"),
        ({"attempts": 0, "last_error": None, "lease_token": uuid.uuid4()}, "in_grace"),
        ({"lease_token": uuid.uuid4()}, "under_way"),
        ({"done_at": datetime.now(UTC)}, "done_already"),
    ],
    ids=["grace time", "grace time and a lease", "under way", "done"],
)
def test_what_must_wait_or_is_done_is_left_alone(
    mux_sim: MuxSim, columns: dict[str, Any], problem: str
) -> None:
    row = deletion(mux_sim, **columns)
    before = (row.due_at, row.lease_token)
    with pytest.raises(Conflict) as refusal:
        retry_deletion.try_now(row.id, actor=staff())
    assert refusal.value.type == problem
    assert (fresh(row).due_at, fresh(row).lease_token) == before
    assert mux_sim.calls() == []
    assert db.session.scalars(select(AuditLog)).all() == []


def test_one_that_is_not_there_is_missing(mux_sim: MuxSim) -> None:
    with pytest.raises(Missing):
        retry_deletion.try_now(uuid.uuid4(), actor=staff())


def test_an_error_of_mux_reaches_support_and_it_is_tried_again_later(mux_sim: MuxSim) -> None:
    row = deletion(mux_sim)
    mux_sim.control.fault("api", "status", match={"method": "DELETE"}, status=500)
    with pytest.raises(mux.Later):
        retry_deletion.try_now(row.id, actor=staff())
    now = fresh(row)
    assert (now.done_at, now.attempts, now.lease_token) == (None, 2, None)
    assert len(mux_sim.control.assets()) == 1


def test_a_person_may_not_ask_for_ever(mux_sim: MuxSim) -> None:
    rows, by = [deletion(mux_sim) for _ in range(7)], staff()
    with overridden(asks_per_minute=1):  # staff six times as many
        for row in rows[:6]:
            assert retry_deletion.try_now(row.id, actor=by)
        with pytest.raises(TooMany):
            retry_deletion.try_now(rows[6].id, actor=by)
        assert fresh(rows[6]).done_at is None
        assert retry_deletion.try_now(rows[6].id, actor=staff()), "another has a count of their own"


@pytest.mark.parametrize("actor", [JOB, None], ids=["job", "staff"])
def test_a_deletion_of_an_asset_that_is_used_is_ended_and_support_hears_why(
    mux_sim: MuxSim, actor: Actor | None
) -> None:
    row = deletion(mux_sim, attempts=30, last_error="it plays in a lesson or course again")
    make_playing_lesson(mux_asset_id=row.mux_asset_id)
    with pytest.raises(Conflict, match="uses this asset"):
        retry_deletion.try_now(row.id, actor=actor or staff())
    db.session.rollback()
    assert db.session.scalars(select(AssetDeletion.id)).all() == []
    assert "DELETE" not in {call["method"] for call in mux_sim.calls()}
    assert len(mux_sim.control.assets()) == 1
