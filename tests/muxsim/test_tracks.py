"""Captions and thumbnails of an asset: what is generated, brought, changed and taken away."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import mux_python
import pytest

from muxsim.checks import LANGUAGES
from muxsim.client import Control
from muxsim.server import Simulator
from tests.muxsim.receiver import Receiver
from tests.muxsim.sdk import Reply, Sdk, call

TEXT = {
    "url": "http://127.0.0.1:1/a.vtt", "type": "text", "text_type": "subtitles", "language_code": "en-GB", "name": "English",
}  # fmt: skip


class Asset:
    """One ready asset and what is asked about it."""

    def __init__(
        self, sim: Simulator, sdk: Sdk, *, captions: dict[str, Any] | None = None, **made: Any
    ) -> None:
        settings = {"inputs": [{"generated_subtitles": [captions]}]} if captions else {}
        self.control = Control(sim.url)
        self.id = self.control.complete_upload(sdk.upload("public", **settings).id, **made)["id"]
        assert self.control.flush_events()
        self.url = f"{sim.url}/video/v1/assets/{self.id}"

    def ask(self, method: str, path: str = "", body: Any = None) -> Reply:
        return call(method, self.url + path, body)

    def tracks(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.control.asset(self.id)["tracks"] if one["type"] == kind]


@pytest.fixture
def asset(sim: Simulator, sdk: Sdk) -> Asset:
    return Asset(sim, sdk)


def test_captions_where_nothing_is_said_are_skipped(sim: Simulator, sdk: Sdk, receiver: Receiver) -> None:
    silent = Asset(sim, sdk, captions={"language_code": "en", "name": "English"}, audio=False)
    [track] = silent.tracks("text")
    assert track["status"] == "skipped"
    assert "error" not in track
    assert receiver.types[-2:] == ["video.asset.track.created", "video.asset.track.skipped"]
    told = receiver.got[-1].body
    assert told["object"] == {"type": "track", "id": track["id"]}
    assert (told["data"]["asset_id"], told["data"]["status"]) == (silent.id, "skipped")
    with pytest.raises(ValueError, match="status"):
        sdk.assets.get_asset(silent.id)  # the SDK's enumeration is older than this status


def test_before_november_2026_they_were_errored(
    sim: Simulator, sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    control.set_switch("captions_without_audio", "errored")
    silent = Asset(sim, sdk, captions={"language_code": "en"}, audio=False)
    assert [one["status"] for one in silent.tracks("text")] == ["errored"]
    assert receiver.types[-1] == "video.asset.track.errored"
    assert sdk.assets.get_asset(silent.id).data.status == "ready"


def test_speech_is_recognised_in_twenty_two_languages(sim: Simulator, sdk: Sdk, asset: Asset) -> None:
    assert len(set(LANGUAGES)) == 22
    allowed = mux_python.AssetGeneratedSubtitleSettings
    for language in LANGUAGES:
        assert allowed(language_code=language).language_code == language, "the SDK knows the same"
    [audio] = asset.tracks("audio")
    path = f"/tracks/{audio['id']}/generate-subtitles"
    made = asset.ask("POST", path, {"generated_subtitles": [{"language_code": one} for one in ("de", "bg")]})
    assert made.status == 201
    assert [one["language_code"] for one in made.body["data"]] == ["de", "bg"]
    for wrong in ("zh", "en-GB", "AUTO", ""):
        refused = asset.ask("POST", path, {"generated_subtitles": [{"language_code": wrong}]})
        assert refused.status == 400, wrong
        inputs = {"inputs": [{"generated_subtitles": [{"language_code": wrong}]}]}
        body = {"cors_origin": "*", "new_asset_settings": inputs}
        assert call("POST", sim.url + "/video/v1/uploads", body).status == 400


def test_auto_is_auto_until_the_language_is_found(
    sim: Simulator, sdk: Sdk, control: Control, receiver: Receiver, asset: Asset
) -> None:
    control.set_switch("detected_language", "pt")
    control.set_switch("processing_seconds", 40)
    [audio] = asset.tracks("audio")
    body = {"generated_subtitles": [{"language_code": "auto", "name": "Found out"}]}
    asset.ask("POST", f"/tracks/{audio['id']}/generate-subtitles", body)
    [waiting] = asset.tracks("text")
    assert (waiting["status"], waiting["language_code"]) == ("preparing", "auto")
    assert "auto_language_confidence" not in waiting
    control.advance_clock(11)
    assert control.flush_events()
    [found] = asset.tracks("text")
    assert (found["status"], found["language_code"], found["name"]) == ("ready", "pt", "Found out")
    assert 0 < found["auto_language_confidence"] <= 1
    told = receiver.of("video.asset.track.ready")[-1].body["data"]
    assert told == found | {"asset_id": asset.id}


def test_own_text_comes_by_its_address_only(asset: Asset) -> None:
    made = asset.ask("POST", "/tracks", TEXT | {"closed_captions": True, "passthrough": "p"})
    assert made.status == 201
    track = made.body["data"]
    assert {name: track[name] for name in ("text_source", "language_code", "closed_captions", "passthrough")} == {
        "text_source": "uploaded", "language_code": "en-GB", "closed_captions": True, "passthrough": "p",
    }  # fmt: skip
    wrong = (
        ("url", None), ("url", "file:///etc/passwd"), ("url", "WEBVTT"), ("type", None), ("type", "video"), ("text_type", "lyrics"),
        ("language_code", None), ("language_code", "not a code"), ("closed_captions", "yes"),
    )  # fmt: skip
    answers = {one: asset.ask("POST", "/tracks", TEXT | dict([one])).status for one in wrong}
    assert answers == dict.fromkeys(wrong, 400)


VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\nGrüezi\nmitenand\n\n00:02.000 --> 00:04.000\nAdieu\n"


class TextServer(BaseHTTPRequestHandler):
    """Answers every GET with what `texts` has for its path, else 404."""

    texts: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        body = self.texts.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        """Not into the output of the tests."""


@pytest.fixture
def texts() -> Iterator[str]:
    TextServer.texts = {
        "/own.vtt": VTT.encode(), "/page.vtt": b"<html>", "/latin.vtt": "WEBVTT\n\n00:00 --> é".encode("latin-1"),
    }  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), TextServer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_own_text_is_fetched_and_played_as_it_came(asset: Asset, texts: str, receiver: Receiver) -> None:
    made = asset.ask("POST", "/tracks", TEXT | {"url": f"{texts}/own.vtt"}).body["data"]
    assert made["status"] == "preparing"
    assert asset.control.flush_events()
    [track] = asset.tracks("text")
    assert (track["status"], "url" in track) == ("ready", False)
    assert receiver.types[-2:] == ["video.asset.track.created", "video.asset.track.ready"]
    playback = asset.control.asset(asset.id)["playback_ids"][0]["id"]
    base = f"{asset.url.split('/video/')[0]}/{playback}/text/{track['id']}"
    assert call("GET", base + ".vtt", token=None).raw.decode() == VTT
    assert call("GET", base + ".txt", token=None).raw.decode() == "Grüezi mitenand Adieu"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/none.vtt", "could not be downloaded (404)"),
        ("/page.vtt", "not a valid WebVTT file"),
        ("/latin.vtt", "not a valid text file"),
        (":1/unreachable.vtt", "could not be downloaded"),
    ],
)
def test_own_text_that_cannot_be_had_ends_with_an_error(
    asset: Asset, texts: str, receiver: Receiver, path: str, words: str
) -> None:
    address = f"http://127.0.0.1{path}" if path.startswith(":") else texts + path
    asset.ask("POST", "/tracks", TEXT | {"url": address})
    assert asset.control.flush_events()
    [track] = asset.tracks("text")
    assert track["status"] == "errored"
    assert words in track["error"]["messages"][0]
    assert receiver.types[-1] == "video.asset.track.errored"


def test_generated_captions_fail_where_they_are_to(asset: Asset, receiver: Receiver) -> None:
    asset.control.set_switch("generated_captions", "errored")
    [audio] = asset.tracks("audio")
    asset.ask(
        "POST",
        f"/tracks/{audio['id']}/generate-subtitles",
        {"generated_subtitles": [{"passthrough": "mine"}]},
    )
    assert asset.control.flush_events()
    [track] = asset.tracks("text")
    assert (track["status"], track["passthrough"]) == ("errored", "mine")
    assert asset.ask("DELETE", f"/tracks/{track['id']}").status == 204
    assert asset.control.flush_events()
    assert receiver.types[-2:] == ["video.asset.track.errored", "video.asset.track.deleted"]


def test_an_asset_that_is_not_ready_takes_no_text(sim: Simulator, control: Control) -> None:
    [waiting] = control.seed_assets(1, status="preparing")
    assert call("POST", f"{sim.url}/video/v1/assets/{waiting}/tracks", TEXT).status == 400


def test_a_track_that_comes_while_another_ends_undoes_nothing(
    sim: Simulator, asset: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is written into the whole asset: a call that read it before a timer ended would take that back."""
    tracks = sim.core.tracks
    [audio] = asset.tracks("audio")
    asset.control.set_switch("processing_seconds", 1000)
    wanted = {"generated_subtitles": [{"language_code": "de", "name": "Deutsch"}]}
    [made] = asset.ask("POST", f"/tracks/{audio['id']}/generate-subtitles", wanted).body["data"]
    ending = Thread(target=tracks.finish_caption, args=(asset.id, made["id"]))
    add = tracks.add_caption

    def add_late(*given: Any, **named: Any) -> Any:
        ending.start()
        ending.join(0.3)
        return add(*given, **named)

    monkeypatch.setattr(tracks, "add_caption", add_late)
    assert asset.ask("POST", "/tracks", TEXT).status == 201
    ending.join(10)
    assert [one["status"] for one in asset.tracks("text")] == ["ready", "preparing"]


def test_a_track_is_changed(sdk: Sdk, asset: Asset) -> None:
    track = asset.ask("POST", "/tracks", TEXT).body["data"]
    path = f"/tracks/{track['id']}"
    changes = {"language_code": "en-US", "name": "American", "passthrough": "mine", "closed_captions": True}
    answer = asset.ask("PATCH", path, changes)
    assert (answer.status, answer.body["data"] | changes) == (200, answer.body["data"])
    [shown] = [one for one in sdk.assets.get_asset(asset.id).data.tracks if one.type == "text"]
    assert (shown.name, shown.language_code, shown.passthrough, shown.closed_captions) == (
        "American", "en-US", "mine", True,
    )  # fmt: skip
    assert asset.ask("PATCH", path, {"passthrough": None}).body["data"].get("passthrough") is None
    assert asset.ask("PATCH", path, {}).body["data"]["name"] == "American"
    for wrong in ({"name": None}, {"language_code": "?"}, {"closed_captions": "yes"}, {"name": 5}):
        assert asset.ask("PATCH", path, wrong).status == 400, wrong
    [video] = asset.tracks("video")
    assert asset.ask("PATCH", f"/tracks/{video['id']}", {"closed_captions": True}).status == 400
    assert asset.ask("PATCH", f"/tracks/{'A' * 44}", {"name": "x"}).status == 404


def test_a_transcript_is_the_captions_without_times(sim: Simulator, sdk: Sdk) -> None:
    asset = Asset(sim, sdk, captions={"language_code": "en"}, duration=9)
    [track] = asset.tracks("text")
    playback = asset.control.asset(asset.id)["playback_ids"][0]["id"]
    base = f"{sim.url}/{playback}/text/{track['id']}"
    plain, timed = call("GET", base + ".txt", token=None), call("GET", base + ".vtt", token=None)
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    spoken = timed.raw.decode().split("\n\n")[1:]
    assert len(spoken) == 3
    assert plain.raw.decode() == " ".join(one.splitlines()[1] for one in spoken)


def test_the_moment_of_the_thumbnail(sdk: Sdk, asset: Asset, receiver: Receiver) -> None:
    assert asset.ask("PATCH", "", {"thumbnail_time": 1.5}).body["data"]["thumbnail_time"] == 1.5
    assert asset.ask("GET").body["data"]["thumbnail_time"] == 1.5
    wrong = (-1, 1e6, "1", True, 13)
    assert [asset.ask("PATCH", "", {"thumbnail_time": one}).status for one in wrong] == [400] * len(wrong)
    assert asset.ask("DELETE", "/thumbnail-time").status == 204
    assert "thumbnail_time" not in asset.ask("GET").body["data"]
    assert asset.ask("DELETE", "/thumbnail-time").status == 204
    asset.control.flush_events()
    assert receiver.types[-1] == "video.asset.updated"
    sdk.assets.delete_asset(asset.id)
    assert asset.ask("DELETE", "/thumbnail-time").status == 404
