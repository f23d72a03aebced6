"""Folders stay small enough to read at a glance: `python -m devstack.checks.folders`.

Counts the Python modules that lie directly in each folder; `__init__.py` is not counted, nor are subfolders.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from devstack import places

FOLDERS = ("lessonadmin", "muxsim", "devstack", "bench")
MAX_MODULES = 15


def complaints(root: Path) -> Iterator[str]:
    """One line a folder that holds too many modules."""
    counts = Counter(
        file.parent.relative_to(root)
        for folder in FOLDERS
        for file in (root / folder).rglob("*.py")
        if file.name != "__init__.py"
    )
    for folder, count in sorted(counts.items()):
        if count > MAX_MODULES:
            yield f"{folder}: {count} modules, at most {MAX_MODULES}"


def main() -> int:
    """Print them; 1 if there are any."""
    found = list(complaints(places.ROOT))
    for line in found:
        print(line)
    print(f"{len(found)} folders hold too many modules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
