"""A stack in which the doctor finds nothing wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from lessonadmin import mux
from lessonadmin.domain import heartbeats
from muxsim.options import ENVIRONMENT
from muxsim.webhooks.events import environment_id
from tests.factories import make_event
from tests.mux_sim import MuxSim

OURS = environment_id(ENVIRONMENT)


@pytest.fixture
def well(mux_sim: MuxSim) -> MuxSim:
    """An installation where everything is as it should be."""
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")
    make_event(
        secret_hint=mux.hint("test-webhook-secret"),
        outcome="applied",
        occurred_at=datetime.now(UTC) - timedelta(seconds=1),
        environment_id=OURS,
    )
    return mux_sim
