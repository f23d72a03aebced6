"""The controls: for this machine and the simulator's own page only; bulk rows; the page's walls."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from muxsim.client import Control, ControlError
from muxsim.server import Simulator
from muxsim.switches import SWITCHES
from tests.muxsim.sdk import Sdk, call

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:80"}, 403),
        ({"Host": "localhost:1234"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_who_may_use_the_controls(sim: Simulator, headers: dict[str, str], status: int) -> None:
    answer = call("POST", sim.url + "/_sim/api/clock", b'{"advance": 1}', token=None, headers=JSON | headers)
    assert answer.status == status
    assert "Access-Control-Allow-Origin" not in answer.headers
    if status == 403:
        assert answer.body["error"]["type"] == "forbidden"
        assert Control(sim.url).state()["clock"]["ahead"] < 0.9


def test_reading_is_guarded_as_well(sim: Simulator) -> None:
    for path in ("/_sim", "/_sim/api/state", "/"):
        assert call("GET", sim.url + path, token=None, headers={"Host": "evil.example"}).status == 403
        assert call("GET", sim.url + path, token=None).status in (200, 302)


def test_a_stranger_on_the_network_is_refused(sim: Simulator) -> None:
    from muxsim.web import create_app

    client = create_app(sim.core).test_client()
    for path in ("/_sim", "/_sim/api/state"):
        answer = client.get(path, environ_base={"REMOTE_ADDR": "192.0.2.7"}, headers={"Host": "127.0.0.1"})
        assert answer.status_code == 403
        assert client.get(path, headers={"Host": "127.0.0.1"}).status_code == 200


def test_it_listens_on_loopback_only(sim: Simulator) -> None:
    assert sim._server is not None
    assert sim._server.server_address[0] == "127.0.0.1"


def test_the_page_allows_no_inline_script(sim: Simulator) -> None:
    answer = call("GET", sim.url + "/_sim", token=None)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = answer.raw.decode()
    assert " on" + "click" not in text
    assert "<style" not in text
    assert "style=" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_a_hundred_thousand_assets_in_seconds(sdk: Sdk, control: Control) -> None:
    began = time.process_time()  # not by the wall clock: the machine may be busy with other tests
    ids = control.seed_assets(
        100_000, passthrough="p{n}", age_seconds=86400, spread_seconds=86400, duration=90.5, policy="signed"
    )
    assert time.process_time() - began < 15
    assert len(set(ids)) == 100_000
    assert control.state()["counts"]["assets"] == 100_000
    newest = sdk.assets.list_assets(limit=100)
    assert [one.id for one in newest.data] == ids[:-101:-1]
    assert (newest.data[0].passthrough, newest.data[0].duration, newest.data[0].playback_ids[0].policy) == (
        "p99999",
        90.5,
        "signed",
    )
    assert control.events() == []


def test_seeding_with_given_values(sdk: Sdk, control: Control) -> None:
    options: list[dict[str, Any]] = [
        {
            "id": "Z" * 44,
            "playback_id": "Y" * 44,
            "upload_id": "X" * 44,
            "policy": "signed",
            "created_at": 1_700_000_000,
        },
        {"status": "errored", "message": "broken", "meta": {"title": "T"}, "test": True, "policy": None},
        {"status": "preparing"},
    ]
    first, second, third = (sdk.assets.get_asset(one).data for one in control.seed_each(options))
    assert (first.id, first.playback_ids[0].id, first.upload_id, first.created_at) == (
        "Z" * 44,
        "Y" * 44,
        "X" * 44,
        "1700000000",
    )
    assert (second.status, second.errors.messages, second.meta.title, second.test, second.playback_ids) == (
        "errored",
        ["broken"],
        "T",
        True,
        None,
    )
    assert (third.status, third.duration) == ("preparing", None)


def refusal(act: Callable[..., object], *given: Any, **named: Any) -> int | None:
    """The status that a control answers with, or None if it did what was asked."""
    try:
        act(*given, **named)
    except ControlError as error:
        return error.status
    return None


def test_seeding_takes_only_what_an_asset_can_be(control: Control) -> None:
    wrong: list[dict[str, Any]] = [{"status": "odd"}, {"created_at": "x"}, {"count": 0}, {"policy": "odd"}]
    refused = [refusal(control.seed_assets, **{"count": 1, **one}) for one in wrong]
    assert refused == [400] * len(wrong)


def test_switches_take_only_what_they_can_be(control: Control) -> None:
    wrong = [
        ("nonsense", 1),
        ("free_plan", 1),
        ("bad_id_status", True),
        ("retry_after", "never"),
        ("retry_seconds", -1),
        ("retry_seconds", "5"),
    ]
    assert [refusal(control.set_switch, *one) for one in wrong] == [400] * len(wrong)
    choices = [(name, choice) for name, switch in SWITCHES.items() for choice in switch.choices]
    assert len(choices) > 10
    kept = []
    for name, choice in choices:
        control.set_switch(name, choice)
        kept.append((name, control.state()["switches"][name]))
    assert kept == choices


def test_controls_of_what_is_not_there(control: Control) -> None:
    answers = {
        "ready": refusal(control.set_asset_ready, "A" * 44),
        "timed out": refusal(control.time_out_upload, "A" * 44),
        "sent again": refusal(control.send_again, "x"),
        "sent": refusal(control.send_event, "video.asset.ready", asset_id="A" * 44),
        "upload": refusal(control.upload, "nothing"),
        "secret": refusal(control.rotate_secret, "x"),
    }
    assert answers == dict.fromkeys(answers, 404)


def test_ending_an_upload_twice(sdk: Sdk, control: Control) -> None:
    upload = sdk.upload()
    control.complete_upload(upload.id)
    with pytest.raises(ControlError) as over:
        control.complete_upload(upload.id)
    assert over.value.status == 409
