"""The embedded PostgreSQL under hard conditions: odd folders, killed servers, half-made clusters, a stranger's number."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import places
from devstack.errors import SetupError
from devstack.servers import privileges
from devstack.servers.for_tests import Running
from devstack.servers.postgres import CARELESS, Postgres


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """In a folder with a space, whose path is far longer than a socket's may be."""
    folder = tmp_path / "a folder with spaces and 'quotes'" / ("x" * 120)
    folder.mkdir(parents=True)
    sockets = places.private_folder("test")
    yield Postgres(data=folder / "pg", sockets=sockets, options=CARELESS)
    shutil.rmtree(sockets)


@pytest.fixture
def started(postgres: Postgres, tmp_path: Path) -> Iterator[Running]:
    postgres.prepare()
    server = start(postgres, tmp_path)
    yield server
    server.stop()


def start(postgres: Postgres, folder: Path) -> Running:
    server = Running(postgres.program(), folder / "log")
    server.wait_ready()
    return server


def stranger_account() -> privileges.Account | None:
    return privileges.unprivileged() if os.geteuid() == 0 else None


def answer(postgres: Postgres, question: str) -> object:
    with postgres.superuser() as connection:
        row = connection.execute(question).fetchone()  # type: ignore[arg-type]  # the test's own, and constant
    return row and row[0]


def test_serves_from_a_long_path_with_a_space(postgres: Postgres, started: Running) -> None:
    assert answer(postgres, "SELECT current_setting('data_directory')") == str(postgres.data)
    assert len(str(postgres.data)) > 107


def test_does_not_run_as_root_and_opens_nothing_to_others(postgres: Postgres, started: Running) -> None:
    owner = Path(f"/proc/{started.process.pid}").stat().st_uid
    assert owner != 0
    assert postgres.data.stat().st_mode & 0o077 == 0
    assert postgres.sockets.stat().st_mode & 0o077 == 0


def test_a_killed_server_starts_again_with_what_was_committed(
    postgres: Postgres, started: Running, tmp_path: Path
) -> None:
    with postgres.superuser() as connection:
        connection.execute("SET synchronous_commit = on")
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    started.process.kill()
    started.process.wait()
    again = start(postgres, tmp_path)
    try:
        assert answer(postgres, "SELECT number FROM kept") == 42
    finally:
        again.stop()


def test_a_server_that_outlived_its_manager_is_stopped_first(
    postgres: Postgres, started: Running, tmp_path: Path
) -> None:
    again = start(postgres, tmp_path)
    try:
        assert started.process.wait(10) == 0
        assert answer(postgres, "SELECT 1") == 1
    finally:
        again.stop()


def test_a_foreign_number_in_the_lock_file_does_not_stop_the_start(
    postgres: Postgres, tmp_path: Path
) -> None:
    postgres.prepare()
    stranger = subprocess.Popen(
        ["sleep", "600"], preexec_fn=privileges.tied_as(stranger_account(), signal.SIGTERM)
    )
    try:
        (postgres.data / "postmaster.pid").write_text(
            f"{stranger.pid}\n{postgres.data}\n1\n5432\n\n\n\nready\n"
        )
        server = start(postgres, tmp_path)
        server.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_first_start_is_begun_anew(postgres: Postgres, tmp_path: Path) -> None:
    unfinished = postgres.data.with_name("pg.unfinished")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    postgres.prepare()
    start(postgres, tmp_path).stop()
    assert not unfinished.exists()


def test_what_cannot_be_made_is_told_in_a_sentence(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = postgres.sockets / "bin"
    programs.mkdir()
    failing = programs / "initdb"
    failing.write_text(
        "#!/bin/sh\necho 'initdb: error: could not create directory: No space left on device' >&2\nexit 1\n"
    )
    failing.chmod(0o755)
    monkeypatch.setattr("devstack.servers.wheels.postgres_programs", lambda: programs)
    with pytest.raises(
        SetupError, match=r"could not set up its folder .*: could not create directory: No space left"
    ):
        postgres.prepare()


def give(folder: Path, uid: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, uid, uid, follow_symlinks=False)


@pytest.mark.parametrize(("owner", "server"), [(0, 65534), (12345, 12345)])
def test_as_root_the_server_runs_as_whom_its_folder_belongs_to(
    postgres: Postgres, tmp_path: Path, owner: int, server: int
) -> None:
    """Root's own folder is handed over to the account `nobody`; any other user stays who they are."""
    postgres.prepare()
    expected = os.geteuid() or server
    if os.geteuid() == 0:
        give(postgres.data, owner)
        postgres.prepare()
    running = start(postgres, tmp_path)
    try:
        assert Path(f"/proc/{running.process.pid}").stat().st_uid == expected
    finally:
        running.stop()


def test_the_apps_role_and_database_are_made_once(postgres: Postgres, started: Running) -> None:
    for _ in range(2):
        postgres.create_roles()
        postgres.create_database("lessons")
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'lessons'"
    assert answer(postgres, owner) == "lessonadmin"
