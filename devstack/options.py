"""What the person who starts the stack asked for in the environment: the port, and servers instead of embedded ones.

Standard library only: looked at before anything is installed, so that a slip is told at once.
"""

import os
from collections.abc import Mapping
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
