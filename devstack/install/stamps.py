"""What a part of the set-up was made from, as a short text in a file: equal means that there is nothing to do.

Standard library only.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def of(files: Iterable[Path], *words: str) -> str:
    """The stamp for these files as they are now, and these further words."""
    digest = hashlib.sha256("\0".join(words).encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def matches(stamp: Path, wanted: str) -> bool:
    """Whether the part was completed from exactly this."""
    try:
        return stamp.read_text() == wanted
    except OSError:
        return False
