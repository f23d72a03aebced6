"""The outside contract, checked from outside: real processes by the Procfile's lines, HTTP, and SQL on the tables.

`house`     everything that runs, started once a session, with a PostgreSQL and a Redis of its own and a fake Mux
`teacher`, `student`, `support`, `admin`    callers with a bearer token
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import servers
from tests.contract.callers import Caller
from tests.contract.house import House
from tests.settings import environment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flow)
            item.add_marker(pytest.mark.enable_socket)


def _migrate(url: str) -> None:
    servers.run_flask(
        "db", "upgrade", settings=environment(database_url=url, redis_url="redis://127.0.0.1:1/0")
    )


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with servers.for_one_run(_migrate) as running:
        built = House(running, tmp_path_factory.mktemp("contract"))
        try:
            built.start()
            yield built
        finally:
            built.stop()


@pytest.fixture(autouse=True)
def clean(house: House) -> Iterator[None]:
    """Instead of empty tables: every check makes what it needs, and Mux is calm at its end."""
    yield
    house.mux.calm()
    # What failed was one check's wish, and the calls that it spent are not the next one's debt.
    house.sql("UPDATE mux_budget SET paused_until = NULL, failures = 0, tokens = 1000, filled_at = now()")


@pytest.fixture
def teacher(house: House) -> Caller:
    return house.who("instructor")


@pytest.fixture
def student(house: House) -> Caller:
    return house.who("student")


@pytest.fixture
def support(house: House) -> Caller:
    return house.who("support")


@pytest.fixture
def admin(house: House) -> Caller:
    return house.who("admin")
