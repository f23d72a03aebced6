"""Playback and pictures: public and signed, with the status codes that players expect."""

import base64
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from muxsim.client import Control
from muxsim.server import Simulator
from tests.muxsim.sdk import Reply, Sdk, call


class Viewer:
    """Assets to look at, a signing key, and requests with and without tokens."""

    def __init__(self, sim: Simulator) -> None:
        self.url, self.control = sim.url, Control(sim.url)
        key = self.control.create_signing_key()
        self.key_id, self.pem = key["id"], base64.b64decode(key["private_key"])
        sdk = Sdk(sim.url)
        upload = sdk.upload()
        sdk.uploads.create_direct_upload({"cors_origin": "*"})
        self.control.upload_file(upload.id)
        self.control.flush_events()
        self.asset_id = self.control.upload(upload.id)["asset_id"]
        self.public = self.control.asset(self.asset_id)["playback_ids"][0]["id"]
        self.signed = sdk.assets.create_asset_playback_id(self.asset_id, {"policy": "signed"}).data.id
        sdk.close()

    def token(
        self,
        subject: str | None = None,
        audience: str = "v",
        *,
        place: str = "claims",
        seconds: float = 60,
        **claims: Any,
    ) -> str:
        content = {
            "sub": subject or self.signed,
            "aud": audience,
            "exp": int(time.time() + seconds),
            **claims,
        }
        headers = {"kid": self.key_id} if place == "header" else {}
        if place == "claims":
            content.setdefault("kid", self.key_id)
        return jwt.encode(content, self.pem, algorithm="RS256", headers=headers)

    def get(self, path: str, **headers: str) -> Reply:
        return call("GET", self.url + path, token=None, headers=headers)


@pytest.fixture
def viewer(make_sim: Callable[..., Simulator]) -> Viewer:
    return Viewer(make_sim(ffmpeg=True))


def follow(viewer: Viewer, path: str) -> Reply:
    """The first segment, by way of the playlists, as a player goes."""
    answer = viewer.get(path)
    while answer.status == 200 and answer.raw.startswith(b"#EXTM3U"):
        path = next(line for line in answer.raw.decode().splitlines() if line and not line.startswith("#"))
        answer = viewer.get(path)
    return answer


def test_a_public_id_plays_and_is_open_to_every_origin(viewer: Viewer) -> None:
    manifest = viewer.get(f"/{viewer.public}.m3u8?redundant_streams=true")
    assert (manifest.status, manifest.headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
    assert manifest.headers["Access-Control-Allow-Origin"] == "*"
    assert b"RESOLUTION=160x90" in manifest.raw
    segment = follow(viewer, f"/{viewer.public}.m3u8")
    assert (segment.status, segment.headers["Content-Type"], segment.raw[0]) == (200, "video/mp2t", 0x47)


def test_segments_answer_ranges(viewer: Viewer) -> None:
    part = viewer.get(f"/{viewer.public}/media/00000.ts", Range="bytes=188-375")
    assert (part.status, len(part.raw), part.raw[0]) == (206, 188, 0x47)


@pytest.mark.parametrize("place", ["claims", "header"])
def test_a_signed_id_plays_with_its_token_all_the_way(viewer: Viewer, place: str) -> None:
    token = viewer.token(place=place)
    assert follow(viewer, f"/{viewer.signed}.m3u8?token={token}").status == 200
    assert viewer.get(f"/{viewer.signed}/media/00000.ts").status == 403


def test_tokens_that_do_not_fit(viewer: Viewer) -> None:
    stranger = jwt.encode(
        {"sub": viewer.signed, "aud": "v", "exp": int(time.time()) + 60, "kid": viewer.key_id},
        "x" * 32,
        algorithm="HS256",
    )
    unsigned = jwt.encode(
        {"sub": viewer.signed, "aud": "v", "exp": int(time.time()) + 60, "kid": viewer.key_id},
        None,
        algorithm="none",
    )  # type: ignore[arg-type]
    wrong = {
        "none": None, "empty": "", "rubbish": "abc.def.ghi", "other id": viewer.token("A" * 44), "expired": viewer.token(seconds=-1),
        "thumbnail's": viewer.token(audience="t"), "unknown key": viewer.token(kid="B" * 44), "no key": viewer.token(place="nowhere"),
        "other algorithm": stranger, "no signature": unsigned, "odd expiry": viewer.token(exp="soon"), "odd key": viewer.token(kid=["x"]),
    }  # fmt: skip
    answers = {
        name: viewer.get(f"/{viewer.signed}.m3u8" + ("" if token is None else f"?token={token}"))
        for name, token in wrong.items()
    }
    said = {name: (answer.status, answer.body["error"]["type"]) for name, answer in answers.items()}
    assert said == dict.fromkeys(wrong, (403, "forbidden"))


def test_status_codes(viewer: Viewer) -> None:
    control = viewer.control
    [waiting] = control.seed_assets(1, status="preparing")
    [failed] = control.seed_assets(1, status="errored")
    for asset_id in (waiting, failed):
        assert viewer.get(f"/{control.asset(asset_id)['playback_ids'][0]['id']}.m3u8").status == 412
    assert viewer.get(f"/{'A' * 44}.m3u8").status == 404
    assert viewer.get("/not-an-id.m3u8").status == 400
    assert viewer.get("/x/thumbnail.jpg").status == 400
    assert viewer.get(f"/{viewer.public}.m3u8?token={viewer.token(viewer.public)}").status == 400
    for status in (403, 404, 400):
        control.set_switch("public_token_status", status)
        assert viewer.get(f"/{viewer.public}/thumbnail.jpg?token=x").status == status
    assert viewer.get(f"/{viewer.signed}.m3u8?token={viewer.token()}&max_resolution=720p").status == 400
    assert viewer.get(f"/{viewer.public}/media/99999.ts").status == 404
    assert viewer.get(f"/{viewer.public}/media/..%2fsource.ts").status in (400, 404)
    control.delete_asset_in_dashboard(viewer.asset_id)
    assert viewer.get(f"/{viewer.public}.m3u8").status == 404


def test_a_deleted_signing_key_opens_nothing(viewer: Viewer) -> None:
    token = viewer.token()
    assert viewer.get(f"/{viewer.signed}.m3u8?token={token}").status == 200
    assert call("DELETE", f"{viewer.url}/system/v1/signing-keys/{viewer.key_id}").status == 204
    assert viewer.get(f"/{viewer.signed}.m3u8?token={token}").status == 403


def test_expiry_follows_the_real_clock_unless_switched(viewer: Viewer) -> None:
    token = viewer.token(seconds=60)
    viewer.control.advance_clock(3600)
    assert viewer.get(f"/{viewer.signed}.m3u8?token={token}").status == 200
    viewer.control.set_switch("tokens_follow_clock", True)
    assert viewer.get(f"/{viewer.signed}.m3u8?token={token}").status == 403


def test_each_kind_of_picture_needs_its_own_token(viewer: Viewer) -> None:
    paths = {"t": "thumbnail.jpg", "s": "storyboard.vtt", "g": "animated.gif"}
    opened = [
        (audience, other)
        for audience, path in paths.items()
        for other in ("v", "t", "s", "g")
        if viewer.get(f"/{viewer.signed}/{path}?token={viewer.token(audience=other)}").status == 200
    ]
    assert opened == [("t", "t"), ("s", "s"), ("g", "g")]
    wrong = viewer.get(f"/{viewer.signed}/thumbnail.jpg?token={viewer.token(audience='v')}")
    assert wrong.status == 403


def test_options_of_signed_pictures_are_claims(viewer: Viewer) -> None:
    token = viewer.token(audience="t", width="64", time=0.5)
    picture = viewer.get(f"/{viewer.signed}/thumbnail.png?token={token}")
    assert int.from_bytes(picture.raw[16:20], "big") == 64
    assert viewer.get(f"/{viewer.signed}/thumbnail.png?token={token}&width=99").status == 400


def test_thumbnails_by_size_time_and_fit(viewer: Viewer) -> None:
    def size(query: str) -> tuple[int, int]:
        raw = viewer.get(f"/{viewer.public}/thumbnail.png?{query}").raw
        return int.from_bytes(raw[16:20], "big"), int.from_bytes(raw[20:24], "big")

    assert size("") == (160, 90)
    assert size("width=80") == (80, 45)
    assert size("width=80&height=80&fit_mode=crop") == (80, 80)
    assert size("width=80&height=80&fit_mode=pad") == (80, 80)
    assert size("width=80&height=60&fit_mode=stretch") == (80, 60)
    early, late = (viewer.get(f"/{viewer.public}/thumbnail.jpg?time={at}").raw for at in (0, 1.5))
    assert early != late
    assert early[:3] == late[:3] == b"\xff\xd8\xff"
    assert viewer.get(f"/{viewer.public}/thumbnail.webp").raw[8:12] == b"WEBP"
    odd = ("width=-1", "width=x", "time=nan", "width=99999", "fit_mode=odd", "time=1e400")
    answers = {query: viewer.get(f"/{viewer.public}/thumbnail.jpg?{query}").status for query in odd}
    assert answers == dict.fromkeys(odd, 400)
    assert viewer.get(f"/{viewer.public}/thumbnail.exe").status == 404


def test_the_thumbnail_is_of_the_moment_that_was_chosen(viewer: Viewer) -> None:
    url = f"{viewer.url}/video/v1/assets/{viewer.asset_id}"
    usual = viewer.get(f"/{viewer.public}/thumbnail.jpg").raw
    assert call("PATCH", url, {"thumbnail_time": 0}).status == 200
    chosen = viewer.get(f"/{viewer.public}/thumbnail.jpg").raw
    assert chosen == viewer.get(f"/{viewer.public}/thumbnail.jpg?time=0").raw != usual
    assert call("DELETE", url + "/thumbnail-time").status == 204
    assert viewer.get(f"/{viewer.public}/thumbnail.jpg").raw == usual


def test_storyboard_and_animated(viewer: Viewer) -> None:
    cues = viewer.get(f"/{viewer.public}/storyboard.vtt").raw.decode()
    assert cues.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.")
    assert f"{viewer.url}/{viewer.public}/storyboard.jpg#xywh=0,0,256,144" in cues
    sheet = viewer.get(f"/{viewer.public}/storyboard.json").body
    assert (sheet["tile_width"], sheet["tile_height"], len(sheet["tiles"])) == (256, 144, 2)
    assert viewer.get(f"/{viewer.public}/storyboard.jpg").headers["Content-Type"] == "image/jpeg"
    assert viewer.get(f"/{viewer.public}/animated.gif?start=0&end=1").raw[:3] == b"GIF"
    assert viewer.get(f"/{viewer.public}/animated.gif?start=0&end=20").status == 400


def test_playback_restrictions_bind_tokens(viewer: Viewer) -> None:
    viewer.control.set_switch("rate_limits", False)
    rules = {"referrer": {"allowed_domains": ["*.example.com"], "allow_no_referrer": False}}
    made = call("POST", f"{viewer.url}/video/v1/playback-restrictions", rules).body["data"]
    token = viewer.token(playback_restriction_id=made["id"])
    path = f"/{viewer.signed}.m3u8?token={token}"
    assert viewer.get(path, Referer="https://www.example.com/a").status == 200
    assert viewer.get(path, Referer="https://www.evil.com/a").status == 403
    assert viewer.get(path).status == 403


def test_playing_is_counted(viewer: Viewer) -> None:
    follow(viewer, f"/{viewer.public}.m3u8")
    now = int(viewer.control.advance_clock(15 * 3600))
    reports = call(
        "GET", f"{viewer.url}/video/v1/delivery-usage?timeframe[]={now - 86400}&timeframe[]={now}"
    ).body["data"]
    assert [one["asset_id"] for one in reports] == [viewer.asset_id]
    assert 1.5 < reports[0]["delivered_seconds"] < 2.5


def test_without_a_file_the_built_in_picture_plays(sim: Simulator, sdk: Sdk, control: Control) -> None:
    asset = control.complete_upload(sdk.upload().id, duration=5)
    control.flush_events()
    base = f"{sim.url}/{asset['playback_ids'][0]['id']}"
    playlist = call("GET", base + "/media/video.m3u8", token=None)
    assert playlist.raw.count(b"#EXTINF:2.000,") == 3
    assert playlist.headers["X-Muxsim-Picture"].startswith("built-in")
    assert call("GET", base + "/media/00001.ts", token=None).raw[0] == 0x47
    picture = call("GET", base + "/thumbnail.jpg", token=None)
    assert (picture.raw[:3], "X-Muxsim-Picture" in picture.headers) == (b"\xff\xd8\xff", True)


@pytest.mark.parametrize("status", [403, 404, 412, 502])
def test_faults_of_playback(viewer: Viewer, status: int) -> None:
    viewer.control.fault("playback", "status", status=status, times=1, match={"operation": "manifest"})
    assert [viewer.get(f"/{viewer.public}.m3u8").status for _ in range(2)] == [status, 200]
    assert viewer.control.calls(target="playback")[0]["fault"] == "status"
