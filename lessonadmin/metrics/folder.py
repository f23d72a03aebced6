"""The folder of the counters' files: writable for this user only, or not used at all.

The files are mapped into memory, so no other user may ever have put one there.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from lessonadmin.config import SettingsError

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # where the client looks for it


class UntrustedFolder(Exception):
    """The folder cannot be trusted or made; the text says why."""


def prepare() -> Path:
    """The folder of this installation, made if it is not there; raises SettingsError for one that cannot be trusted."""
    if VARIABLE not in os.environ:  # on a full disk there is no default folder either
        os.environ[VARIABLE] = str(_default())
    folder = Path(os.environ[VARIABLE])
    try:
        make_private(folder)
    except UntrustedFolder as refusal:
        raise SettingsError(
            f"Lessonadmin cannot start: the folder for its metrics, {folder}, {refusal}. "
            f"Remove it, or name another one in {VARIABLE}."
        ) from None
    return folder


def _default() -> Path:
    """One for each user and database: two installations on one machine do not add up each other's figures."""
    installation = hashlib.sha256(os.environ.get("DATABASE_URL", "").encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"lessonadmin-metrics-{os.getuid()}-{installation}"


def make_private(folder: Path) -> None:
    """Make the folder, or take one that no other user could have put anything into; raises UntrustedFolder."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.lstat()  # of a link, what it is; not what it leads to
        if not stat.S_ISDIR(found.st_mode):
            raise UntrustedFolder("is no folder of its own")
        if found.st_uid != os.geteuid():
            raise UntrustedFolder("belongs to another user")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UntrustedFolder("can be written to by others")
        if stat.S_IMODE(found.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise UntrustedFolder(f"cannot be used ({error.strerror or type(error).__name__})") from None
