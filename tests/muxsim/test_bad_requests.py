"""Whatever is sent: Mux's error shape, a sensible status, never a 500 and never a broken simulator."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muxsim.client import Control
from muxsim.server import Simulator
from muxsim.web import create_app
from tests.muxsim.sdk import TOKEN

FINE = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def lasting() -> Iterator[Simulator]:
    with Simulator(tokens=[TOKEN], processing_seconds=0.0, rate_limits=False) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def client(lasting: Simulator) -> Any:
    """Straight into the application: thousands of requests in seconds."""
    return create_app(lasting.core).test_client()


@pytest.fixture(scope="module")
def known(lasting: Simulator) -> dict[str, str]:
    control = Control(lasting.url)
    [asset_id] = control.seed_assets(1)
    playback = control.asset(asset_id)["playback_ids"][0]["id"]
    return {"asset": asset_id, "playback": playback, "nobody": "A" * 44}


text = st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | text
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
SETTINGS = (
    "playback_policy", "playback_policies", "advanced_playback_policies", "passthrough", "video_quality", "encoding_tier", "meta", "test",
    "max_resolution_tier", "inputs", "static_renditions", "mp4_support", "master_access", "normalize_audio", "generated_subtitles",
)  # fmt: skip
NAMES = (
    *SETTINGS, "cors_origin", "timeout", "new_asset_settings", "input", "policy", "referrer", "user_agent", "url", "type",
    "language_code", "name", "title", "external_id", "allowed_domains", "allow_no_referrer", "resolution", "address", "enabled", "closed_captions",
    "thumbnail_time", "text_type",
)  # fmt: skip
half_right = st.dictionaries(
    st.sampled_from(NAMES),
    anything | st.dictionaries(st.sampled_from(NAMES), anything, max_size=3),
    max_size=5,
)
PATHS = (
    "/video/v1/uploads", "/video/v1/uploads/{id}", "/video/v1/uploads/{id}/cancel", "/video/v1/assets", "/video/v1/assets/{id}",
    "/video/v1/assets/{id}/playback-ids", "/video/v1/assets/{id}/playback-ids/{id}", "/video/v1/assets/{id}/tracks",
    "/video/v1/assets/{id}/tracks/{id}", "/video/v1/assets/{id}/tracks/{id}/generate-subtitles", "/video/v1/assets/{id}/master-access",
    "/video/v1/assets/{id}/mp4-support", "/video/v1/assets/{id}/input-info", "/video/v1/playback-ids/{id}", "/video/v1/delivery-usage",
    "/video/v1/playback-restrictions", "/video/v1/playback-restrictions/{id}", "/video/v1/playback-restrictions/{id}/referrer",
    "/video/v1/playback-restrictions/{id}/user_agent", "/system/v1/webhooks", "/system/v1/webhooks/{id}",
    "/system/v1/whoami", "/data/v1/{id}", "/data/v1/metrics/views/breakdown", "/video/v1/assets/{id}/thumbnail-time",
    "/system/v1/signing-keys/{id}", "/video/v1/nothing/{id}", "/system", "/video/{id}",
)  # fmt: skip
QUERY = (
    "limit",
    "page",
    "cursor",
    "upload_id",
    "live_stream_id",
    "asset_id",
    "timeframe[]",
    "token",
    "time",
    "width",
    "height",
    "fps",
    "fit_mode",
    "group_by",
    "order_by",
)
ids = st.sampled_from(["asset", "playback", "nobody"]) | text
queries = st.lists(st.tuples(st.sampled_from(QUERY), text | st.integers().map(str)), max_size=4)


def check(answer: Any) -> None:
    assert answer.status_code < 500, answer.get_data(as_text=True)[:2000]
    if answer.status_code >= 400:
        error = json.loads(answer.get_data())["error"]
        assert isinstance(error["type"], str)
        assert error["messages"]
        assert all(isinstance(one, str) for one in error["messages"])
    elif answer.status_code in (200, 201) and answer.mimetype == "application/json":
        assert "data" in json.loads(answer.get_data())


def spelled(path: str, names: list[str], known: dict[str, str]) -> str:
    for name in names:
        path = path.replace("{id}", quote(known.get(name, name), safe="", errors="replace") or "-", 1)
    return path


@FINE
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    path=st.sampled_from(PATHS),
    names=st.lists(ids, min_size=2, max_size=2),
    query=queries,
    body=half_right | anything,
)
def test_the_api(
    client: Any,
    known: dict[str, str],
    method: str,
    path: str,
    names: list[str],
    query: list[tuple[str, str]],
    body: Any,
) -> None:
    check(
        client.open(
            spelled(path, names, known),
            method=method,
            query_string=query,
            data=json.dumps(body),
            content_type="application/json",
            auth=TOKEN[:2],
        )
    )


@FINE
@given(settings=half_right, rest=half_right)
def test_creating_uploads_with_settings_of_all_sorts(
    client: Any, settings: dict[str, Any], rest: dict[str, Any]
) -> None:
    body = {**rest, "cors_origin": "*", "new_asset_settings": settings}
    check(client.post("/video/v1/uploads", data=json.dumps(body), auth=TOKEN[:2]))


@FINE
@given(
    raw=st.binary(max_size=200),
    kind=st.sampled_from(["application/json", "text/plain", "multipart/form-data", ""]),
)
def test_bodies_that_are_not_json(client: Any, raw: bytes, kind: str) -> None:
    for path in ("/video/v1/uploads", "/video/v1/playback-restrictions", "/system/v1/webhooks"):
        check(client.post(path, data=raw, content_type=kind, auth=TOKEN[:2]))


@FINE
@given(authorization=text | st.binary(max_size=30).map(lambda raw: "Basic " + raw.decode("latin-1")))
def test_authorization_headers(client: Any, authorization: str) -> None:
    clean = "".join(letter for letter in authorization if letter not in "\r\n" and ord(letter) < 256)
    check(client.get("/video/v1/assets", headers={"Authorization": clean}))


PLAYBACK = (
    "/{id}.m3u8", "/{id}/media/video.m3u8", "/{id}/media/{id}.ts", "/{id}/text/{id}.vtt", "/{id}/thumbnail.jpg", "/{id}/animated.gif",
    "/{id}/storyboard.vtt", "/{id}/storyboard.json", "/{id}/thumbnail.{id}", "/upload/{id}", "/{id}",
)  # fmt: skip


@FINE
@given(path=st.sampled_from(PLAYBACK), names=st.lists(ids, min_size=2, max_size=2), query=queries)
def test_playback(
    client: Any, known: dict[str, str], path: str, names: list[str], query: list[tuple[str, str]]
) -> None:
    with client.get(spelled(path, names, known), query_string=query) as answer:
        assert answer.status_code < 500, answer.get_data(as_text=True)[:2000]
        if answer.status_code >= 400:
            assert set(json.loads(answer.get_data())["error"]) == {"type", "messages"}


@FINE
@given(
    content_range=text | st.sampled_from(["bytes 0-1/2", "bytes 0-0/1", "bytes */5", "bytes 9-1/3"]),
    body=st.binary(max_size=50),
    token=text,
)
def test_upload_requests(
    client: Any, lasting: Simulator, content_range: str, body: bytes, token: str
) -> None:
    clean = "".join(letter for letter in content_range if letter not in "\r\n" and ord(letter) < 256)
    upload = client.post("/video/v1/uploads", data=b'{"cors_origin": "*"}', auth=TOKEN[:2]).get_json()["data"]
    for url in (
        urlsplit(upload["url"]),
        urlsplit(f"/upload/{upload['id']}?token={quote(token, errors='replace')}"),
    ):
        answer = client.put(url.path, query_string=url.query, data=body, headers={"Content-Range": clean})
        assert answer.status_code in (200, 308, 400, 403, 404, 410), answer.get_data()


@pytest.mark.parametrize(
    "value", [[], {}, "x", True, 10**400], ids=["list", "object", "text", "flag", "huge"]
)
@pytest.mark.parametrize(
    ("path", "name"),
    [("/seed", "spread_seconds"), ("/seed", "age_seconds"), ("/seed", "duration"), ("/flush", "timeout")],
)
def test_a_number_is_a_number(client: Any, path: str, name: str, value: Any) -> None:
    body = {"count": 1, "spread_seconds": 5, name: value}
    answer = client.post("/_sim/api" + path, json=body, headers={"Host": "127.0.0.1"})
    assert answer.status_code == 400, answer.get_data()


CONTROLS = (
    "/clock", "/switches", "/faults", "/events", "/endpoints", "/seed", "/played", "/flush", "/uploads/{id}/complete", "/assets/{id}/error",
    "/assets/{id}/nonsense", "/events/{id}/again", "/signing-keyz", "/viewed", "/tokens/{id}",
)  # fmt: skip
CONTROL_NAMES = (
    "advance", "target", "kind", "match", "times", "share", "params", "type", "asset_id", "upload_id", "foreign", "data", "url", "secret",
    "count", "assets", "status", "created_at", "age_seconds", "spread_seconds", "duration", "policy", "seconds", "at", "timeout", "messages",
    "processing_seconds", "hold_processing", "passthrough", "views", "permissions",
)  # fmt: skip
SMALL = {"count": st.integers(-2, 5), "timeout": st.floats(0.001, 0.01)}


@FINE
@given(
    path=st.sampled_from(CONTROLS),
    names=st.lists(ids, min_size=1, max_size=1),
    body=st.dictionaries(st.sampled_from(CONTROL_NAMES), anything, max_size=6),
    count=SMALL["count"],
    timeout=SMALL["timeout"],
)
def test_controls(
    client: Any,
    known: dict[str, str],
    path: str,
    names: list[str],
    body: dict[str, Any],
    count: int,
    timeout: float,
) -> None:
    body |= {
        name: value
        for name, value in {"count": count, "timeout": timeout}.items()
        if name in body or path == "/flush"
    }
    client.delete("/_sim/api/faults", headers={"Host": "127.0.0.1"})
    answer = client.post(
        "/_sim/api" + spelled(path, names, known),
        data=json.dumps(body),
        content_type="application/json",
        headers={"Host": "127.0.0.1"},
    )
    assert answer.status_code < 500, answer.get_data(as_text=True)[:2000]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /video/v1/assets HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ////\r\n\r\n",
        b"POST /video/v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /video/v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"PUT /upload/x?token=%00%ff HTTP/1.1\r\nHost: x\r\nContent-Range: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"GET /%ff%00%c3.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //video//v1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW /video/v1/assets HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /video/v1/assets?limit=%00 HTTP/1.1\r\nHost: [\r\n\r\n",
    ],
)
def test_raw_requests_over_the_wire(lasting: Simulator, raw: bytes) -> None:
    place = urlsplit(lasting.url)
    line = http.client.HTTPConnection(place.hostname or "", place.port or 0, timeout=5)
    line.connect()
    line.sock.sendall(raw)
    answer = http.client.HTTPResponse(line.sock)
    answer.begin()
    assert 400 <= answer.status < 500
    assert set(json.loads(answer.read())["error"]) == {"type", "messages"}
    line.close()


def test_a_body_that_is_too_large(client: Any) -> None:
    answer = client.post("/video/v1/uploads", data=b'{"x": "' + b"a" * 1_200_000 + b'"}', auth=TOKEN[:2])
    assert answer.status_code == 413
    deep = client.post("/video/v1/uploads", data=b'{"meta":' * 5000 + b"1" + b"}" * 5000, auth=TOKEN[:2])
    assert deep.status_code == 400
