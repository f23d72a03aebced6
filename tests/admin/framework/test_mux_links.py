"""Links into Mux's dashboard: to an asset that Mux may know, and only when Mux itself is asked."""

import pytest
from flask import Flask

from lessonadmin.admin.framework import mux_links
from tests.settings import overridden

MUX, SIMULATOR = "https://api.mux.com", "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("mux_api_url", "asset_id", "link"),
    [
        (MUX, "abc", "https://dashboard.mux.com/video/assets/abc/overview"),
        (MUX, "temp_abc", None),
        (MUX, "", None),
        (MUX, None, None),
        (SIMULATOR, "abc", None),
        ("https://mux.com.evil.example", "abc", None),
    ],
)
def test_an_asset(app: Flask, mux_api_url: str, asset_id: str | None, link: str | None) -> None:
    with overridden(mux_api_url=mux_api_url):
        assert mux_links.asset(asset_id) == link
