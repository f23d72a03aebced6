"""The limits are those that the operator's handbook names, and fit the application's."""

from flask import Flask

from devstack.places import ROOT
from lessonadmin.web_server import limits


def test_the_handbook_names_them() -> None:
    text = (ROOT / "docs" / "operate.md").read_text()
    for row in (
        f"| head | {limits.HEAD_SECONDS:.0f} s, {limits.MAX_HEAD_BYTES // 1024} KiB |",
        f"| body | {limits.BODY_SECONDS:.0f} s, {limits.MAX_BODY_BYTES // 1024**2} MiB |",
        f"| answer | {limits.UNREAD_SECONDS:.0f} s without a byte taken |",
    ):
        assert row in text


def test_a_body_that_the_application_takes_is_read(app: Flask) -> None:
    assert app.config["MAX_CONTENT_LENGTH"] == limits.MAX_BODY_BYTES
