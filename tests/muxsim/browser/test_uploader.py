"""The real ``<mux-uploader>`` in Chromium, from another origin, in several chunks."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from muxsim.client import Control
from muxsim.server import Simulator
from muxsim.videos.sample import SAMPLE_VIDEO
from tests.muxsim.sdk import Sdk

pytestmark = pytest.mark.browser
CHUNK = 256 * 1024
PAGE = """<!doctype html><title>upload</title><script src="/mux-uploader.js"></script>
<mux-uploader chunk-size="256" pausable></mux-uploader>
<script>
  const element = document.querySelector("mux-uploader");
  window.log = [];
  for (const name of ["uploadstart", "chunkattempt", "chunksuccess", "success", "uploaderror"])
    element.addEventListener(name, (event) => window.log.push([name, event.detail?.message ?? null]));
  element.endpoint = () => Promise.resolve(ENDPOINT);
</script>"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A real video with a megabyte of filling behind it: five chunks."""
    path = tmp_path / "lesson.mp4"
    filling = os.urandom(4 * CHUNK)
    path.write_bytes(SAMPLE_VIDEO + (len(filling) + 8).to_bytes(4, "big") + b"free" + filling)
    return path


class Uploading:
    """One page with the widget on it, pointed at one upload."""

    def __init__(self, tab: Page, site: Any, sdk: Sdk, control: Control) -> None:
        self.tab, self.control = tab, control
        self.upload = sdk.uploads.create_direct_upload(
            {"cors_origin": site.origin, "new_asset_settings": {"playback_policies": ["public"]}}
        ).data
        site.page = PAGE.replace("ENDPOINT", repr(self.upload.url))
        tab.goto(site.origin)

    def choose(self, film: Path) -> None:
        self.tab.locator("mux-uploader input[type=file]").set_input_files(str(film))

    def wait(self, event: str) -> None:
        self.tab.wait_for_function("name => window.log.some((one) => one[0] === name)", arg=event)

    def names(self) -> list[str]:
        return [name for name, _ in self.tab.evaluate("window.log")]

    def check(self, sim: Simulator, film: Path) -> None:
        """What arrived is what was sent, byte for byte."""
        assert self.control.flush_events()
        asset = self.control.asset(self.control.upload(self.upload.id)["asset_id"])
        arrived = (sim.core.directory / "media" / asset["id"] / "source").read_bytes()
        assert hashlib.sha256(arrived).digest() == hashlib.sha256(film.read_bytes()).digest()
        assert asset["status"] == "ready"


@pytest.fixture
def uploading(tab: Page, site: Any, sdk: Sdk, control: Control) -> Uploading:
    return Uploading(tab, site, sdk, control)


def test_five_chunks(uploading: Uploading, sim: Simulator, control: Control, film: Path) -> None:
    uploading.choose(film)
    uploading.wait("success")
    assert uploading.names().count("chunksuccess") == 5
    uploading.check(sim, film)
    puts = control.calls(target="upload", operation="put")
    assert [one["status"] for one in puts] == [308, 308, 308, 308, 200]
    assert len(control.calls(operation="preflight")) >= 1


def test_pause_and_resume(uploading: Uploading, sim: Simulator, control: Control, film: Path) -> None:
    control.fault("upload", "slow", match={"chunk": 1, "operation": "put"}, seconds=0.4)
    uploading.choose(film)
    uploading.wait("chunksuccess")
    uploading.tab.evaluate("document.querySelector('mux-uploader').paused = true")
    control.wait_for(lambda: control.upload(uploading.upload.id)["received"] >= 2 * CHUNK)
    held = control.upload(uploading.upload.id)["received"]
    uploading.tab.wait_for_timeout(500)
    assert control.upload(uploading.upload.id)["received"] == held < film.stat().st_size
    uploading.tab.evaluate("document.querySelector('mux-uploader').paused = false")
    uploading.wait("success")
    uploading.check(sim, film)


def test_a_lost_chunk_is_sent_again(
    uploading: Uploading, sim: Simulator, control: Control, film: Path
) -> None:
    """Where the browser can read ``Range``: it sees that less was kept than it sent."""
    control.set_switch("expose_range", True)
    control.fault("upload", "lost_chunk", match={"chunk": 2}, times=1)
    uploading.choose(film)
    uploading.wait("success")
    uploading.check(sim, film)
    puts = control.calls(target="upload", operation="put")
    assert len(puts) == 6
    assert [one["fault"] for one in puts].count("lost_chunk") == 1


def test_a_lost_chunk_that_the_browser_cannot_see_ends_the_upload(
    uploading: Uploading, control: Control, film: Path
) -> None:
    """Its next bytes leave a gap; upchunk sends them five times, and each time the answer is the same 503."""
    control.fault("upload", "lost_chunk", match={"chunk": 2}, times=1)
    uploading.choose(film)
    uploading.wait("uploaderror")
    puts = control.calls(target="upload", operation="put")
    assert [one["status"] for one in puts] == [308, 308, 308, 503, 503, 503, 503, 503]
    assert control.upload(uploading.upload.id)["received"] == 2 * CHUNK


def test_a_502_is_tried_again(uploading: Uploading, sim: Simulator, control: Control, film: Path) -> None:
    control.fault("upload", "status", match={"chunk": 3, "operation": "put"}, times=1, status=502)
    uploading.choose(film)
    uploading.wait("success")
    uploading.check(sim, film)
    assert [one["status"] for one in control.calls(target="upload", operation="put")] == [
        308,
        308,
        308,
        502,
        308,
        200,
    ]


def test_a_reset_is_fatal_and_the_rest_of_the_file_stays_away(
    uploading: Uploading, control: Control, film: Path
) -> None:
    """upchunk retries 408, 502, 503 and 504; an answer that never came counts as status 0, and ends the upload."""
    control.fault("upload", "reset", match={"chunk": 1, "operation": "put"}, times=1)
    uploading.choose(film)
    uploading.wait("uploaderror")
    shown = control.upload(uploading.upload.id)
    assert (shown["status"], shown["received"]) == ("waiting", CHUNK)


def test_a_500_is_fatal(uploading: Uploading, control: Control, film: Path) -> None:
    control.fault("upload", "status", match={"chunk": 1, "operation": "put"}, times=1, status=500)
    uploading.choose(film)
    uploading.wait("uploaderror")
    assert control.upload(uploading.upload.id)["status"] == "waiting"
    assert control.assets() == []


def test_a_308_at_the_end_looks_like_success_and_is_none(
    uploading: Uploading, control: Control, film: Path
) -> None:
    control.fault("upload", "final_308", times=1, skip=4)
    uploading.choose(film)
    uploading.wait("success")
    assert control.upload(uploading.upload.id)["status"] == "waiting"


def test_a_foreign_origin_cannot_upload(tab: Page, site: Any, sdk: Sdk, control: Control, film: Path) -> None:
    upload = sdk.uploads.create_direct_upload({"cors_origin": "https://elsewhere.example"}).data
    site.page = PAGE.replace("ENDPOINT", repr(upload.url))
    tab.goto(site.origin)
    tab.locator("mux-uploader input[type=file]").set_input_files(str(film))
    control.wait_for(lambda: control.calls(operation="preflight"))
    tab.wait_for_timeout(300)
    assert control.calls(operation="put") == []
