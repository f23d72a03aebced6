"""A simulator for each test, fresh, fast and repeatable; what speaks to it; a receiver for its events."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mux_python
import pytest

from muxsim.client import Control
from muxsim.server import Simulator
from tests.muxsim.receiver import Receiver
from tests.muxsim.sdk import LOW_TOKEN, TOKEN, Sdk

SECRET = "whsec_test"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def make_sim(tmp_path: Path, receiver: Receiver) -> Iterator[Callable[..., Simulator]]:
    """Starts simulators; the ones still running are stopped at the end."""
    made: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        usual: dict[str, Any] = {
            "state_dir": tmp_path / "muxsim", "webhooks": [(receiver.url, SECRET)], "tokens": [TOKEN, LOW_TOKEN],
            "processing_seconds": 0.0, "rate_limits": False, "retry_seconds": 0.05, "seed": 7,
        }  # fmt: skip
        simulator = Simulator(**(usual | options)).start()
        made.append(simulator)
        return simulator

    yield start
    for simulator in made:
        simulator.stop()


@pytest.fixture
def sim(make_sim: Callable[..., Simulator]) -> Simulator:
    return make_sim()


@pytest.fixture
def control(sim: Simulator) -> Control:
    return Control(sim.url)


@pytest.fixture
def sdk(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    """The package as it comes: another test of this process may have set its one global default."""
    monkeypatch.setattr(mux_python.Configuration, "_default", None)
    made = Sdk(sim.url)
    yield made
    made.close()
