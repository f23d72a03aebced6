"""The whole stack, put together: which servers it needs, with which settings, in which order.

What the environment names (a database, a Redis, a Mux) is used as it is; everything else is embedded, and lives in
`instance/`. In here nothing is started: that is the supervisor's part.
"""

import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from devstack import kept_files, places
from devstack.errors import SetupError
from devstack.options import Options
from devstack.processes import procfile
from devstack.processes.programs import Program
from devstack.servers import ports
from devstack.servers.postgres import Postgres
from devstack.servers.valkey import Valkey

DATABASE = "lessonadmin"
PROCESSES = ("web", "worker", "clock")
# the servers are what everything else stands on: stage 0, the default
SIMULATOR, PRODUCT = 1, 2
PROCESSING_SECONDS = "8"
# so that the product knows what is made here when it is given to it together with Mux itself
SIMULATED = "simulated-"
MUX_ADDRESSES = ("MUX_API_URL", "MUX_STREAM_URL", "MUX_IMAGE_URL")


@dataclass
class Stack:
    """Where everything is, and what it is called."""

    options: Options
    secrets: kept_files.Secrets
    sockets: Path
    postgres: Postgres | None = None
    valkey: Valkey | None = None
    settings: dict[str, str] = field(default_factory=dict)
    # for the release command and commands by hand, not for what runs
    release_settings: dict[str, str] = field(default_factory=dict)
    simulator_port: int | None = None

    @property
    def address(self) -> str:
        return self.settings["PUBLIC_URL"]

    @property
    def local(self) -> str:
        return f"http://127.0.0.1:{self.options.port}"

    def servers(self) -> list[Program]:
        """What must run before anything of the product's does."""
        found = []
        if self.postgres:
            found.append(self.postgres.program())
        if self.valkey:
            found.append(self.valkey.program())
        if self.simulator_port:
            found.append(self._simulator(self.simulator_port))
        return found

    def processes(self) -> list[Program]:
        """The Procfile's."""
        commands = procfile.read(places.ROOT / "Procfile")
        ready = {"web": self._web_answers}
        return [
            Program(
                name=name,
                command=procfile.shell(commands[name]),
                folder=places.ROOT,
                stage=PRODUCT,
                ready=ready.get(name, lambda: True),
            )
            for name in PROCESSES
        ]

    def _simulator(self, port: int) -> Program:
        command = [
            sys.executable,
            "-m",
            "muxsim",
            "--port",
            str(port),
            "--state",
            str(places.INSTANCE / "mux"),
        ]
        command += ["--webhook", f"{self.local}/api/webhooks/mux", "--processing-seconds", PROCESSING_SECONDS]
        tokens = [
            f"{self.settings[f'{kind}_TOKEN_ID']}:{self.settings[f'{kind}_TOKEN_SECRET']}:{priority}"
            for kind, priority in (("MUX", "high"), ("MUX_WORKER", "low"))
        ]
        secret = self.settings["MUX_WEBHOOK_SECRETS"].split(",")[0].strip()
        return Program(
            name="mux",
            command=tuple(command),
            # a command line is public
            settings={"MUXSIM_TOKENS": " ".join(tokens), "MUXSIM_WEBHOOK_SECRETS": secret},
            folder=places.ROOT,
            ready=lambda: listens(port),
            noise=("muxsim listening on", "page http"),
            stop_seconds=5,
            stage=SIMULATOR,
        )

    def _web_answers(self) -> bool:
        return status_of(f"{self.local}/healthz") == 200

    def is_ready(self) -> bool:
        """Whether the product itself says that every part of it works."""
        return status_of(f"{self.local}/readyz") == 200

    def close(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)


def plan(options: Options) -> Stack:
    """Choose the places and settings of a stack; makes folders and secrets, starts nothing."""
    places.make_private(places.INSTANCE)
    places.sweep_private_folders("run")
    secrets = kept_files.Secrets(places.INSTANCE / "secrets.json")
    stack = Stack(options, secrets, places.private_folder("run"))
    settings = dict(os.environ)
    settings["PORT"] = str(options.port)
    settings["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1", "localhost"]))
    settings["PROMETHEUS_MULTIPROC_DIR"] = _empty_folder(places.INSTANCE / "metrics")
    _fill(settings, "LOG_STYLE", "readable")
    _plan_servers(stack, settings)
    if not settings.get("PUBLIC_URL", "").strip():
        # Shells and other tools set HOST to the machine's name. Without an address of its own the app is for this machine only.
        settings["HOST"] = ""
    _fill(settings, "HOST", "127.0.0.1")
    _fill(settings, "PUBLIC_URL", stack.local)
    _fill(settings, "SECRET_KEY", secrets.get("secret_key"))
    if not options.own_mux:
        _plan_simulator(stack, settings)
    stack.settings = settings
    return stack


def _empty_folder(folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)  # web takes no folder that others may write to
    return str(folder)


def _fill(settings: dict[str, str], name: str, value: str) -> None:
    """A setting that was left out, or left empty."""
    if not settings.get(name, "").strip():
        settings[name] = value


def _plan_servers(stack: Stack, settings: dict[str, str]) -> None:
    if not stack.options.own_database:
        stack.postgres = Postgres(data=places.INSTANCE / "pg", sockets=stack.sockets)
        stack.release_settings["MIGRATION_DATABASE_URL"] = stack.postgres.url(DATABASE)
        settings["DATABASE_URL"] = stack.postgres.app_url(DATABASE)
    if not stack.options.own_redis:
        port = ports.remembered(places.INSTANCE / "redis.port")
        password = stack.secrets.get("redis_password")
        stack.valkey = Valkey(data=places.INSTANCE / "redis", port=port, password=password)
        settings["REDIS_URL"] = stack.valkey.url()


def _plan_simulator(stack: Stack, settings: dict[str, str]) -> None:
    stack.simulator_port = ports.remembered(places.INSTANCE / "mux.port")
    address = f"http://127.0.0.1:{stack.simulator_port}"
    # Tokens of a real account, left in an environment, never reach the simulator.
    for kind in ("MUX", "MUX_WORKER"):
        settings[f"{kind}_TOKEN_ID"] = SIMULATED + ("web" if kind == "MUX" else "worker")
        settings[f"{kind}_TOKEN_SECRET"] = SIMULATED + stack.secrets.get(f"{kind.lower()}_token_secret")
    for name in MUX_ADDRESSES:
        settings[name] = address
    _fill(settings, "MUX_WEBHOOK_SECRETS", SIMULATED + stack.secrets.get("mux_webhook_secret"))


def check_own_servers(options: Options) -> None:
    """Servers that the environment names must be there at the start; later they may come and go."""
    if options.own_database:
        url = "postgresql://" + options.own_database.partition("://")[2]
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.Error as error:
            raise SetupError(
                f"The database that DATABASE_URL names cannot be reached: {_reason(error, url)}"
            ) from None
    if options.own_redis:
        try:
            with redis.Redis.from_url(options.own_redis, socket_connect_timeout=5, retry=None) as connection:
                connection.ping()
        except (redis.RedisError, ValueError) as error:
            reason = _reason(error, options.own_redis)
            raise SetupError(f"The Redis that REDIS_URL names cannot be reached: {reason}") from None


def _reason(error: Exception, url: str) -> str:
    """What the client says, in one line and without the address: there may be a password in it."""
    said = str(error).replace(url, "the address").strip() or type(error).__name__
    return said.splitlines()[0].strip().rstrip(".") + "."


def listens(port: int) -> bool:
    """Whether connections are taken on this port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


# a proxy in the environment is not meant for this machine's own addresses
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def status_of(url: str) -> int | None:
    """The status that a GET of this address is answered with; nothing without an answer."""
    try:
        with _direct.open(url, timeout=3) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
