"""First-run set-up, then the command itself: `python -m devstack.setup run|test|check|bench ...`.

Runs on any Python 3.11+ with nothing installed, so it and what it imports use the standard library only. Each part
leaves a stamp when it is complete, named by what it was made from: a part that was interrupted or is out of date is
made again, a part that is complete costs no time and no network. Two set-ups at once wait for each other.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack import only_one, options, places
from devstack.errors import SetupError, told
from devstack.install import npm_packages, python_packages

COMMANDS = {
    **{name: f"devstack.commands.{name}" for name in ("run", "test", "check", "bench", "pictures", "audit")},
    "data-model": "devstack.data_model",
}


@contextmanager
def _alone() -> Iterator[None]:
    places.make_private(places.SETUP)
    with (places.SETUP / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another start is setting things up; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(*, tools: bool) -> Path:
    """Install what is missing, for running alone or for tests and checks too; the answer is the Python that has it."""
    if places.VENV.exists() and not os.access(places.ROOT, os.W_OK):
        raise PermissionError(13, "not writable", str(places.ROOT))
    with _alone():
        python = python_packages.ensure(tools=tools)
        npm_packages.ensure(python, tools=tools)
    return python


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        raise SetupError(f"usage: python -m devstack.setup {'|'.join(COMMANDS)} [ARGUMENTS]")
    if sys.argv[1] == "run":  # a slip is told before anything is installed
        options.wants_everything_shown(sys.argv[2:])
        wanted = options.read()
        only_one.check()
        options.check_port(wanted.port)
    python = set_up(tools=sys.argv[1] != "run")
    command, *arguments = sys.argv[1:]
    environment = os.environ | {"PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    os.execve(python, [str(python), "-m", COMMANDS[command], *arguments], environment)  # noqa: S606 - no shell: the words are passed on as they are # nosec B606


if __name__ == "__main__":
    sys.exit(told(main))
