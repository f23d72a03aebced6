"""`bin/check`: everything that can be said about the code without running it. All of it is run, then summed up.

Names as arguments choose among the checks: `bin/check types layers`.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devstack import places
from devstack.errors import SetupError, told
from devstack.install import npm_packages

PYTHON = sys.executable
SCRIPTS = ("lessonadmin/static", "muxsim", "tests", "bin")
LIBRARIES = ("vendor", "node_modules")


@dataclass(frozen=True)
class Check:
    """One command that is content or not."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What it said, and how long it took."""

    check: Check
    code: int
    output: str
    seconds: float


def checks() -> list[Check]:
    """The slowest first, since two run at a time."""
    tool = Path(PYTHON).parent
    node = str(npm_packages.find(Path(PYTHON)).node)
    syntax = "const {execFileSync: run} = require('child_process');"
    syntax += "for (const file of process.argv.slice(1)) run(process.execPath, ['--check', file], {stdio: 'inherit'})"
    return [
        Check("types", (PYTHON, "-m", "mypy")),
        Check("layers", (str(tool / "lint-imports"),)),
        Check("templates", (PYTHON, "-m", "devstack.checks.templates")),
        Check("javascript-lint", (node, "node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0")),
        Check("javascript-syntax", (node, "-e", syntax, *_scripts())),
        Check("orphans", (PYTHON, "-m", "devstack.orphans")),
        Check("security", (PYTHON, "-m", "devstack.checks.security")),
        Check("vocabulary", (PYTHON, "-m", "devstack.checks.vocabulary")),
        Check("phrases", (PYTHON, "-m", "devstack.checks.phrases")),
        Check("folders", (PYTHON, "-m", "devstack.checks.folders")),
        Check("mirror", (PYTHON, "-m", "devstack.checks.mirror")),
        Check("pins", (PYTHON, "-m", "devstack.checks.pins")),
        Check("promises", (PYTHON, "-m", "devstack.checks.promises")),
        Check("data-model", (PYTHON, "-m", "devstack.data_model", "--check")),
        Check("html", (PYTHON, "-m", "djlint", "templates", "muxsim/templates", "--lint", "--quiet")),
        Check("linter", (PYTHON, "-m", "ruff", "check", ".")),
        Check("formatter", (PYTHON, "-m", "ruff", "format", "--check", ".")),
    ]


def _scripts() -> list[str]:
    found = [
        str(file.relative_to(places.ROOT))
        for folder in SCRIPTS
        for pattern in ("*.js", "*.mjs")
        for file in sorted((places.ROOT / folder).rglob(pattern))
    ]
    return [file for file in found if not any(part in LIBRARIES for part in Path(file).parts)]


def run(check: Check) -> Outcome:
    started = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=places.ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Outcome(check, done.returncode, done.stdout.strip(), time.monotonic() - started)


def main() -> int:
    wanted = sys.argv[1:]
    chosen = [check for check in checks() if not wanted or check.name in wanted]
    if unknown := set(wanted) - {check.name for check in chosen}:
        names = ", ".join(check.name for check in checks())
        raise SetupError(f"There is no check named {', '.join(sorted(unknown))}; there are: {names}.")
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        outcomes = list(pool.map(run, chosen))
    for outcome in outcomes:
        if outcome.code != 0:
            print(f"\n--- {outcome.check.name}\n{outcome.output}")
    print()
    for outcome in outcomes:
        print(
            f"{'ok    ' if outcome.code == 0 else 'FAILED'}  {outcome.check.name:<18} {outcome.seconds:5.1f} s"
        )
    failed = [outcome.check.name for outcome in outcomes if outcome.code != 0]
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} checks are content")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(told(main))
