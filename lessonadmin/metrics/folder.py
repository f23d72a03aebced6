"""The folder of the counters' files: ours alone, or none at all.

The files are mapped into memory and renamed over each other, so nobody else may ever have put one there. Must not
import the metrics client, which looks for the folder when it is imported.
"""

import os
import stat
from pathlib import Path


class NotOurs(Exception):
    """The folder cannot be trusted or made; the text says why."""


def make_private(folder: Path) -> None:
    """Make the folder, or take one that nobody but us could have put anything into; raises NotOurs."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.lstat()  # of a link, what it is; not what it leads to
        if not stat.S_ISDIR(found.st_mode):
            raise NotOurs("is no folder of its own")
        if found.st_uid != os.geteuid():
            raise NotOurs("belongs to somebody else")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise NotOurs("can be written to by others")
        if stat.S_IMODE(found.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise NotOurs(f"cannot be used ({error.strerror or type(error).__name__})") from None
