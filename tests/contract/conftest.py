"""The outside contract, checked from outside: real processes by the Procfile's lines, HTTP, and SQL on the tables.

`stack`     everything that runs, started once a run, with a PostgreSQL and a Redis of its own and a fake Mux
`instructor`, `student`, `support`, `admin`    callers with a bearer token
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.servers import for_tests
from tests.contract.callers import Caller
from tests.contract.stack import Stack
from tests.settings import migrate


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flow)
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with for_tests.for_one_run(migrate) as running:
        built = Stack(running, tmp_path_factory.mktemp("contract"))
        try:
            built.start()
            yield built
        finally:
            built.stop()


@pytest.fixture(autouse=True)
def clean(stack: Stack) -> Iterator[None]:
    """Instead of empty tables: every check makes what it needs, and Mux is calm at its end."""
    yield
    stack.mux.calm()
    # What failed was wanted by one check, and the calls that it spent are not the next one's debt.
    stack.sql("UPDATE mux_budget SET paused_until = NULL, failures = 0, tokens = 1000, filled_at = now()")


@pytest.fixture
def instructor(stack: Stack) -> Caller:
    return stack.who("instructor")


@pytest.fixture
def student(stack: Stack) -> Caller:
    return stack.who("student")


@pytest.fixture
def support(stack: Stack) -> Caller:
    return stack.who("support")


@pytest.fixture
def admin(stack: Stack) -> Caller:
    return stack.who("admin")
