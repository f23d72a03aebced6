"""A pgbouncer in transaction mode in front of a test's PostgreSQL: the one that is there, or Debian's, unpacked beside the tests.

Nothing is installed on the machine. It listens on a socket in a private folder, and hands every transaction to any of its
few connections, so what a transaction leaves behind would be found by another one.
"""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from devstack import places
from devstack.errors import SetupError
from devstack.processes.programs import Program
from devstack.servers import privileges
from devstack.servers.postgres import APP_ROLE

LIBRARIES = ("libc-ares2", "libevent-2.1-7", "libevent-2.1-7t64")
PORT = 6432  # part of the name of its socket


def find_or_unpack() -> Path:
    """The program; a machine without one and without Debian's packages is told what is missing."""
    if found := shutil.which("pgbouncer"):
        return Path(found)
    folder = places.SETUP / "pgbouncer"
    program = folder / "usr" / "sbin" / "pgbouncer"
    if not program.exists():
        _unpack(folder)
    return program


def _unpack(folder: Path) -> None:
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if not _downloaded("pgbouncer", unfinished):
        subprocess.run(["apt-get", "update"], check=False, capture_output=True)  # for root, on a new machine
        if not _downloaded("pgbouncer", unfinished):
            raise SetupError("There is no pgbouncer, and Debian's could not be had: install pgbouncer.")
    for library in LIBRARIES:  # those that this machine may lack; of two names of one only one is there
        _downloaded(library, unfinished)
    for package in unfinished.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, unfinished], check=True, capture_output=True)
    unfinished.rename(folder)


def _downloaded(package: str, folder: Path) -> bool:
    try:
        done = subprocess.run(["apt-get", "download", package], cwd=folder, check=False, capture_output=True)
    except OSError:  # no Debian
        return False
    return done.returncode == 0


@dataclass(frozen=True, kw_only=True)
class PgBouncer:
    """One pooler: its folder, where PostgreSQL's socket is, and how many connections it shares out."""

    folder: Path
    postgres_sockets: Path
    connections: int = 1

    def url(self, database: str) -> str:
        """The way through it, for the product."""
        return f"postgresql://{APP_ROLE}@/{database}?host={quote(str(self.folder), safe='')}&port={PORT}"

    def prepare(self) -> None:
        """Its configuration; the client's start-up options are left out, as its own manual recommends."""
        settings = {
            "unix_socket_dir": self.folder,
            "unix_socket_mode": "0777",
            "listen_port": PORT,
            "listen_addr": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": self.connections,
            "max_client_conn": 50,
            "ignore_startup_parameters": "options,extra_float_digits",
            "logfile": self.folder / "pgbouncer.log",
            "pidfile": self.folder / "pgbouncer.pid",
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        server = f"* = host={self.postgres_sockets} user={APP_ROLE}"
        self._configuration.write_text("\n".join(["[databases]", server, "[pgbouncer]", *lines, ""]))
        if (account := self._account()) is not None:
            for path in (self.folder, self._configuration):
                os.chown(path, account.uid, account.gid)

    def program(self, database: str) -> Program:
        """What a process manager starts; ready when it lets one through to this database."""
        program = find_or_unpack()
        libraries = sorted({str(file.parent) for file in program.parents[2].rglob("*.so.*")})
        unpacked = {"LD_LIBRARY_PATH": ":".join(libraries)} if places.SETUP in program.parents else {}
        return Program(
            name="pgbouncer",
            command=(str(program), str(self._configuration)),
            settings=unpacked,
            preexec=privileges.tied_as(self._account(), signal.SIGINT),
            ready=lambda: self._answers(database),
            stop_signal=signal.SIGINT,
            stop_seconds=5,
        )

    def _answers(self, database: str) -> bool:
        try:
            psycopg.connect(self.url(database), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _configuration(self) -> Path:
        return self.folder / "pgbouncer.ini"

    @staticmethod
    def _account() -> privileges.Account | None:
        """It refuses to run as root, as PostgreSQL does."""
        return privileges.unprivileged() if privileges.needs_other_user() else None
