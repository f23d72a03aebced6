"""Each fault of the API as a client of the SDK meets it."""

import json
import threading
import time
from typing import Any

import mux_python
import pytest
import urllib3

from muxsim.client import Control, ControlError
from muxsim.server import Simulator
from tests.muxsim.sdk import Sdk, call


@pytest.fixture
def asset_id(control: Control) -> str:
    return control.seed_assets(1)[0]


def test_status_with_body_and_retry_after(sdk: Sdk, control: Control, asset_id: str) -> None:
    control.fault(
        "api",
        "status",
        match={"operation": "get_asset"},
        times=1,
        status=503,
        messages=["down"],
        retry_after=7,
    )
    with pytest.raises(mux_python.exceptions.ServiceException) as down:
        sdk.assets.get_asset(asset_id)
    assert (down.value.status, down.value.headers["Retry-After"]) == (503, "7")
    assert json.loads(down.value.body) == {"error": {"type": "service_unavailable", "messages": ["down"]}}
    assert sdk.assets.get_asset(asset_id).data.id == asset_id


@pytest.mark.parametrize("retry_after", [None, 3])
def test_rate_limited(sdk: Sdk, control: Control, retry_after: int | None) -> None:
    more: dict[str, Any] = {} if retry_after is None else {"retry_after": retry_after}
    control.fault("api", "rate_limited", times=2, **more)
    for _ in range(2):
        with pytest.raises(mux_python.ApiException) as limited:
            sdk.assets.list_assets()
        assert limited.value.status == 429
        assert limited.value.headers.get("Retry-After") == (None if retry_after is None else "3")
        assert limited.value.headers["X-RateLimit-Remaining"] == "0"
        assert json.loads(limited.value.body) == {"errors": ["Too many requests, retry later."]}
    assert sdk.assets.list_assets().data == []


def test_hang_and_slow(sdk: Sdk, control: Control) -> None:
    control.fault("api", "hang", times=1, seconds=20)
    began = time.monotonic()
    with pytest.raises(urllib3.exceptions.MaxRetryError):
        sdk.assets.list_assets(_request_timeout=0.3)
    assert 0.25 < time.monotonic() - began < 4
    control.fault("api", "slow", times=1, seconds=0.3)
    began = time.monotonic()
    assert sdk.assets.list_assets(_request_timeout=5).data == []
    assert time.monotonic() - began >= 0.3


def test_an_answer_drips(sdk: Sdk, control: Control, asset_id: str) -> None:
    """No wait for a piece of it is long; all of them are."""
    control.fault("api", "drip", times=1, seconds=0.002)
    began = time.monotonic()
    assert sdk.assets.get_asset(asset_id).data.id == asset_id
    assert time.monotonic() - began > 0.3
    began = time.monotonic()
    sdk.assets.get_asset(asset_id)
    assert time.monotonic() - began < 0.3


def test_clearing_the_faults_lets_a_slow_answer_go(sdk: Sdk, control: Control) -> None:
    control.fault("api", "slow", times=1, seconds=60)
    threading.Timer(0.3, control.clear_faults).start()
    assert sdk.assets.list_assets(_request_timeout=30).data == []


def test_a_hang_ends_in_a_reset(sim: Simulator, control: Control) -> None:
    control.fault("api", "hang", times=1, seconds=0.2)
    with pytest.raises(urllib3.exceptions.ProtocolError, match=r"reset|aborted|closed"):
        call("GET", sim.url + "/video/v1/assets")


def test_reset_before_and_after_the_work(sdk: Sdk, control: Control) -> None:
    body = {"cors_origin": "*"}
    control.fault("api", "reset", times=1)
    with pytest.raises(urllib3.exceptions.ProtocolError, match=r"reset|aborted"):
        sdk.uploads.create_direct_upload(body)
    assert control.uploads() == []
    control.fault("api", "reset", times=1, after=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        sdk.uploads.create_direct_upload(body)
    assert len(control.uploads()) == 1, "processed, and only the answer was lost"
    assert [(one["status"], one["fault"]) for one in control.calls(operation="create_upload")] == [
        (None, "reset")
    ] * 2


def test_html_and_other_bodies(sdk: Sdk, sim: Simulator, control: Control, asset_id: str) -> None:
    url = f"{sim.url}/video/v1/assets/{asset_id}"
    control.fault("api", "html", times=1, status=200)
    assert sdk.assets.get_asset(asset_id).data is None
    control.fault("api", "html", times=1)
    answer = call("GET", url)
    assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html")
    control.fault("api", "truncated_json", times=1)
    broken = call("GET", url)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(broken.raw)
    control.fault("api", "empty_body", times=1)
    assert call("GET", url).raw == b""
    control.fault("api", "not_utf8", times=1)
    with pytest.raises(UnicodeDecodeError):
        call("GET", url).raw.decode()
    control.fault("api", "cut_body", times=1)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        call("GET", url)
    control.fault("api", "missing_field", times=1, field="status")
    assert "status" not in call("GET", url).body["data"]
    assert call("GET", url).body["data"]["id"] == asset_id


def test_unknown_enum_value_raises_in_the_sdk(sdk: Sdk, control: Control, asset_id: str) -> None:
    control.fault("api", "unknown_enum", times=1)
    with pytest.raises(ValueError, match="status"):
        sdk.assets.list_assets()
    assert sdk.assets.list_assets().data[0].id == asset_id


def test_200_instead_of_201(sdk: Sdk, control: Control) -> None:
    control.fault("api", "wrong_status", times=1, match={"operation": "create_upload"}, status=200)
    assert sdk.uploads.create_direct_upload({"cors_origin": "*"}) is None
    assert len(control.uploads()) == 1


def test_match_skip_and_share(sdk: Sdk, sim: Simulator, control: Control, asset_id: str) -> None:
    control.fault(
        "api", "status", match={"operation": ["get_*"], "token_id": "web-token"}, skip=1, times=1, status=500
    )
    url = f"{sim.url}/video/v1/assets/{asset_id}"
    assert [call("GET", url).status for _ in range(3)] == [200, 500, 200]
    control.fault("api", "status", share=0.4, status=500)
    seen = [call("GET", url).status for _ in range(60)]
    assert 10 < seen.count(500) < 40
    control.clear_faults()
    assert control.state()["faults"] == []
    assert call("GET", url).status == 200


def test_calls_are_recorded_without_secrets(sdk: Sdk, control: Control, asset_id: str) -> None:
    upload = sdk.upload()
    control.upload_file(upload.id)
    sdk.assets.get_asset(asset_id)
    calls = control.calls()
    assert [
        (one["target"], one["operation"], one["method"], one["status"], one["token_id"]) for one in calls
    ] == [
        ("api", "create_upload", "POST", 201, "web-token"),
        ("upload", "put", "PUT", 200, None),
        ("api", "get_asset", "GET", 200, "web-token"),
    ]
    token = upload.url.split("token=")[1]
    assert token not in json.dumps(calls)
    assert control.calls(since=calls[1]["seq"]) == calls[2:]
    assert control.calls(operation="get_asset") == calls[2:]


@pytest.mark.parametrize(
    "rule",
    [
        {}, {"target": "moon", "kind": "status"}, {"target": "api", "kind": "drop"}, {"target": "api", "kind": "status", "times": 0},
        {"target": "api", "kind": "status", "share": 2}, {"target": "api", "kind": "status", "match": {"x": 1}},
        {"target": "api", "kind": "status", "extra": 1}, {"target": ["api"], "kind": "status"}, {"target": "api", "kind": "status", "params": []},
        {"target": "api", "kind": "status", "skip": -1}, {"target": "api", "kind": "status", "times": True},
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(control: Control, rule: dict[str, Any]) -> None:
    with pytest.raises(ControlError) as refused:
        control._ask("POST", "/faults", rule)
    assert refused.value.status == 400
    assert control.state()["faults"] == []
