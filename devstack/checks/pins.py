"""Every requirement names one version and the hashes of its files: `python -m devstack.checks.pins`.

Reads the files only; whether the hashes are right, pip says when it installs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from devstack import places
from devstack.install import pinned


def complaints(root: Path) -> Iterator[str]:
    """One line a requirement that pip could satisfy with another file, and a file that `bin/pins` does not know."""
    for name in pinned.repository_files(root):
        if name not in pinned.FILES:
            yield f"{name}: not in the list of devstack/install/pinned.py"
        for one in pinned.read((root / name).read_text()):
            if isinstance(one, pinned.Unclear):
                yield f"{name}:{one.line}: not NAME==VERSION with hashes: {one.text[:60]}"
            elif not one.hashes:
                yield f"{name}:{one.line}: {one.text} has no hash; bin/pins writes them"


def main() -> int:
    """Print them; 1 if there are any."""
    found = list(complaints(places.ROOT))
    for line in found:
        print(line)
    print(f"{len(pinned.in_files(*pinned.FILES))} pins, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
