"""`bin/data-model` writes `docs/data-model.md`; with `--check` it only says whether the page is what it would write."""

import difflib
import sys
from itertools import islice

from devstack import places
from devstack.data_model import page
from devstack.errors import SetupError, told

FILE = places.ROOT / "docs" / "data-model.md"
MAX_LINES_SHOWN = 20


def differences(written: str, drawn: str) -> list[str]:
    """The first lines that differ between the page and what the product says today."""
    lines = difflib.unified_diff(
        written.splitlines(), drawn.splitlines(), "written", "drawn", lineterm="", n=0
    )
    return list(islice(lines, MAX_LINES_SHOWN))


def main() -> int:
    wanted = sys.argv[1:]
    if wanted not in ([], ["--check"]):
        raise SetupError("usage: bin/data-model [--check]")
    drawn = page.draw()
    if wanted and (found := differences(FILE.read_text() if FILE.exists() else "", drawn)):
        raise SetupError(
            "\n".join(["docs/data-model.md is not current; bin/data-model writes it anew:", *found])
        )
    if not wanted:
        FILE.write_text(drawn)
        print("docs/data-model.md")
    return 0


if __name__ == "__main__":
    sys.exit(told(main))
