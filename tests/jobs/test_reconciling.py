"""Jobs of reconciliation: which may change something, and that one under way is not a failure."""

import uuid
from typing import Any

import pytest

from lessonadmin import queue
from lessonadmin.domain.reconciliation import mux_inventory, reconcile
from lessonadmin.jobs import reconciling
from lessonadmin.redis_queue.job_list import QUEUES

pytestmark = pytest.mark.usefixtures("session")
USER, RUN = str(uuid.uuid4()), str(uuid.uuid4())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What reconciliation is asked for."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(reconcile, "run", lambda **named: calls.append(named))
    return calls


def test_at_night_differences_are_fixed_and_nothing_is_deleted(asked: list[dict[str, Any]]) -> None:
    reconciling.reconcile_nightly()
    assert [(one["fix"], one.get("delete_orphans", False)) for one in asked] == [(True, False)]


def test_the_button_of_staff_changes_nothing(asked: list[dict[str, Any]]) -> None:
    reconciling.walk_now(USER)
    assert [(one["fix"], one["started_by"]) for one in asked] == [(False, USER)]


@pytest.mark.parametrize("error", [reconcile.AlreadyRunning(), mux_inventory.InventoryFailed("away")])
def test_what_cannot_run_now_is_left_to_the_next_time(
    monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(reconcile, "run", refuse)
    reconciling.reconcile_nightly()
    reconciling.walk_now(USER)
    assert len(caplog.records) == 2


def test_a_fix_while_another_runs_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise reconcile.AlreadyRunning

    monkeypatch.setattr(reconcile, "fix_kind", refuse)
    reconciling.mend_kind(RUN, "orphan", USER, "asked for")
    assert "orphan" in caplog.text


@pytest.mark.parametrize(("due", "expected"), [(True, ["reconcile_nightly"]), (False, [])])
def test_a_worker_gets_the_run_only_when_it_is_due(
    monkeypatch: pytest.MonkeyPatch, redis_url: str, due: bool, expected: list[str]
) -> None:
    monkeypatch.setattr(reconcile, "is_due", lambda: due)
    assert reconciling.ask_when_due() is due
    waiting = [job for name in QUEUES for job in queue.queue(name).jobs]
    assert [job.func_name.rpartition(".")[2] for job in waiting] == expected
