"""Static files: addresses with the hash of their content, kept for ever, and never stale after a deployment."""

import gzip
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from lessonadmin.web import assets
from lessonadmin.web.assets import ROOT, Assets
from tests.pages import page_of


def test_every_file_that_a_page_names_is_there_and_kept(client: FlaskClient) -> None:
    page = page_of(client.get("/login"))
    named = [a["href"] or "" for a in page.all("link")] + [a["src"] or "" for a in page.all("script")]
    assert len(named) >= 4
    for address in named:
        answer = client.get(address, buffered=True)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert "ETag" in answer.headers


def test_a_module_finds_its_neighbours_in_the_same_version(client: FlaskClient, app: Flask) -> None:
    with app.test_request_context():
        base = app.jinja_env.globals["asset"]("js/app.js").rpartition("/")[0]
    for name in ("behaviours/copy.js", "toast.js"):
        assert client.get(f"{base}/{name}", buffered=True).status_code == 200


def test_text_goes_out_compressed_to_clients_that_understand_it(client: FlaskClient, app: Flask) -> None:
    with app.test_request_context():
        sheet = app.jinja_env.globals["asset"]("css/buttons.css")
        script = app.jinja_env.globals["asset"]("js/app.js")
    for address in (sheet, script):
        plain = client.get(address, buffered=True)
        small = client.get(address, headers={"Accept-Encoding": "br, gzip;q=0.8"}, buffered=True)
        assert "Content-Encoding" not in plain.headers
        assert small.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(small.data) == plain.data
        assert len(small.data) < len(plain.data)
        assert small.content_type == plain.content_type
        assert "immutable" in small.headers["Cache-Control"]
        assert "max-age=31536000" in small.headers["Cache-Control"]
        assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
        assert small.headers["ETag"] != plain.headers["ETag"]
        known = {"Accept-Encoding": "gzip", "If-None-Match": small.headers["ETag"]}
        assert client.get(address, headers=known, buffered=True).status_code == 304
    refused = client.get(sheet, headers={"Accept-Encoding": "gzip;q=0, identity"}, buffered=True)
    assert "Content-Encoding" not in refused.headers


def test_a_changed_file_is_compressed_anew(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    sheet = tmp_path / "css" / "a.css"
    sheet.write_text("a{}")
    watching = Assets(tmp_path, watch=True)
    assert gzip.decompress(watching.compressed("css/a.css") or b"") == b"a{}"
    sheet.write_text("b{}")
    os.utime(sheet, (1, 1))
    assert gzip.decompress(watching.compressed("css/a.css") or b"") == b"b{}"
    (tmp_path / "css" / "a.png").write_bytes(b"x")
    assert watching.compressed("css/a.png") is None
    assert watching.compressed("css/none.css") is None


def test_an_old_version_gets_todays_file_and_must_not_keep_it(client: FlaskClient) -> None:
    answer = client.get("/static/~000000000000/css/base.css", buffered=True)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/static/css/base.css", buffered=True).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["~/", "~", "css", "~x/css/", "~x/css/nothing.css", "nothing.css"])
def test_what_is_no_file_is_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


# Each names a text file that is really there, in words that a file system would understand and the list does not hold.
ODD_NAMES = (
    "js/../../secret.js",
    "js/%2e%2e/%2e%2e/secret.js",
    "js/../../../{root}/secret.js",
    "{root}/secret.js",
    "/{root}/secret.js",
    "js/./app.js",
    "./js/app.js",
    "js/../js/app.js",
    "js/%2e/app.js",
    "js//app.js",
    "js%2f%2fapp.js",
    "js/%00app.js",
    "js/app.js/",
    "JS/app.js",
    "js\\app.js",
    "js/link.js",
    "linked/secret.js",
)
GZIP = {"Accept-Encoding": "gzip"}


@dataclass
class Stack:
    """A static folder of its own with a secret beside it, served as the product serves its own."""

    app: Flask
    root: Path
    assets: Assets

    @property
    def version(self) -> str:
        return self.assets.version("js")


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    root = tmp_path / "static"
    (root / "js").mkdir(parents=True)
    (root / "js" / "app.js").write_text("run()")
    (root / "js" / "ask.js").write_text("ask()")
    (tmp_path / "secret.js").write_text("SECRET")
    (root / "js" / "link.js").symlink_to(tmp_path / "secret.js")
    (root / "linked").symlink_to(tmp_path)
    made: list[Assets] = []

    def make(*args: Any, **more: Any) -> Assets:
        made.append(Assets(*args, **more))
        return made[0]

    monkeypatch.setattr(assets, "ROOT", root)
    monkeypatch.setattr(assets, "Assets", make)
    app = Flask("house", static_folder=str(root))
    assets.init_app(app)
    return Stack(app, root, made[0])


@pytest.mark.parametrize("name", ODD_NAMES)
def test_only_a_name_of_the_list_is_served_however_it_is_asked_for(stack: Stack, name: str) -> None:
    client = stack.app.test_client()
    name = name.format(root=str(stack.root.parent).strip("/"))
    for before in (f"~{stack.version}/", "~000000000000/", "~/", ""):
        for headers in (GZIP, {}):
            answer = client.get(f"/static/{before}{name}", headers=headers, follow_redirects=True)
            # two slashes are sent to the plain address, which is asked for like any other
            expected = (200, 404) if name == "js//app.js" else (404,)
            assert answer.status_code in expected, (before, headers)
            assert b"SECRET" not in answer.data


def test_what_is_kept_in_memory_is_bounded_by_the_files(stack: Stack) -> None:
    client = stack.app.test_client()
    for name in ("js/app.js", "js/ask.js", *("js/" + "./" * dots + "app.js" for dots in range(1, 60))):
        client.get(f"/static/~{stack.version}/{name}", headers=GZIP)
    listing = stack.assets.listing()
    assert sorted(listing.files) == ["js/app.js", "js/ask.js"], "links are not followed"
    assert sorted(listing.small) == ["js/app.js", "js/ask.js"]


def test_of_the_tests_above_the_attack_meets_files_that_are_there(stack: Stack) -> None:
    """The control: a handler that takes the name as part of a path gives the secret away to most of these names."""

    def naive(filename: str) -> Response:
        file = stack.root / filename.removeprefix("~").partition("/")[2]
        return Response(file.read_bytes() if file.is_file() else b"")

    stack.app.view_functions["static"] = naive
    client = stack.app.test_client()
    names = [name.format(root=str(stack.root.parent).strip("/")) for name in ODD_NAMES]
    answers = [client.get(f"/static/~{stack.version}/{name}").data for name in names]
    assert sum(answer == b"SECRET" for answer in answers) >= 4
    assert sum(answer == b"run()" for answer in answers) >= 4


def test_a_file_that_comes_later_is_seen_only_when_files_are_watched(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    watching, settled = Assets(tmp_path, watch=True), Assets(tmp_path)
    (tmp_path / "css" / "late.css").write_text("a{}")
    assert watching.file("css/late.css") == tmp_path / "css" / "late.css"
    assert settled.file("css/late.css") is None
    (tmp_path / "css" / "late.css").unlink()
    assert watching.file("css/late.css") is None


def test_a_changed_file_changes_its_address(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    sheet = tmp_path / "css" / "a.css"
    sheet.write_text("a{}")
    watching, settled = Assets(tmp_path, watch=True), Assets(tmp_path)
    before = (watching.path("css/a.css"), settled.path("css/a.css"))
    sheet.write_text("b{}")
    os.utime(sheet, (1, 1))
    assert watching.path("css/a.css") != before[0]
    assert settled.path("css/a.css") == before[1], "a running server does not look again"
    assert Assets(tmp_path).path("css/a.css") == watching.path("css/a.css")


def test_a_stylesheet_goes_out_with_those_that_it_imports(client: FlaskClient, app: Flask) -> None:
    with app.test_request_context():
        address = app.jinja_env.globals["asset"]("css/every-page.css")
    plain = client.get(address, buffered=True)
    small = client.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert gzip.decompress(small.data) == plain.data
    assert b"@import" not in plain.data
    folder = ROOT / "css"
    imported = re.findall(r'@import "(.+)";', (folder / "every-page.css").read_text())
    places = [plain.data.index((folder / name).read_bytes()) for name in imported]
    assert places == sorted(places)
    assert len(places) > 5


def test_a_changed_stylesheet_changes_the_one_that_imports_it(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    part = tmp_path / "css" / "part.css"
    part.write_text("a{}\n")
    (tmp_path / "css" / "all.css").write_text('/* x */\n@import "part.css";\nb{}\n')
    watching = Assets(tmp_path, watch=True)
    before = watching.path("css/all.css")
    assert gzip.decompress(watching.compressed("css/all.css") or b"") == b"/* x */\na{}\nb{}\n"
    part.write_text("c{}\n")
    os.utime(part, (1, 1))
    assert gzip.decompress(watching.compressed("css/all.css") or b"") == b"/* x */\nc{}\nb{}\n"
    assert watching.path("css/all.css") != before, "browsers ask for it again"
