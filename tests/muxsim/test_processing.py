"""From the last byte to ready or errored: with ffmpeg by real work, without it by time."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from muxsim.client import Control
from muxsim.server import Simulator
from muxsim.videos.packaging import find_ffmpeg
from muxsim.videos.sample import SAMPLE_VIDEO
from tests.muxsim.receiver import Receiver
from tests.muxsim.sdk import Sdk, call

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)


def film(path: Path, *options: str, seconds: int = 3, size: str = "320x180") -> bytes:
    """A small video made for the test by the same ffmpeg."""
    binary = find_ffmpeg()
    assert binary is not None, "imageio-ffmpeg is part of the development requirements"
    source = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate=12:duration={seconds}"]
    subprocess.run([binary, "-v", "error", "-y", *source, *options, str(path)], check=True, timeout=60)
    return path.read_bytes()


class Studio:
    """A simulator with ffmpeg, and what came of a file that was uploaded to it."""

    def __init__(self, sim: Simulator) -> None:
        self.sim, self.control, self.sdk = sim, Control(sim.url), Sdk(sim.url)

    def process(self, data: bytes, **settings: object) -> dict[str, object]:
        upload = self.sdk.upload("public", **settings)
        assert self.control.upload_file(upload.id, data) == 200
        assert self.control.flush_events(30)
        return self.control.asset(self.control.upload(upload.id)["asset_id"])


@pytest.fixture
def studio(make_sim: Callable[..., Simulator]) -> Studio:
    return Studio(make_sim(ffmpeg=True))


@pytest.fixture
def plain(make_sim: Callable[..., Simulator]) -> Studio:
    return Studio(make_sim(ffmpeg=False))


def test_standard_input_is_packaged_as_it_is(studio: Studio) -> None:
    asset = studio.process(SAMPLE_VIDEO)
    assert (asset["status"], asset["duration"], asset["aspect_ratio"]) == (
        "ready",
        pytest.approx(2, abs=0.2),
        "16:9",
    )
    assert (asset["resolution_tier"], asset["max_stored_resolution"], asset["max_stored_frame_rate"]) == (
        "720p",
        "HD",
        10.0,
    )
    assert "non_standard_input_reasons" not in asset
    assert asset["packaged"] is True


def test_other_formats_are_transcoded_and_said_to_be_unusual(
    studio: Studio, receiver: Receiver, tmp_path: Path
) -> None:
    asset = studio.process(film(tmp_path / "a.webm", "-c:v", "libvpx", "-b:v", "100k", size="180x320"))
    assert (asset["status"], asset["aspect_ratio"]) == ("ready", "9:16")
    assert asset["non_standard_input_reasons"] == {"video_codec": "vp8"}
    assert receiver.types[-2:] == ["video.asset.non_standard_input_detected", "video.asset.ready"]
    playback = asset["playback_ids"][0]["id"]  # type: ignore[index]
    assert call("GET", f"{studio.sim.url}/{playback}/media/00000.ts", token=None).raw[:1] == b"\x47"


def test_sound_alone_is_an_asset_too(studio: Studio, tmp_path: Path) -> None:
    data = film(tmp_path / "a.m4a", "-f", "lavfi", "-i", "sine=duration=2", "-map", "1:a", "-c:a", "aac")
    asset = studio.process(data)
    assert (asset["status"], asset["resolution_tier"]) == ("ready", "audio-only")
    assert "aspect_ratio" not in asset


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"just some notes\n" * 50, "not a video"), (PNG, "not a video"), (bytes(50_000), "not a video"), (SAMPLE_VIDEO[:300], "truncated")],
    ids=["empty", "text", "picture", "zeros", "no index"],
)  # fmt: skip
def test_what_is_no_video_errors(studio: Studio, receiver: Receiver, data: bytes, words: str) -> None:
    asset = studio.process(data)
    assert (asset["status"], asset["progress"]) == ("errored", {"state": "errored", "progress": -1})
    errors = asset["errors"]
    assert isinstance(errors, dict)
    assert set(errors) == {"type", "messages"}
    assert errors["type"] == "invalid_input"
    assert words in errors["messages"][0]
    upload = studio.control.upload(str(asset["upload_id"]))
    assert (upload["status"], set(upload["error"])) == ("errored", {"type", "message"})
    assert receiver.types[-2:] == ["video.asset.errored", "video.upload.errored"]


def test_a_file_cut_off_in_the_middle_errors(studio: Studio, tmp_path: Path) -> None:
    whole = film(
        tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", seconds=8
    )
    asset = studio.process(whole[: len(whole) // 2])
    assert asset["status"] == "errored"
    assert "truncated" in asset["errors"]["messages"][0]  # type: ignore[index]


def test_a_playlist_is_not_followed(studio: Studio) -> None:
    """A file that only names other files must not make ffmpeg open them."""
    secret = Path("/etc/passwd").as_uri()
    asset = studio.process(f"#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n".encode())
    assert asset["status"] == "errored"


@pytest.mark.parametrize(
    ("data", "status"),
    [(SAMPLE_VIDEO, "ready"), (b"\x00\x01unheard of" * 99, "ready"), (b"", "errored"), (b"notes " * 99, "errored"), (PNG, "errored"),
     (SAMPLE_VIDEO[:4000], "errored")],
    ids=["mp4", "unknown", "empty", "text", "picture", "truncated"],
)  # fmt: skip
def test_without_ffmpeg(plain: Studio, data: bytes, status: str) -> None:
    asset = plain.process(data)
    assert asset["status"] == status
    assert asset["packaged"] is False
    assert plain.control.state()["ffmpeg"] is False


def test_progress_moves_with_the_clock_and_can_be_held(make_sim: Callable[..., Simulator]) -> None:
    sim = make_sim(processing_seconds=10_000)  # the seconds of a slow machine do not show
    control, sdk = Control(sim.url), Sdk(sim.url)
    asset_id = control.complete_upload(sdk.upload().id, duration=33.0, width=1920, height=1080)["id"]
    control.flush_events()

    def progress() -> tuple[str, int]:
        shown = sdk.assets.get_asset(asset_id).data.progress
        return shown.state, int(shown.progress)

    assert progress() == ("ingesting", 0)
    control.advance_clock(5_000)
    assert progress() == ("transcoding", 50)
    control.hold_asset(asset_id)
    control.advance_clock(100_000)
    control.flush_events()
    assert progress() == ("transcoding", 50)
    control.hold_asset(asset_id, False)
    control.advance_clock(4_000)
    assert progress() == ("transcoding", 90)
    control.hold_processing()
    control.advance_clock(100_000)
    assert progress() == ("transcoding", 90)
    control.hold_processing(False)
    control.advance_clock(1_100)
    control.flush_events()
    assert progress() == ("completed", 100)
    asset = sdk.assets.get_asset(asset_id).data
    assert (asset.duration, asset.resolution_tier) == (33.0, "1080p")
    sdk.close()


def test_ready_by_order(make_sim: Callable[..., Simulator]) -> None:
    sim = make_sim(processing_seconds=100)
    control, sdk = Control(sim.url), Sdk(sim.url)
    asset_id = control.complete_upload(sdk.upload().id)["id"]
    assert control.set_asset_ready(asset_id)["status"] == "ready"
    control.advance_clock(200)
    control.flush_events()
    assert [one["type"] for one in control.events()].count("video.asset.ready") == 1
    sdk.close()


def test_generated_captions(studio: Studio, receiver: Receiver) -> None:
    inputs = [{"generated_subtitles": [{"language_code": "en", "name": "English CC"}]}]
    asset = studio.process(SAMPLE_VIDEO, inputs=inputs)
    [track] = [one for one in asset["tracks"] if one["type"] == "text"]  # type: ignore[attr-defined]
    assert (track["text_source"], track["status"], track["language_code"], track["name"]) == (
        "generated_vod",
        "ready",
        "en",
        "English CC",
    )
    ready = receiver.of("video.asset.track.ready")[0].body
    assert (ready["data"]["id"], ready["object"]) == (track["id"], {"type": "track", "id": track["id"]})
    assert ready["data"]["asset_id"] == asset["id"]
    before = receiver.of("video.asset.ready")[0].body["data"]["tracks"]
    assert [one["status"] for one in before if one["type"] == "text"] == ["preparing"]
    base = f"{studio.sim.url}/{asset['playback_ids'][0]['id']}"  # type: ignore[index]
    manifest = call("GET", base + ".m3u8", token=None).raw.decode()
    assert 'TYPE=SUBTITLES,GROUP-ID="sub1",NAME="English CC",LANGUAGE="en"' in manifest
    assert 'SUBTITLES="sub1"' in manifest.splitlines()[-2]
    text = call("GET", f"{base}/text/{track['id']}.vtt", token=None)
    assert text.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert text.raw.startswith(b"WEBVTT\n\n00:00:00.000 --> 00:00:02.")


def test_captions_need_a_voice(studio: Studio, receiver: Receiver, tmp_path: Path) -> None:
    silent = film(tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    asset = studio.process(silent, inputs=[{"generated_subtitles": [{"language_code": "en"}]}])
    assert [one["status"] for one in asset["tracks"]] == ["ready", "skipped"]  # type: ignore[attr-defined]
    assert receiver.types[-1] == "video.asset.track.skipped"


def test_a_test_asset_is_short_and_dies_after_a_day(
    studio: Studio, receiver: Receiver, tmp_path: Path
) -> None:
    long = film(tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "12", seconds=14)
    asset = studio.process(long, test=True)
    assert (asset["test"], asset["duration"]) == (True, 10.0)
    media = studio.sim.core.directory / "media" / str(asset["id"])
    assert media.exists()
    studio.control.advance_clock(24 * 3600 + 1)
    assert studio.control.flush_events()
    assert receiver.types[-1] == "video.asset.deleted"
    assert call("GET", f"{studio.sim.url}/video/v1/assets/{asset['id']}").status == 404
    assert not media.exists()
