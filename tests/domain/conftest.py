"""What tests of the domain may ask for."""

import pytest

from lessonadmin.domain import mux_budget


@pytest.fixture
def enough_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The background's calls to Mux do not run out."""
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
