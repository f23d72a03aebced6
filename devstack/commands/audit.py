"""`bin/audit`: whether a vulnerability is known of any pinned package, of Python (pip-audit) or of npm (npm audit).

Strict: a database that does not answer, or whose answer cannot be read, fails, since nothing was learned. So does one that knows nothing of
an old version that is asked about besides, for which vulnerabilities have been known for years: its silence about others would mean nothing.
`--skip-without-data=python` or `=npm` lets that one pass when its data cannot be had; a vulnerability that is known fails all the
same. Installs nothing and changes no version.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack import places
from devstack.errors import told
from devstack.install import npm_packages, pinned

LOCKS = (".", "bench/peers")
# Asked about besides.
OLD_PYTHON, OLD_NPM = ("jinja2", "2.4.1"), ("lodash", "4.17.4")


class NoDataError(Exception):
    """Nothing was learned; the text says why."""


@dataclass(frozen=True)
class Found:
    """How many packages were asked about, and a line for each vulnerability."""

    packages: int
    lines: tuple[str, ...]


def python(root: Path, requirements: Sequence[str] = pinned.FILES) -> Found:
    """Ask about the pinned versions as they stand in the files: nothing is resolved or installed."""
    command = [sys.executable, "-m", "pip_audit", "--strict", "--require-hashes", "--disable-pip"]
    command += ["--vulnerability-service", "osv", "--progress-spinner", "off", "--format", "json"]
    with tempfile.TemporaryDirectory() as folder:
        planted = Path(folder) / "requirements.txt"
        planted.write_text(f"{OLD_PYTHON[0]}=={OLD_PYTHON[1]} --hash=sha256:{'0' * 64}\n")
        for name in (*requirements, planted):
            command += ["--requirement", str(name)]
        answer = _ask(command, root, os.environ)
    asked = {(one["name"], one["version"]): one["vulns"] for one in answer["dependencies"]}
    _must_know(OLD_PYTHON, asked.pop(OLD_PYTHON, None))
    lines = [
        f"{name} {version}: {one['id']}, fixed in {', '.join(one['fix_versions']) or 'no version'}"
        for (name, version), found in asked.items()
        for one in found
    ]
    return Found(len(asked), tuple(lines))


def npm(root: Path, locks: Sequence[str] = LOCKS) -> Found:
    """Ask about each lock file, the tools of checks included."""
    packages, lines = 0, []
    for folder in locks:
        count, found = _of_lock(root / folder)
        packages += count
        lines += found
    with tempfile.TemporaryDirectory() as planted:
        _plant(Path(planted), *OLD_NPM)
        _must_know(OLD_NPM, _of_lock(Path(planted))[1])
    return Found(packages, tuple(lines))


def _of_lock(folder: Path) -> tuple[int, list[str]]:
    node = npm_packages.find(Path(sys.executable))
    command = [*node.npm, "audit", "--json", "--package-lock-only", "--fetch-retries=1"]
    answer = _ask(command, folder, node.environment())
    lines = [
        f"{name} {one['range']}: {cause['title']} ({one['severity']})"
        for name, one in answer["vulnerabilities"].items()
        for cause in one["via"]
        if isinstance(cause, dict)  # else it is the name of another package that has a line of its own
    ]
    return int(answer["metadata"]["dependencies"]["total"]), lines


def _plant(folder: Path, name: str, version: str) -> None:
    """A project that needs this one package."""
    project = {"name": "planted", "version": "1.0.0", "dependencies": {name: version}}
    packages = {"": project, f"node_modules/{name}": {"version": version}}
    lock = {"name": "planted", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
    (folder / "package.json").write_text(json.dumps(project))
    (folder / "package-lock.json").write_text(json.dumps(lock))


def _must_know(planted: tuple[str, str], found: object) -> None:
    if not found:
        name, version = planted
        raise NoDataError(f"the database names no vulnerability of {name} {version}, which has several")


def _ask(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the tool prints as JSON. Its exit code is no help: it is 1 for a vulnerability and for no answer."""
    done = subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise NoDataError(
            said[-1] if said else f"the tool ended with {done.returncode} and said nothing"
        ) from None
    if not {"dependencies", "vulnerabilities"} & answer.keys():
        raise NoDataError(
            str(answer.get("message") or answer.get("error") or "the answer has no findings in it")
        )
    return answer


AUDITS = {"python": python, "npm": npm}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/audit", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--skip-without-data",
        action="append",
        default=[],
        choices=list(AUDITS),
        help="do not fail when the data of this one cannot be had",
    )
    may_lack = parser.parse_args().skip_without_data
    failed = False
    for name, audit in AUDITS.items():
        try:
            found = audit(places.ROOT)
        except NoDataError as error:
            skipped = name in may_lack
            print(f"{name}: NOT AUDITED, the data cannot be had: {error}")
            print(
                f"{name}: {'skipped, as told' if skipped else f'failed; --skip-without-data={name} lets it pass'}"
            )
            failed = failed or not skipped
        else:
            print(f"{name}: {found.packages} packages, {len(found.lines)} known vulnerabilities")
            for line in found.lines:
                print(f"  {line}")
            failed = failed or bool(found.lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(told(main))
