"""What a run of the tests has in common: its real servers, and the order of its files.

One PostgreSQL and one Redis a run, one database and one Redis number a worker. They are started when the first test asks
for them, or by the process that hands out the tests when several work at once.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from devstack.servers import for_tests
from devstack.servers.for_tests import Servers

LAST_WAITING = 0.85  # of the run

_stack = ExitStack()
_started: Servers | None = None

# Each process of a run counts for itself. Said here, since the next plugin imports the product, which looks at it once.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _stack.enter_context(
    tempfile.TemporaryDirectory(prefix="lessonadmin-test-metrics-", ignore_cleanup_errors=True)
)


def _servers() -> Servers:
    """The servers of this process and of the workers that it starts."""
    global _started
    if _started is None:
        from tests.settings import environment

        def migrate(url: str) -> None:
            for_tests.run_flask(
                "db", "upgrade", settings=environment(database_url=url, redis_url="redis://127.0.0.1:1/0")
            )

        _started = _stack.enter_context(for_tests.for_one_run(migrate))
    return _started


class _HandsOver:
    """For the process that hands out tests: its workers are told where the servers are."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["servers"] = json.dumps(asdict(_servers()))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-browser", action="store_true", help="do not run the tests that drive a real browser"
    )


@pytest.hookimpl(trylast=True)  # after the random order, which it keeps within a kind
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--without-browser"):
        left_out = [item for item in items if item.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=_places(items).__getitem__)


def _places(items: list[pytest.Item]) -> dict[pytest.Item, tuple[float, bool]]:
    """Where each file's tests stand in the run: a share of it, and which kind comes first there.

    Files that wait for processes stand evenly among those that compute, so that one worker computes while another
    waits; and none of them stands at the very end, where the other workers would have nothing left to do.
    """
    files: dict[bool, dict[Path, int]] = {True: {}, False: {}}
    waits = {item.path: False for item in items}
    for item in items:
        waits[item.path] |= any(item.get_closest_marker(name) for name in ("browser", "flow", "chaos"))
    for path, waiting in waits.items():
        files[waiting][path] = len(files[waiting])
    found = {}
    for item in items:
        waiting = waits[item.path]
        share = files[waiting][item.path] / len(files[waiting])
        found[item] = (share * LAST_WAITING if waiting else share, not waiting)
    return found


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_HandsOver())


def pytest_unconfigure() -> None:
    _stack.close()


@pytest.fixture(scope="session")
def real_servers(request: pytest.FixtureRequest) -> Servers:
    """Where PostgreSQL and Redis are; for tests that make databases of their own."""
    handed_over = getattr(request.config, "workerinput", {}).get("servers")
    return Servers(**json.loads(handed_over)) if handed_over else _servers()


@pytest.fixture(scope="session")
def pg_url(real_servers: Servers, worker_id: str) -> str:
    """This worker's own database, at the head of the migrations."""
    return real_servers.database(f"test_{worker_id}")


def _number(worker_id: str) -> int:
    return int(worker_id.removeprefix("gw")) % 8 if worker_id != "master" else 0


@pytest.fixture(scope="session")
def redis_url(real_servers: Servers, worker_id: str) -> str:
    """This worker's own numbered database of Redis."""
    return real_servers.redis_url(_number(worker_id))


@pytest.fixture(scope="session")
def redis_url_of_stack(real_servers: Servers, worker_id: str) -> str:
    """Another one for a product that runs beside the tests: its worker must not take their jobs, nor they empty its."""
    return real_servers.redis_url(8 + _number(worker_id))


@pytest.fixture(scope="session")
def empty_tables(pg_url: str, real_servers: Servers) -> Iterator[Any]:
    """A function that empties every table; kept open, since it runs before each test."""
    name = pg_url.partition("?")[0].rpartition("/")[2]
    with real_servers.postgres.superuser(name) as connection:
        # Triggers stay silent and foreign keys are not asked: everything goes, in whatever order.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET lock_timeout = '5s'")

        def empty() -> None:
            connection.execute(EMPTY_WHAT_HAS_ROWS)

        yield empty


EMPTY_WHAT_HAS_ROWS = """
DO $$
DECLARE name text; found boolean;
BEGIN
  FOR name IN SELECT quote_ident(tablename) FROM pg_tables
              WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO found;
    IF found THEN EXECUTE 'DELETE FROM ' || name; END IF;
  END LOOP;
END $$
"""
