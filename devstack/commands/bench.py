"""`bin/bench`: runs the modules of bench/, each in a process of its own, and ends with all their rows in one table.

A benchmark is a module with a `main()` that prints its rows as lines of name, figure and remark, with a tab or at
least two spaces between them; anything else that it prints is shown as it comes. Names as arguments choose among them: `bin/bench webhooks`.
"""

import re
import subprocess
import sys

from devstack import places
from devstack.errors import SetupError, told

Row = tuple[str, str, str, str]


def names() -> list[str]:
    """The benchmarks there are: the modules of `bench`; what they share is in `bench.workload`."""
    found = sorted(file.stem for file in (places.ROOT / "bench").glob("*.py"))
    return [name for name in found if name != "__init__"]


def run(name: str) -> tuple[int, list[Row]]:
    """One benchmark; its exit code and its rows."""
    print(f"== {name}", flush=True)
    command = [sys.executable, "-c", f"from bench.{name} import main; raise SystemExit(main())"]
    rows: list[Row] = []
    with subprocess.Popen(command, cwd=places.ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if row := as_row(line):
                rows.append((name, *row))
            print(line, end="", flush=True)
    return process.returncode, rows


def as_row(line: str) -> tuple[str, str, str] | None:
    """The cells of a line, if it is a row and not a heading."""
    cells = re.split(r"\t| {2,}", line.strip())
    if len(cells) < 2 or cells[1] == "figure":
        return None
    return cells[0], cells[1], " ".join(cells[2:])


def table(rows: list[Row]) -> str:
    """The rows with a head, each column as wide as it must be."""
    whole = [("benchmark", "measured", "figure", "remark"), *rows]
    widths = [max(len(row[column]) for row in whole) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in whole
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def main() -> int:
    wanted = sys.argv[1:] or names()
    if unknown := set(wanted) - set(names()):
        raise SetupError(
            f"There is no benchmark named {', '.join(sorted(unknown))}; there are: {', '.join(names())}."
        )
    if not wanted:
        raise SetupError("There is no benchmark in bench/ yet.")
    rows: list[Row] = []
    failed = []
    for name in wanted:
        code, found = run(name)
        rows += found
        if code != 0:
            failed.append(name)
    print(f"\n{table(rows)}")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(told(main))
