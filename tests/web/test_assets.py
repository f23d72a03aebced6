"""Static files: addresses with the hash of their content, kept for ever, and never stale after a deployment."""

import gzip
import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.web.assets import Assets
from tests.pages import page_of


def test_every_file_that_a_page_names_is_there_and_kept(client: FlaskClient) -> None:
    page = page_of(client.get("/login"))
    named = [a["href"] or "" for a in page.all("link")] + [a["src"] or "" for a in page.all("script")]
    assert len(named) >= 6
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


def test_text_goes_out_compressed_to_whoever_understands_it(client: FlaskClient, app: Flask) -> None:
    with app.test_request_context():
        sheet = app.jinja_env.globals["asset"]("css/components.css")
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


@pytest.mark.parametrize(
    "path",
    [
        "~x/nothing.css",
        "~x/css/nothing.css",
        "~x/../auth.py",
        "~x/css/../../auth.py",
        "~/",
        "~",
        "../auth.py",
        "%2e%2e/auth.py",
        "~x/%2e%2e/%2e%2e/app.py",
        "css",
        "~x/css/",
        "~x//etc/passwd",
    ],
)
def test_nothing_else_can_be_read(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/static/{path}", buffered=True)
    assert answer.status_code in (404, 308), answer.status_code
    assert b"import" not in answer.data


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
