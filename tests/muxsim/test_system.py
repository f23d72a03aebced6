"""What a token is told about itself, what it may do, and the webhook endpoints that it manages."""

import re
from collections.abc import Callable
from datetime import datetime

import mux_python
import pytest

from muxsim.client import Control, ControlError
from muxsim.options import PERMISSIONS
from muxsim.server import Simulator
from tests.muxsim.receiver import Receiver
from tests.muxsim.sdk import LOW_TOKEN, TOKEN, Reply, Sdk, call

UNAUTHORIZED = {"error": {"type": "unauthorized", "messages": ["Unauthorized request"]}}


def whoami(sim: Simulator, token: tuple[str, ...] = TOKEN) -> Reply:
    return call("GET", sim.url + "/system/v1/whoami", token=token)


def test_a_token_learns_who_it_is(sim: Simulator, sdk: Sdk, control: Control, receiver: Receiver) -> None:
    sdk.upload()
    assert control.flush_events()
    answer = whoami(sim, LOW_TOKEN)
    assert answer.status == 200
    told = answer.body["data"]
    assert (told["environment_name"], told["environment_type"]) == ("Development", "development")
    assert told["environment_id"] == receiver.got[0].body["environment"]["id"]
    assert (told["access_token_name"], told["permissions"]) == ("worker-token", list(PERMISSIONS))
    assert told["organization_id"]
    assert told["organization_name"]


def test_two_environments_are_told_apart(make_sim: Callable[..., Simulator]) -> None:
    live = ("live", "secret", "high", "Production")
    sim = make_sim(tokens=[TOKEN, live])
    here, there = whoami(sim).body["data"], whoami(sim, live).body["data"]
    assert here["environment_id"] != there["environment_id"]
    assert (there["environment_name"], there["environment_type"]) == ("Production", "production")


def test_whoami_needs_no_permission_but_a_token(sim: Simulator, control: Control) -> None:
    control.set_permissions("web-token", [])
    assert whoami(sim).body["data"]["permissions"] == []
    assert whoami(sim, ("web-token", "wrong")).status == 401
    control.reset()
    assert whoami(sim).body["data"]["permissions"] == list(PERMISSIONS)


@pytest.mark.parametrize(
    ("held", "method", "path", "may"),
    [
        ("video:read", "GET", "/video/v1/assets", True),
        ("video:read", "POST", "/video/v1/uploads", False),
        ("video:write", "POST", "/video/v1/uploads", True),
        ("video:write", "GET", "/video/v1/assets", False),
        ("video:write", "GET", "/system/v1/signing-keys", False),
        ("system:read", "GET", "/system/v1/signing-keys", True),
        ("system:read", "POST", "/system/v1/signing-keys", False),
        ("system:write", "POST", "/system/v1/webhooks", True),
    ],
)
def test_a_missing_permission_is_a_401_like_a_wrong_secret(
    sim: Simulator, control: Control, held: str, method: str, path: str, may: bool
) -> None:
    control.set_permissions("web-token", [held])
    body = {"cors_origin": "*", "address": "https://x.example/hook"} if method == "POST" else None
    answer = call(method, sim.url + path, body)
    if may:
        assert answer.status in (200, 201)
    else:
        assert (answer.status, answer.body) == (401, UNAUTHORIZED)
        assert call(method, sim.url + path, body, token=LOW_TOKEN).status in (200, 201)


def test_the_system_permission_is_a_switch_too(sim: Simulator, sdk: Sdk, control: Control) -> None:
    control.set_switch("system_permission", False)
    with pytest.raises(mux_python.exceptions.UnauthorizedException):
        sdk.keys.list_signing_keys()
    assert whoami(sim).body["data"]["permissions"] == [
        one for one in PERMISSIONS if not one.startswith("system:")
    ]


def test_permissions_that_do_not_exist(control: Control) -> None:
    for token_id, wanted, status in (("web-token", ["video:all"], 400), ("nobody", [], 404)):
        with pytest.raises(ControlError) as refused:
            control.set_permissions(token_id, wanted)
        assert refused.value.status == status


@pytest.mark.parametrize(("token", "size", "refill"), [(TOKEN, 100, 5), (LOW_TOKEN, 20, 1)])
def test_reading_has_a_bucket_of_its_own_and_an_answer_of_another_shape(
    make_sim: Callable[..., Simulator], token: tuple[str, ...], size: int, refill: int
) -> None:
    sim = make_sim(rate_limits=True)
    control = Control(sim.url)
    for _ in range(size + 10 * refill):
        answer = call("GET", sim.url + "/video/v1/assets", token=token)
        if answer.status == 429:
            break
    assert (answer.status, answer.body) == (429, {"errors": ["Too many requests, retry later."]})
    assert "Retry-After" not in answer.headers
    assert answer.headers["X-RateLimit-Limit"] == str(size)
    control.advance_clock(3)
    again = call("GET", sim.url + "/video/v1/assets", token=token)
    assert again.status == 200
    assert 3 * refill - 1 <= int(again.headers["X-RateLimit-Remaining"]) <= 6 * refill


def test_a_webhook_endpoint_from_beginning_to_end(
    sim: Simulator, sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    base, address = sim.url + "/system/v1/webhooks", receiver.url + "?new=1"
    made = call("POST", base, {"address": address})
    assert made.status == 201
    endpoint = made.body["data"]
    secret = endpoint.pop("signing_secret")
    assert re.fullmatch(r"[a-z0-9]{32}", secret)
    assert (endpoint["address"], endpoint["enabled"]) == (address, True)
    assert datetime.fromisoformat(endpoint["created_at"]).tzinfo is not None
    assert set(endpoint) == {"id", "address", "enabled", "created_at"}
    one = f"{base}/{endpoint['id']}"
    assert call("GET", one).body == {"data": endpoint}
    listed = call("GET", base).body["data"]
    assert endpoint in listed
    assert len(listed) == 2
    sdk.upload()
    assert control.flush_events()
    assert sorted(got.signed_with(secret) for got in receiver.got) == [False, True]

    off = call("PATCH", one, {"enabled": False}).body["data"]
    assert off == endpoint | {"enabled": False}
    sdk.upload()
    assert control.flush_events()
    assert [got.signed_with(secret) for got in receiver.got[2:]] == [False]

    moved = call("PATCH", one, {"address": address + "&more", "enabled": True}).body["data"]
    assert moved == endpoint | {"address": address + "&more"}
    sdk.upload()
    assert control.flush_events()
    assert sorted(got.signed_with(secret) for got in receiver.got[3:]) == [False, True]

    assert call("DELETE", one).status == 204
    for method in ("GET", "PATCH", "DELETE"):
        assert call(method, one, {} if method == "PATCH" else None).status == 404


def test_webhook_addresses_are_unique_and_real(sim: Simulator, receiver: Receiver) -> None:
    base = sim.url + "/system/v1/webhooks"
    for body in ({"address": receiver.url}, {"address": "ftp://x.example"}, {"url": "https://x.example"}, {}):
        answer = call("POST", base, body)
        assert (answer.status, answer.body["error"]["type"]) == (400, "invalid_parameters"), body
    second = call("POST", base, {"address": "https://x.example/hook"}).body["data"]["id"]
    assert call("PATCH", f"{base}/{second}", {"address": receiver.url}).status == 400
    assert call("PATCH", f"{base}/{second}", {"enabled": "no"}).status == 400


def test_an_event_on_its_way_to_an_endpoint_that_is_switched_off_goes_nowhere(
    sim: Simulator, sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    receiver.usual = 503
    [endpoint] = call("GET", sim.url + "/system/v1/webhooks").body["data"]
    sdk.upload()
    receiver.wait(1)
    call("PATCH", f"{sim.url}/system/v1/webhooks/{endpoint['id']}", {"enabled": False})
    control.advance_clock(60)
    assert control.flush_events()
    seen = len(receiver.got)
    control.advance_clock(86_400)
    assert control.flush_events()
    assert len(receiver.got) == seen
    assert [one["status"] for one in control.events()[0]["deliveries"]] == ["dropped"]
