"""The real ``<mux-player>`` in Chromium plays what was uploaded."""

import base64
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from playwright.sync_api import Page

from muxsim.client import Control
from muxsim.server import Simulator
from muxsim.videos.sample import SAMPLE_VIDEO
from tests.muxsim.sdk import Sdk

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><title>play</title><script src="/mux-player.js"></script>
<mux-player src="SOURCE" muted autoplay disable-tracking stream-type="on-demand"></mux-player>"""
PLAYED = "() => document.querySelector('mux-player').currentTime > SECONDS"


def film(sim: Simulator, policy: str, data: bytes | None, **settings: Any) -> tuple[Control, dict[str, Any]]:
    sdk, control = Sdk(sim.url), Control(sim.url)
    upload = sdk.upload(policy, **settings)
    if data is None:
        control.complete_upload(upload.id, duration=6)
    else:
        control.upload_file(upload.id, data)
    assert control.flush_events(20)
    sdk.close()
    return control, control.asset(control.upload(upload.id)["asset_id"])


def play(tab: Page, site: Any, source: str, seconds: float = 0.8) -> None:
    site.page = PAGE.replace("SOURCE", source)
    tab.goto(site.origin)
    tab.wait_for_function(PLAYED.replace("SECONDS", str(seconds)))


def test_a_public_video_with_captions(make_sim: Callable[..., Simulator], tab: Page, site: Any) -> None:
    sim = make_sim(ffmpeg=True)
    captions = [{"generated_subtitles": [{"language_code": "en", "name": "English"}]}]
    control, asset = film(sim, "public", SAMPLE_VIDEO, inputs=captions)
    play(tab, site, f"{sim.url}/{asset['playback_ids'][0]['id']}.m3u8")
    assert tab.evaluate("document.querySelector('mux-player').duration") == pytest.approx(2, abs=0.3)
    assert (
        tab.evaluate(
            "document.querySelector('mux-player').videoWidth ?? document.querySelector('mux-player').media.videoWidth"
        )
        == 160
    )
    tab.wait_for_function(
        "() => [...document.querySelector('mux-player').textTracks].some((one) => one.label === 'English')"
    )
    served = {one["operation"] for one in control.calls(target="playback")}
    assert {"manifest", "media_playlist", "media_segment", "text_playlist"} <= served


def test_a_signed_video_with_its_token(make_sim: Callable[..., Simulator], tab: Page, site: Any) -> None:
    sim = make_sim(ffmpeg=True)
    control, asset = film(sim, "signed", SAMPLE_VIDEO)
    playback, key = asset["playback_ids"][0]["id"], control.create_signing_key()
    claims = {"sub": playback, "aud": "v", "exp": int(time.time()) + 60, "kid": key["id"]}
    token = jwt.encode(claims, base64.b64decode(key["private_key"]), algorithm="RS256")
    play(tab, site, f"{sim.url}/{playback}.m3u8?token={token}")
    site.page = PAGE.replace("SOURCE", f"{sim.url}/{playback}.m3u8")
    tab.goto(site.origin)
    control.wait_for(lambda: [one for one in control.calls(operation="manifest") if one["status"] == 403])
    tab.wait_for_timeout(300)
    assert tab.evaluate("document.querySelector('mux-player').currentTime") == 0


def test_the_built_in_picture_plays_over_its_joints(sim: Simulator, tab: Page, site: Any) -> None:
    _, asset = film(sim, "public", None)
    play(tab, site, f"{sim.url}/{asset['playback_ids'][0]['id']}.m3u8", seconds=2.3)
    assert tab.evaluate("document.querySelector('mux-player').duration") == pytest.approx(6, abs=0.8)
