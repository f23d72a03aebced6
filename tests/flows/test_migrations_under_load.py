"""`flask db upgrade` beside webhooks: it waits a second for its lock, gives up, and comes again; no webhook waits for two."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from devstack import places
from tests.contract.callers import Hook
from tests.flows.processes import DATABASE, SECRET, Stack, wait_for
from tests.structure.test_upgrades import revisions

pytestmark = pytest.mark.timeout(110)

MAX_SECONDS = 2.0
# The table that every webhook is stored in, locked against all others.
MIGRATION = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None


def upgrade() -> None:
    op.execute("ALTER TABLE waiting_events ADD COLUMN one_more integer")


def downgrade() -> None:
    op.execute("ALTER TABLE waiting_events DROP COLUMN one_more")
"""
# Beside the running product; what is broken off leaves an index that counts as there.
INDEX = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None
ITS = {{"index_name": "ix_one_more", "table_name": "waiting_events", "postgresql_concurrently": True}}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(columns=["received_at"], if_not_exists=True, **ITS)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(**ITS)
"""
ITS_INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_one_more'::regclass"
ITS_COLUMN = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'one_more'"
WAITS = """SELECT count(*) FROM pg_locks WHERE relation = 'waiting_events'::regclass AND mode = 'AccessExclusiveLock'
  AND NOT granted"""


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """The product's own, and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(places.ROOT / "migrations", folder)
    (folder / "versions" / "9999_one_more.py").write_text(MIGRATION.format(newest=revisions()[-1]))
    return folder


@contextmanager
def release(stack: Stack, *words: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """As the Procfile's `release`, as the owner of the tables."""
    owner = {"MIGRATION_DATABASE_URL": stack.database.postgres.url(DATABASE)}
    command = [sys.executable, "-m", "flask", "--app", "app", "db", *words]
    with (
        log.open("ab") as output,
        subprocess.Popen(
            command, env=os.environ | stack.environment | owner, cwd=places.ROOT, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def held(stack: Stack, mode: str) -> Iterator[None]:
    """ACCESS SHARE: a report or a backup reads the table. ROW EXCLUSIVE: a transaction writes to it, and takes its time."""
    with psycopg.connect(host=str(stack.home), user="lessonadmin", dbname=DATABASE) as other:
        other.execute(f"LOCK TABLE waiting_events IN {mode} MODE")  # type: ignore[arg-type]  # one of two words
        yield


def slowest_webhook(stack: Stack, *, seconds: float) -> tuple[float, set[int]]:
    """Of those that come in this time, one after the other."""
    hook, until, found, statuses = Hook(stack.url, SECRET), time.monotonic() + seconds, 0.0, set()
    while time.monotonic() < until:
        began = time.monotonic()
        statuses.add(hook.event("video.asset.unknown", {"id": "x"}).status)
        found = max(found, time.monotonic() - began)
    return found, statuses


def test_a_migration_that_finds_no_free_moment_holds_up_no_webhook(
    stack: Stack, migrations: Path, tmp_path: Path
) -> None:
    log = tmp_path / "release.log"
    with release(stack, "upgrade", "-d", str(migrations), log=log) as process:
        with held(stack, "ACCESS SHARE"):
            wait_for(lambda: stack.database.one(WAITS), seconds=20, what="the migration")
            took, statuses = slowest_webhook(stack, seconds=4)
            assert (took < MAX_SECONDS, statuses) == (True, {204}), took
            assert took > 0.3, "no webhook waited behind the migration: this proves nothing"
            assert "it is tried again" in log.read_text()
            assert stack.database.one(ITS_COLUMN) == 0
        assert process.wait(20) == 0
    assert stack.database.one(ITS_COLUMN) == 1
    with release(stack, "downgrade", "-d", str(migrations), log=log) as process:
        assert slowest_webhook(stack, seconds=1)[0] < MAX_SECONDS
        assert process.wait(20) == 0
    assert stack.database.one(ITS_COLUMN) == 0


def test_the_control_a_patient_migration_holds_webhooks_up(
    stack: Stack, migrations: Path, tmp_path: Path
) -> None:
    settings = migrations / "env.py"
    settings.write_text(settings.read_text().replace('LOCK_TIMEOUT = "1s"', 'LOCK_TIMEOUT = "30s"'))
    with (
        held(stack, "ACCESS SHARE"),
        release(stack, "upgrade", "-d", str(migrations), log=tmp_path / "release.log"),
    ):
        wait_for(lambda: stack.database.one(WAITS), seconds=20, what="the migration")
        assert slowest_webhook(stack, seconds=1)[0] > MAX_SECONDS
    wait_for(lambda: not stack.database.one(WAITS), seconds=20, what="its end")
    assert stack.database.one(ITS_COLUMN) == 0


def test_an_upgrade_with_nothing_to_do_holds_up_no_webhook(stack: Stack, tmp_path: Path) -> None:
    """It grants every right anew."""
    with release(stack, "upgrade", log=tmp_path / "release.log") as process:
        while process.poll() is None:
            took, statuses = slowest_webhook(stack, seconds=0.3)
            assert (took < MAX_SECONDS, statuses) == (True, {204}), took
        assert process.returncode == 0


@pytest.mark.parametrize("is_removed", [True, False], ids=["removed", "the control: left"])
def test_an_index_that_was_broken_off_is_built_anew(
    stack: Stack, migrations: Path, tmp_path: Path, is_removed: bool
) -> None:
    (migrations / "versions" / "9999_one_more.py").write_text(INDEX.format(newest=revisions()[-1]))
    if not is_removed:
        settings = migrations / "env.py"
        settings.write_text(settings.read_text().replace("remove_unfinished_indexes(engine)\n", "pass\n"))
    log = tmp_path / "release.log"
    with release(stack, "upgrade", "-d", str(migrations), log=log) as process:
        with held(stack, "ROW EXCLUSIVE"):
            wait_for(lambda: "it is tried again" in log.read_text(), seconds=20, what="the first try")
            assert stack.database.one(ITS_INDEX) is False
        assert process.wait(20) == 0
    assert stack.database.one(ITS_INDEX) is is_removed
    with release(stack, "downgrade", "-d", str(migrations), log=log) as process:
        assert process.wait(20) == 0
