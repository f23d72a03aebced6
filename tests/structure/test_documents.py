"""The documents name what is there: files, functions, tables; the index names every document; decisions are whole."""

import re
from pathlib import Path

from devstack.places import ROOT
from tests.cases import each_of
from tests.structure import documents

INDEX = ROOT / "docs" / "README.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def ids(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@each_of("file", documents.documents())
def test_what_a_document_names_exists(file: Path) -> None:
    assert documents.unknown(file.read_text()) == []


@each_of("file", documents.documents())
def test_links_lead_somewhere(file: Path) -> None:
    assert [link for link in documents.links(file.read_text()) if not (file.parent / link).exists()] == []


def test_the_index_names_every_document() -> None:
    listed = {(INDEX.parent / link).resolve() for link in documents.links(INDEX.read_text())}
    top = {ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md")}
    there = {file for file in top if file.exists()} | set((ROOT / "docs").rglob("*.md")) - {INDEX}
    assert there - listed == set()


@each_of("file", DECISIONS)
def test_a_decision_has_date_status_and_what_was_rejected(file: Path) -> None:
    text = file.read_text()
    assert re.search(
        r"^Date: 20\d\d-\d\d-\d\d\b.* Status: (accepted|superseded by \[.+\]\(.+\))\.$", text, re.M
    )
    assert re.search(r"^Rejected:", text, re.M)


@each_of(
    "name",
    [
        "domain/videos/desks.py",
        "lessonadmin/domain/*/gone.py",
        "desks.py",
        "transitions.no_such_function",
        "domain.videos.transitions.no_such_function()",
        "mux_asset_tracking.no_such_column",
        "LockedVideo.no_such_member",
        "video.no_such_word",
    ],
)
def test_a_name_that_is_gone_is_found(name: str) -> None:
    assert documents.unknown(f"See `{name}`.") == [name]


def test_a_file_that_is_gone_is_found_in_a_picture() -> None:
    picture = "```mermaid\nflowchart TD\n  a[videos/transitions.py] --> b[videos/desks.py]\n```\n"
    assert documents.unknown(picture) == ["videos/desks.py"]


@each_of(
    "name",
    [
        "domain/videos/transitions.py",
        "lessonadmin/domain/videos/",
        "tests/domain/*/test_inbox.py",
        "transitions.apply",
        "domain.videos.transitions.apply",
        "mux_asset_tracking.next_check_at",
        "video.asset.ready",
        "postgresql://user:password@host/name",
        "flask db upgrade",
    ],
)
def test_a_name_that_is_there_is_left_alone(name: str) -> None:
    assert documents.unknown(f"See `{name}`.") == []
