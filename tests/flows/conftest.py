"""`house`: the whole product in real processes, shared by the flows of one file and well again before each of them.
A file may have `SETTINGS` of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.servers import Servers
from tests.flows.processes import House
from tests.flows.teacher import Teacher

# Impatient, so that what takes a minute in production takes a second here.
QUICK = {"SWEEP_EVERY_SECONDS": "1", "RECHECK_AFTER_SECONDS": "1", "UPLOADS_PER_HOUR": "1000000"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flow)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, real_servers: Servers) -> Iterator[House]:
    house = House(**getattr(request.module, "SETTINGS", QUICK))
    try:
        house.begin()
        yield house
    finally:
        house.end()


@pytest.fixture
def house(running: House) -> Iterator[House]:
    running.begin()
    running.mux.clear_faults()
    running.mux.hold_processing(False)
    yield running
    if running.simulator is not None:
        running.mux.clear_faults()


@pytest.fixture(scope="module")
def teacher(running: House) -> Teacher:
    return Teacher.hired(running)
