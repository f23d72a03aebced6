"""`stack`: the whole product in real processes, shared by the flows of one file and well again before each of them.
A file may have `SETTINGS` of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.servers.for_tests import Servers
from tests.flows.instructor import Instructor
from tests.flows.processes import Stack

# Impatient, so that what takes a minute in production takes a second here.
QUICK = {"SWEEP_EVERY_SECONDS": "1", "RECHECK_AFTER_SECONDS": "1", "UPLOADS_PER_HOUR": "1000000"}

FULL_BUDGET = "UPDATE mux_budget SET paused_until = NULL, failures = 0, tokens = 1000, filled_at = now()"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flow)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, real_servers: Servers) -> Iterator[Stack]:
    stack = Stack(**getattr(request.module, "SETTINGS", QUICK))
    try:
        stack.begin()
        yield stack
    finally:
        stack.end()


@pytest.fixture
def stack(running: Stack) -> Iterator[Stack]:
    running.begin()
    running.mux.clear_faults()
    running.mux.hold_processing(False)
    # Calls to Mux that the flow before spent are not missing now: without budget a job leaves its row to the clock,
    # which some flows stop.
    running.database.rows(FULL_BUDGET)
    yield running
    if running.simulator is not None:
        running.mux.clear_faults()


@pytest.fixture(scope="module")
def instructor(running: Stack) -> Instructor:
    return Instructor.hired(running)
