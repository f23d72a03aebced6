"""Where everything lies in a clone, so that no other module joins paths of its own."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from devstack.processes import identity

ROOT = Path(__file__).resolve().parent.parent
# what the set-up notes down about the clone
SETUP = ROOT / "instance"
# the data of one stack; a trial may keep its own apart
INSTANCE = Path(os.environ.get("LESSONADMIN_INSTANCE") or SETUP)
VENV = ROOT / ".venv"

# A socket's path may have 108 bytes on Linux and 104 elsewhere, and PostgreSQL's own name takes 16 of them.
MAX_SOCKET_FOLDER_LENGTH = 80


def private_folder(purpose: str) -> Path:
    """A new folder with a short path that only this user can enter; `sweep_private_folders` removes it if this process cannot."""
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) > MAX_SOCKET_FOLDER_LENGTH - 32:
        base = Path("/tmp")  # noqa: S108 - the folder made in it is private, and the name unguessable # nosec B108
    folder = Path(tempfile.mkdtemp(prefix=f"lessonadmin-{purpose}-", dir=base))
    (folder / "owner").write_text(identity.own_mark())
    return folder


def make_private(folder: Path) -> None:
    """A folder that only this user can enter, also if it was there before. As root PostgreSQL runs as `nobody`, whose files other
    programs of `nobody` could change if they reached them (`devstack.servers.privileges`)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)


def sweep_private_folders(purpose: str) -> None:
    """Remove such folders of this user whose process is gone, as after kill -9."""
    for base in {Path(tempfile.gettempdir()), Path("/tmp")}:  # noqa: S108 - only folders of this user are touched # nosec B108
        for folder in base.glob(f"lessonadmin-{purpose}-*"):
            with contextlib.suppress(OSError):
                if folder.stat().st_uid == os.geteuid() and not identity.is_alive(
                    (folder / "owner").read_text()
                ):
                    shutil.rmtree(folder, ignore_errors=True)
