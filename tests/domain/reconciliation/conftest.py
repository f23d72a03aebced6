"""Fixtures of the tests of reconciliation."""

from collections.abc import Callable

import pytest

from lessonadmin import mux
from lessonadmin.domain import mux_budget


@pytest.fixture(autouse=True)
def plenty(enough_calls: None) -> None:
    """How the budget holds background work back is proved elsewhere."""


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Mux wants no calls for longer than work waits."""

    def begin() -> None:
        monkeypatch.setattr(mux_budget, "MAX_WAIT_SECONDS", 0.0)
        mux_budget.take()
        mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429, retry_after=900))

    return begin
