"""Every requirement names one version and the hashes of its files, and what is installed fits together: `python -m devstack.checks.pins`.

Whether the hashes are right, pip says when it installs. It takes each pin as it is (`--no-deps`), so that only `pip check` finds two that
cannot be together.
"""

import os
import subprocess
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


def contradictions(**environment: str) -> list[str]:
    """One line a package that wants another version of one that is installed, or one that is not, in the words of pip."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "check"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip().splitlines() if done.returncode != 0 else []


def main() -> int:
    """Print them; 1 if there are any."""
    found = [*complaints(places.ROOT), *contradictions()]
    for line in found:
        print(line)
    print(f"{len(pinned.in_files(*pinned.FILES))} pins, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
