"""What the person who starts the stack asked for: the port, servers instead of embedded ones, and how much is shown.

Standard library only: looked at before anything is installed, so that a slip is told at once.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devstack.errors import SetupError, user_name
from devstack.servers import ports

DEFAULT_PORT = 8000
MUX_PAIR = ("MUX_API_URL", "MUX_TOKEN_ID")


@dataclass(frozen=True)
class Options:
    """An empty setting counts as none."""

    port: int
    own_database: str | None
    own_redis: str | None
    own_mux: bool


def read(environ: Mapping[str, str] = os.environ) -> Options:
    """What is asked for, or the SetupError that says what is wrong with it."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    mux = [name for name in MUX_PAIR if name in given]
    if len(mux) == 1:
        missing = next(name for name in MUX_PAIR if name not in given)
        raise SetupError(
            f"{mux[0]} is set but {missing} is not: set both to use a Mux of your own "
            "(the real one is at https://api.mux.com), or neither to use the simulator."
        )
    return Options(_port(given.get("PORT")), given.get("DATABASE_URL"), given.get("REDIS_URL"), bool(mux))


USE = """Starts the whole product: PostgreSQL, Redis, a Mux simulator, web, worker and clock, and on the first
run demo accounts and lessons. Ctrl-C stops everything; the data stays in instance/."""
SETTINGS = """environment:
  PORT=8000                     the port of the pages
  DATABASE_URL, REDIS_URL       servers to use instead of the embedded ones
  MUX_API_URL, MUX_TOKEN_ID     a Mux to use instead of the simulator (set both)

Every other setting is described in README.md."""


def wants_everything_shown(words: Sequence[str]) -> bool:
    """Read the command line; help, and a word that is not known, end the process here."""
    parser = argparse.ArgumentParser(
        prog="bin/run",
        description=USE,
        epilog=SETTINGS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    shown = "show every line of every program; else warnings and errors only, and the rest in instance/log/"
    parser.add_argument("--verbose", action="store_true", help=shown)
    return bool(parser.parse_args(words).verbose)


def _port(text: str | None) -> int:
    if text is None:
        return DEFAULT_PORT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise SetupError(f"PORT must be a whole number from 1 to 65535, not '{text}'.")
    return int(text)


def check_port(port: int) -> None:
    """Whether it is free now."""
    refusal = ports.refusal(port)
    if isinstance(refusal, PermissionError):
        raise SetupError(
            f"{user_name()} may not open port {port}: choose one from 1024 on: PORT=8000 bin/run"
        )
    if refusal is not None:
        other = next((p for p in range(port + 1, min(port + 50, 65536)) if ports.is_free(p)), None)
        hint = f": PORT={other} bin/run" if other else ""
        raise SetupError(
            f"Port {port} is taken by {ports.holder(port)}: stop that, or choose another port{hint}"
        )
