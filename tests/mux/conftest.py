"""What the tests of `lessonadmin/mux` may ask for: settings without a database, a fake server, the simulator."""

from collections.abc import Callable, Iterator

import pytest

from lessonadmin import config, metrics
from lessonadmin.mux import transport, web_concurrency
from muxsim.client import Control
from muxsim.server import Simulator
from tests.mux.fake_server import FakeServer
from tests.settings import overridden

QUICK = transport.Limits(connect=0.5, read=0.4, whole=0.9, body=64 * 1024)


@pytest.fixture(autouse=True)
def _with_settings(settings: config.Settings) -> config.Settings:
    return settings


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> transport.Limits:
    """Limits that a test can wait for."""
    monkeypatch.setattr(transport, "LIMITS", QUICK)
    return QUICK


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A server that answers with the bytes it is told to, in the place of Mux."""
    server = FakeServer()
    with overridden(mux_api_url=server.url):
        yield server
    server.close()


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    tokens = [("web-token", "web-secret", "high"), ("worker-token", "worker-secret", "low")]
    with Simulator(tokens=tokens, processing_seconds=0.05) as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Iterator[Control]:
    """An empty Mux that the settings point at."""
    running_simulator.reset()
    with overridden(mux_api_url=running_simulator.url):
        yield Control(running_simulator.url)


@pytest.fixture
def counted() -> Callable[[str, str], float]:
    """How many calls of an operation ended in an outcome since the test began."""
    before: dict[tuple[str, str], float] = {}

    def value(operation: str, outcome: str) -> float:
        return sum(
            sample.value
            for metric in metrics.mux_requests.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
            and sample.labels == {"operation": operation, "outcome": outcome}
        )

    for metric in metrics.mux_requests.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                before[sample.labels["operation"], sample.labels["outcome"]] = sample.value
    return lambda operation, outcome: value(operation, outcome) - before.get((operation, outcome), 0.0)


@pytest.fixture
def in_request(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A web request has begun; all places are free, and no call waits for one."""
    monkeypatch.setattr(web_concurrency, "_slots", web_concurrency.Slots())
    monkeypatch.setattr(web_concurrency, "WAIT_SECONDS", 0.0)
    web_concurrency.begin()
    yield
    web_concurrency.end()
