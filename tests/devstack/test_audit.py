"""The audit of packages, at a database of vulnerabilities in this process: what is known is found, and no answer is no "all is well"."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from devstack.commands import audit
from devstack.install import pinned

# what the database knows beside what the audit itself plants
OLD = {"jinja2": {"2.4.1", "2.7"}, "lodash": {"4.17.4", "4.17.3"}}
KNOWN = {
    "id": "PYSEC-PLANTED-1",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "sandbox escape",
    "details": "planted",
    "aliases": [],
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.8.1"}]}],
        }
    ],
}
ADVISORY = {
    "id": 1, "url": "https://advisories.example/1", "title": "prototype pollution", "severity": "high",
    "vulnerable_versions": "<4.17.5", "cwe": [], "cvss": {"score": 0, "vectorString": None},
}  # fmt: skip


class _Database(BaseHTTPRequestHandler):
    """Answers as the two databases do; whether each answers at all, a test decides."""

    server: "_Server"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        raw = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
        if not self.server.answers:
            self._say(503, {})
        elif "advisories" in self.path:
            asked = json.loads(raw)
            self.server.asked += [(name, version) for name, versions in asked.items() for version in versions]
            known = OLD["lodash"] & set(asked.get("lodash", ())) and self.server.knows
            self._say(200, {"lodash": [ADVISORY]} if known else {})
        else:
            asked = json.loads(raw)
            name, version = asked["package"]["name"], asked["version"]
            self.server.asked.append((name, version))
            known = version in OLD.get(name.lower(), ()) and self.server.knows
            self._say(200, {"vulns": [KNOWN]} if known else {})

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Of a package with a vulnerability npm wants to know the versions."""
        versions = {one: {"name": "lodash", "version": one} for one in (*OLD["lodash"], "4.17.21")}
        self._say(200, {"name": "lodash", "dist-tags": {"latest": "4.17.21"}, "versions": versions})

    def log_message(self, *_: object) -> None:
        """What it was asked is kept."""


class _Server(ThreadingHTTPServer):
    answers = knows = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Database)
        self.asked: list[tuple[str, str]] = []


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    with _Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"{address}/v1/query")
        monkeypatch.setenv("npm_config_registry", address)
        yield server
        server.shutdown()


def pins(folder: Path, **versions: str) -> Path:
    lines = [f"{name}=={version} \\\n    --hash=sha256:{'0' * 64}\n" for name, version in versions.items()]
    (folder / "requirements.txt").write_text("".join(lines))
    return folder


def test_a_planted_old_version_is_found(database: _Server, tmp_path: Path) -> None:
    found = audit.python(pins(tmp_path, Jinja2="2.7", flask="3.1.3"), ["requirements.txt"])
    assert found == audit.Found(2, ("jinja2 2.7: PYSEC-PLANTED-1, fixed in 2.8.1",))
    audit._plant(tmp_path, "lodash", "4.17.3")
    assert audit.npm(tmp_path, ["."]) == audit.Found(1, ("lodash <4.17.5: prototype pollution (high)",))


def test_every_pin_of_this_repository_is_asked_about_and_passes(
    database: _Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bin/audit"])
    assert audit.main() == 0
    said = capsys.readouterr().out
    asked = {name.lower() for name, _ in database.asked}
    assert {one.name for one in pinned.in_files(*pinned.FILES)} - asked <= {"async-timeout"}, (
        "for older Pythons only"
    )
    assert {"@mux/mux-player", "eslint", "pg"} <= asked
    assert said.count("0 known vulnerabilities") == 2


@pytest.mark.parametrize("how", ["refused", "away", "empty"])
def test_a_database_that_does_not_answer_or_knows_nothing_is_no_answer(
    database: _Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    database.answers, database.knows = how == "empty", False
    if how == "away":
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", "http://127.0.0.1:1/v1/query")
        monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    with pytest.raises(audit.NoDataError):
        audit.python(pins(tmp_path, flask="3.1.3"), ["requirements.txt"])
    with pytest.raises(audit.NoDataError):
        audit.npm(tmp_path, [])


@pytest.mark.parametrize(("allowed", "code"), [((), 1), (("python",), 1), (("python", "npm"), 0)])
def test_without_data_it_fails_unless_that_is_allowed_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], allowed: tuple[str, ...], code: int
) -> None:
    def lacks(_: Path) -> audit.Found:
        raise audit.NoDataError("no route to the database")

    monkeypatch.setattr(audit, "AUDITS", {"python": lacks, "npm": lacks})
    monkeypatch.setattr("sys.argv", ["bin/audit", *(f"--skip-without-data={name}" for name in allowed)])
    assert audit.main() == code
    said = capsys.readouterr().out
    assert said.count("NOT AUDITED, the data cannot be had: no route to the database") == 2
    assert said.count("skipped, as told") == len(allowed)


def test_an_old_version_fails_although_missing_data_is_allowed(
    database: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = audit.python(pins(tmp_path, Jinja2="2.7"), ["requirements.txt"])
    monkeypatch.setitem(audit.AUDITS, "python", lambda _: found)
    monkeypatch.setitem(audit.AUDITS, "npm", lambda _: audit.Found(0, ()))
    monkeypatch.setattr("sys.argv", ["bin/audit", "--skip-without-data=python"])
    assert audit.main() == 1
