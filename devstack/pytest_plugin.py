"""What a run of the tests has in common: its real servers, and the order of its units.

One PostgreSQL and one Redis a run, one database and one Redis number a worker. They are started when the first test asks
for them, or by the process that hands out the tests when several work at once.

A unit is what one worker runs without a break: a file, or a folder that is a package (it has an `__init__.py`). The files
of such a folder share a fixture with the scope "package", such as the processes of the whole product: they are started
once a run, and no longer alive than their tests.
"""

import gc
import json
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable
from xdist.scheduler import LoadFileScheduling

from devstack import places, rewritten_tests
from devstack.servers import for_tests
from devstack.servers.for_tests import Servers

WAITING = ("browser", "flow", "chaos")
LAST_WAITING = 0.85  # of the run
USUAL_SECONDS = 120.0  # the timeout of pyproject.toml
# How many new objects wait for a look by Python's collector of garbage, and after how many looks older ones are looked at
THRESHOLDS = (20_000, 20, 20)
# After how many deleted rows the tables are made anew. Rows that were changed leave as much behind, and are not counted.
MANY_DELETED = 2_000
DELETED_AT_LEAST = 10

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
        from tests.settings import migrate

        _started = _stack.enter_context(for_tests.for_one_run(migrate))
    return _started


class _Units(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """xdist's own way to hand out files, with units in their place."""

    def _split_scope(self, nodeid: str) -> str:
        return str(unit_of(self.config.rootpath / super()._split_scope(nodeid)))


class _HandsOut:
    """For the process that hands out tests: its workers are told where the servers are, and get whole units."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> LoadFileScheduling | None:
        return _Units(config, log) if config.getoption("dist") == "loadfile" else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["servers"] = json.dumps(asdict(_servers()))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-browser", action="store_true", help="do not run the tests that drive a real browser"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collecting loads everything and makes no garbage: looking for some took a third of its time. What is loaded stays
    until the end, and is not looked at later either."""
    gc.disable()
    try:
        worker = getattr(session.config, "workerinput", None)
        if worker is not None:
            tests, number = places.ROOT / "tests", int(worker["workerid"].removeprefix("gw"))
            rewritten_tests.make_share(session.config, tests, number, worker["workercount"])
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.enable()


@pytest.hookimpl(trylast=True)  # after the random order, which it keeps within a kind
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--without-browser"):
        left_out = [item for item in items if item.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items.sort(key=_places(items).__getitem__)


def unit_of(path: Path) -> Path:
    """What this file of tests is run together with: its folder, or nothing but itself."""
    return path.parent if (path.parent / "__init__.py").exists() else path


def _places(items: list[pytest.Item]) -> dict[pytest.Item, tuple[float, bool]]:
    """Where each unit's tests stand in the run: a share of it, and which kind comes first there.

    Units that wait for processes stand evenly among those that compute, so that one worker computes while another
    waits; and none of them stands at the very end, where the other workers would have nothing left to do. What takes
    long begins early, for the same reason.
    """
    waits: dict[Path, bool] = {}
    seconds: dict[Path, float] = {}
    for item in items:
        unit = unit_of(item.path)
        waits[unit] = waits.get(unit, False) or any(item.get_closest_marker(name) for name in WAITING)
        seconds[unit] = max(seconds.get(unit, 0.0), _allowed_seconds(item))
    found = {}
    for kind, last in ((True, LAST_WAITING), (False, 1.0)):
        of_kind = [unit for unit in waits if waits[unit] is kind]
        # a folder has many files, and who allows a test more time than is usual needs it
        of_kind.sort(key=lambda unit: (unit.is_file(), -seconds[unit]))
        found.update({unit: (number / len(of_kind) * last, not kind) for number, unit in enumerate(of_kind)})
    return {item: found[unit_of(item.path)] for item in items}


def _allowed_seconds(item: pytest.Item) -> float:
    """How long a test may take; all that allow no more than is usual are alike."""
    marker = item.get_closest_marker("timeout")
    return max(USUAL_SECONDS, marker.args[0] if marker else 0)


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_HandsOut())


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


@pytest.fixture(scope="session")
def owner_url(pg_url: str, real_servers: Servers) -> str:
    """The same database as the owner of its tables, who changes them; for what no application may do."""
    return real_servers.postgres.url(pg_url.partition("?")[0].rpartition("/")[2])


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
        yield Emptying(connection)


class Emptying:
    """Empties every table. Rows are deleted, which is quick for a few; but no vacuum runs, and every statement of the tests
    after it would read past what is left of them: so after many of them the files of all tables are made anew.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        tables = [sql.Identifier(str(row[0])) for row in connection.execute(TABLES).fetchall()]
        # Made into text once: this runs before each test.
        self._delete_each = [
            sql.SQL("DELETE FROM {}").format(table).as_string(connection) for table in tables
        ]
        # One prepared question for all tables: it costs a tenth of asking one after the other.
        rows = sql.SQL(", ").join(sql.SQL("EXISTS (SELECT FROM {})").format(table) for table in tables)
        self._has_rows = sql.SQL("SELECT {}").format(rows).as_bytes(connection)
        self._anew = sql.SQL("SET LOCAL lock_timeout = '100ms'; TRUNCATE {}").format(
            sql.SQL(", ").join(tables)
        )
        self._deleted = 0

    def __call__(self) -> None:
        found = self._connection.execute(self._has_rows, prepare=True).fetchone() or ()
        filled = [delete for delete, full in zip(self._delete_each, found, strict=True) if full]
        if filled:
            self._delete("; ".join(filled).encode())
        if self._deleted > MANY_DELETED:
            # what still reads a table has it locked: then the next time
            with suppress(LockNotAvailable):
                self._connection.execute(self._anew)
                self._deleted = 0

    def _delete(self, statements: bytes) -> None:
        cursor = self._connection.execute(statements)
        self._deleted += DELETED_AT_LEAST + cursor.rowcount
        while cursor.nextset():
            self._deleted += cursor.rowcount


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
