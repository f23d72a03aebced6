"""Two stacks in one folder would share their data: a lock that goes with its process, however that one ends.

Standard library only: asked for before anything is installed.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from devstack import places
from devstack.errors import SetupError

RUN = places.INSTANCE / "run"


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock as long as the block lasts, or raise the SetupError that says where the other one is."""
    RUN.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (RUN / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            address = RUN / "address"
            where = f" at {address.read_text().strip()}" if address.exists() else ""
            raise SetupError(
                f"Lessonadmin already runs from this folder{where}. Use that, or stop it first."
            ) from None
        yield


def check() -> None:
    """Whether none runs now; makes nothing."""
    if (RUN / "lock").exists():
        with only_one():
            pass
