"""The scripts of the pages, tested by node without a browser. What needs a browser is in tests/browser."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from devstack.install import npm_packages
from devstack.places import ROOT

FILES = sorted(Path(__file__).parent.glob("*.test.mjs"))


def run(*files: Path) -> ElementTree.Element:
    """node's report as JUnit XML. A page's scripts carry no package.json, so node finds out that they are modules."""
    node = npm_packages.find(Path(sys.executable)).node
    options = ("--experimental-detect-module", "--test", "--test-reporter=junit")
    done = subprocess.run(
        [node, *options, *files], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout, done.stderr
    return ElementTree.fromstring(done.stdout)  # noqa: S314 - node wrote it just now


def failures(report: ElementTree.Element) -> list[str]:
    return [
        f"{case.get('name')}: {failure.text or failure.get('message')}"
        for case in report.iter("testcase")
        if (failure := case.find("failure")) is not None
    ]


def test_every_case_passes() -> None:
    report = run(*FILES)
    assert "\n".join(failures(report)) == ""
    cases = sum(file.read_text().count("\ntest(") for file in FILES)
    assert len(list(report.iter("testcase"))) >= cases > 0


@pytest.mark.parametrize(
    "text", ["test('it fails', () => { throw new Error('wrong'); });", "import './missing.mjs';"]
)
def test_of_the_test_a_failure_is_found(tmp_path: Path, text: str) -> None:
    broken = tmp_path / "broken.test.mjs"
    broken.write_text(f"import {{ test }} from 'node:test';\n{text}\n")
    assert len(failures(run(broken))) == 1
