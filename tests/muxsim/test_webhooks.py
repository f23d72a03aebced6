"""Webhooks: payloads in the shape that Mux sends them, signatures, retries, and each fault from the receiver's side."""

import itertools
import time
import uuid
from collections.abc import Callable
from datetime import datetime

import pytest

from muxsim.client import Control
from muxsim.server import Simulator
from muxsim.webhooks.delivery import sign
from tests.muxsim.conftest import SECRET
from tests.muxsim.receiver import Receiver
from tests.muxsim.sdk import Sdk

ENVELOPE = [
    "type",
    "id",
    "created_at",
    "object",
    "environment",
    "data",
    "request_id",
    "accessor",
    "accessor_source",
    "attempts",
]


def test_the_published_test_vector() -> None:
    body = b'{"type":"video.asset.ready","id":"3a56ac3d-33da-4366-855b-f592d898409d","data":{"id":"asset1","status":"ready"}}'
    wanted = "t=1700000000,v1=9e0bd5dd41cced44aa433a6e8bc4d154c8b0754bbb818f69f2fc0211dbf7d772"
    assert sign("whsec_test_0123456789", 1700000000, body) == wanted


def test_the_events_of_an_upload_in_their_shapes(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    upload = sdk.upload("public", passthrough="p-1", meta={"title": "T"})
    control.upload_file(upload.id)
    assert control.flush_events()
    assert receiver.types == [
        "video.upload.created", "video.asset.created", "video.upload.asset_created", "video.asset.ready",
    ]  # fmt: skip
    created, asset_new, asset_created, ready = (one.body for one in receiver.got)
    asset_id = control.assets()[0]["id"]
    for body in (created, asset_created, asset_new, ready):
        assert list(body) == ENVELOPE
        assert str(uuid.UUID(body["id"])) == body["id"]
        assert datetime.strptime(body["created_at"], "%Y-%m-%dT%H:%M:%S.%f%z")
        assert set(body["environment"]) == {"name", "id"}
        assert (body["request_id"], body["accessor"], body["accessor_source"], body["attempts"]) == (
            None,
            None,
            None,
            [],
        )
    assert created["data"]["url"] == upload.url
    assert asset_created["object"] == {"type": "upload", "id": upload.id}
    data = asset_created["data"]
    assert (data["id"], data["asset_id"], data["status"]) == (upload.id, asset_id, "asset_created")
    assert not {"upload_id", "passthrough", "url", "error"} & set(data)
    assert data["new_asset_settings"]["passthrough"] == "p-1"
    assert data["new_asset_settings"]["playback_policies"] == ["public"]
    assert (data["timeout"], data["cors_origin"]) == (3600, "*")
    for body, status in ((asset_new, "preparing"), (ready, "ready")):
        assert body["object"] == {"type": "asset", "id": asset_id}
        assert (body["data"]["id"], body["data"]["upload_id"], body["data"]["status"]) == (
            asset_id,
            upload.id,
            status,
        )
        assert (body["data"]["passthrough"], body["data"]["meta"]) == ("p-1", {"title": "T"})
        assert type(body["data"]["created_at"]) is int
        assert body["data"]["playback_ids"][0]["policy"] == "public"
    assert ready["data"]["duration"] > 0
    assert "duration" not in asset_new["data"]


def test_every_attempt_is_signed_afresh_over_its_own_bytes(
    sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    receiver.answers = [500, 403]
    sdk.upload()
    receiver.wait(3)
    assert control.flush_events()
    first, second, third = receiver.got
    assert all(one.signed_with(SECRET) for one in receiver.got)
    assert not any(one.signed_with("other") for one in receiver.got)
    assert len({one.body["id"] for one in receiver.got}) == 1
    assert first.raw != second.raw != third.raw
    assert [len(one.body["attempts"]) for one in receiver.got] == [0, 1, 2]
    attempt = second.body["attempts"][0]
    assert set(attempt) == {
        "webhook_id", "address", "response_status_code", "response_headers", "response_body", "max_attempts", "id", "created_at",
    }  # fmt: skip
    assert (attempt["response_status_code"], attempt["address"], attempt["max_attempts"]) == (
        500,
        receiver.url,
        30,
    )
    assert [one["response_status_code"] for one in third.body["attempts"]] == [500, 403]


def test_the_delay_between_attempts_grows(make_sim: Callable[..., Simulator], receiver: Receiver) -> None:
    receiver.answers = [500] * 4
    sdk = Sdk(make_sim(retry_seconds=0.08).url)
    before = time.time()
    sdk.upload()
    receiver.wait(5)
    # An attempt is planned from when the one before was due, so a late arrival shortens the next gap:
    # only the time since the beginning has a lower bound.
    planned = itertools.accumulate((0, 0.08, 0.16, 0.32, 0.64))
    for delivery, least in zip(receiver.got, planned, strict=True):
        assert least <= delivery.at - before < least + 5
    sdk.close()


def test_an_outage_of_a_day_ends_in_giving_up(make_sim: Callable[..., Simulator], receiver: Receiver) -> None:
    receiver.usual = 503
    sim = make_sim(retry_seconds=5)
    control, sdk = Control(sim.url), Sdk(sim.url)
    sdk.upload()
    assert control.flush_events()
    assert len(receiver.got) == 1
    control.advance_clock(3600)
    assert control.flush_events()
    assert 9 <= len(receiver.got) <= 11
    control.advance_clock(23 * 3600)
    assert control.flush_events()
    [delivery] = control.events()[0]["deliveries"]
    assert (delivery["status"], len(delivery["attempts"])) == ("failed", 30)
    assert len(receiver.got) == 30
    assert receiver.got[-1].signed_with(SECRET), "signed by the real clock, however far the simulated one is"
    receiver.usual = 204
    control.advance_clock(48 * 3600)
    assert control.flush_events()
    assert len(receiver.got) == 30
    sdk.close()


def test_a_receiver_that_comes_back_gets_its_events(
    make_sim: Callable[..., Simulator], receiver: Receiver
) -> None:
    receiver.usual = 500
    sim = make_sim(retry_seconds=5)
    control, sdk = Control(sim.url), Sdk(sim.url)
    upload = sdk.upload()
    control.complete_upload(upload.id)
    assert control.flush_events()
    receiver.usual, receiver.got = 204, []
    control.advance_clock(3600)
    assert control.flush_events()
    assert sorted(receiver.types) == [
        "video.asset.created", "video.asset.ready", "video.upload.asset_created", "video.upload.created",
    ]  # fmt: skip
    sdk.close()


def test_no_answer_within_five_seconds_is_a_failure_and_stalls_no_other_endpoint(
    sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    receiver.answers = [30.0]
    slow = sdk.upload()
    receiver.wait(1)
    began = time.monotonic()
    quick = sdk.upload()
    receiver.wait(2)
    assert time.monotonic() - began < 4
    assert receiver.got[1].body["data"]["id"] == quick.id
    receiver.wait(3)
    assert 4.5 < time.monotonic() - began < 8
    assert receiver.got[2].body["data"]["id"] == slow.id
    assert "Timeout" in receiver.got[2].body["attempts"][0]["response_body"]
    assert receiver.got[2].body["attempts"][0]["response_status_code"] is None


def test_two_endpoints_with_two_secrets_and_rotation(
    sim: Simulator, sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    second = control.add_endpoint(receiver.url + "?new=1", "whsec_new")
    sdk.upload()
    assert control.flush_events()
    assert len({one.body["id"] for one in receiver.got}) == 1
    assert sorted([one.signed_with(SECRET), one.signed_with("whsec_new")] for one in receiver.got) == [
        [False, True],
        [True, False],
    ]
    control.remove_endpoint(second)
    receiver.got = []
    sdk.upload()
    assert control.flush_events()
    assert [one.signed_with(SECRET) for one in receiver.got] == [True]


def test_failing_and_deleting_tell_of_it(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    control.hold_processing()
    upload = sdk.upload()
    asset = control.complete_upload(upload.id)
    control.error_asset(asset["id"], "invalid_input", ["Bad.", "Worse."])
    control.delete_asset_in_dashboard(asset["id"])
    assert control.flush_events()
    assert receiver.types[-3:] == ["video.asset.errored", "video.upload.errored", "video.asset.deleted"]
    errored, upload_errored, deleted = (one.body["data"] for one in receiver.got[-3:])
    assert errored["errors"] == {"type": "invalid_input", "messages": ["Bad.", "Worse."]}
    assert (upload_errored["id"], upload_errored["status"], "error" in upload_errored) == (
        upload.id,
        "errored",
        False,
    )
    assert deleted["id"] == asset["id"]
    shown = sdk.uploads.get_direct_upload(upload.id).data
    assert (shown.status, shown.error.type, shown.error.message) == (
        "errored",
        "invalid_input",
        "Bad. Worse.",
    )


def test_a_time_out_has_no_event(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    by_hand, by_clock = sdk.upload(), sdk.upload()
    control.time_out_upload(by_hand.id)
    control.advance_clock(3600)
    assert control.flush_events()
    for one in (by_hand, by_clock):
        assert sdk.uploads.get_direct_upload(one.id).data.status == "timed_out"
    assert set(receiver.types) == {"video.upload.created"}


def test_other_events(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    [asset_id] = control.seed_assets(1)
    sdk.assets.update_asset(asset_id, {"passthrough": "x"})
    control.send_event("video.asset.warning", asset_id=asset_id, data={"extra": 1})
    foreign = control.foreign_event()
    control.foreign_event("video.live_stream.active", data={"id": "ls"})
    assert control.flush_events()
    assert sorted(receiver.types) == sorted(
        ["video.asset.updated", "video.asset.warning", "video.asset.ready", "video.live_stream.active"]
    )
    ready = receiver.of("video.asset.ready")[0].body
    assert ready["id"] == foreign
    assert ready["data"]["id"] not in {one["id"] for one in control.assets()}
    assert receiver.of("video.asset.warning")[0].body["data"]["extra"] == 1
    control.send_again(foreign)
    assert control.flush_events()
    assert [one.body["id"] for one in receiver.of("video.asset.ready")] == [foreign, foreign]
    assert len(receiver.of("video.asset.ready")[1].body["attempts"]) == 1


def test_switches_of_events(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    control.set_switch("upload_created_carries_url", False)
    control.set_switch("event_order", "upload_first")
    control.complete_upload(sdk.upload().id)
    assert control.flush_events()
    assert "url" not in receiver.got[0].body["data"]
    assert receiver.types[1:3] == ["video.upload.asset_created", "video.asset.created"]
    control.set_switch("deliveries_paused", True)
    seen = len(receiver.got)
    sdk.upload()
    time.sleep(0.1)
    assert len(receiver.got) == seen
    control.set_switch("deliveries_paused", False)
    receiver.wait(seen + 1)


@pytest.mark.parametrize("seconds", [20.0, 0.4])
def test_the_upload_is_told_a_second_after_its_asset_but_before_ready(
    make_sim: Callable[..., Simulator], receiver: Receiver, seconds: float
) -> None:
    """The simulator's own clock decides, so nothing here depends on how fast the machine is."""
    sim = make_sim(processing_seconds=seconds)
    control, sdk = Control(sim.url), Sdk(sim.url)
    control.set_switch("deliveries_paused", True)
    control.complete_upload(sdk.upload().id)
    control.set_switch("deliveries_paused", False)
    lag = min(1.0, seconds)
    control.advance_clock(lag)
    control.advance_clock(seconds)
    receiver.wait(4)
    assert receiver.types == [
        "video.upload.created", "video.asset.created", "video.upload.asset_created", "video.asset.ready",
    ]  # fmt: skip
    moments = [datetime.fromisoformat(one.body["created_at"]) for one in receiver.got]
    assert (moments[2] - moments[1]).total_seconds() == pytest.approx(lag, abs=0.05)
    assert moments[3] >= moments[2]
    sdk.close()


# faults


def test_fault_drop(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    control.fault("webhook", "drop", match={"type": "video.asset.ready"}, times=1)
    for _ in range(2):
        control.complete_upload(sdk.upload().id)
    assert control.flush_events()
    assert receiver.types.count("video.asset.ready") == 1
    assert receiver.types.count("video.asset.created") == 2


def test_fault_delay_is_over_when_the_clock_says_so(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    control.fault("webhook", "delay", match={"type": "video.upload.created"}, seconds=300)
    sdk.upload()
    assert control.flush_events()
    assert receiver.got == []
    control.advance_clock(301)
    assert control.flush_events()
    assert receiver.types == ["video.upload.created"]


def test_fault_duplicate(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    control.fault("webhook", "duplicate", times=1, copies=2)
    sdk.upload()
    assert control.flush_events()
    assert len(receiver.got) == 3
    assert len({one.body["id"] for one in receiver.got}) == 1


def test_fault_reorder(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    control.fault("webhook", "reorder", match={"type": "video.upload.asset_created"}, times=1)
    control.complete_upload(sdk.upload().id)
    receiver.wait(4)
    assert receiver.types == [
        "video.upload.created",
        "video.asset.created",
        "video.asset.ready",
        "video.upload.asset_created",
    ]


def test_fault_reorder_of_the_last_event_ends_by_itself(
    sdk: Sdk, control: Control, receiver: Receiver
) -> None:
    control.fault("webhook", "reorder", max_wait=60)
    sdk.upload()
    assert control.flush_events()
    assert receiver.got == []
    control.advance_clock(61)
    receiver.wait(1)


def test_fault_shuffle_is_repeatable(
    make_sim: Callable[..., Simulator], receiver: Receiver, tmp_path: object
) -> None:
    orders = []
    for run in ("one", "two"):
        sim = make_sim(state_dir=f"{tmp_path}/{run}")
        control, sdk = Control(sim.url), Sdk(sim.url)
        control.fault("webhook", "shuffle", window=4, times=4)
        receiver.got = []
        control.complete_upload(sdk.upload().id)
        receiver.wait(4)
        orders.append(receiver.types)
        sdk.close()
    assert orders[0] == orders[1]
    assert len(set(orders[0])) == 4
    assert orders[0] != [
        "video.upload.created",
        "video.upload.asset_created",
        "video.asset.created",
        "video.asset.ready",
    ]


def test_fault_share_comes_from_the_seed(
    make_sim: Callable[..., Simulator], receiver: Receiver, tmp_path: object
) -> None:
    kept = []
    for run in ("one", "two"):
        sim = make_sim(state_dir=f"{tmp_path}/{run}")
        control = Control(sim.url)
        control.fault("webhook", "drop", share=0.3)
        receiver.got = []
        for number in range(60):
            control.foreign_event("video.asset.ready", data={"number": number})
        assert control.flush_events()
        kept.append({one.body["data"]["number"] for one in receiver.got})
    assert kept[0] == kept[1]
    assert 30 <= len(kept[0]) <= 54


@pytest.mark.parametrize(
    "kind",
    [
        "wrong_secret",
        "old_secret",
        "no_signature",
        "malformed_signature",
        "stale_timestamp",
        "future_timestamp",
        "tampered_body",
        "old_scheme",
    ],
)
def test_faults_of_the_signature_strike_one_attempt(
    sdk: Sdk, control: Control, receiver: Receiver, kind: str
) -> None:
    control.fault("webhook", kind, times=1)
    receiver.answers = [401]
    sdk.upload()
    receiver.wait(2)
    bad, good = receiver.got
    assert not bad.signed_with(SECRET)
    assert good.signed_with(SECRET)
    if kind in ("stale_timestamp", "future_timestamp"):
        assert bad.signed_with(SECRET, tolerance=700)


def test_the_old_secret_is_the_one_before_rotation(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    [endpoint] = control.endpoints()
    fresh = control.rotate_secret(endpoint["id"])
    control.fault("webhook", "old_secret", times=1)
    sdk.upload()
    sdk.upload()
    receiver.wait(2)
    assert sorted((one.signed_with(SECRET), one.signed_with(fresh)) for one in receiver.got) == [
        (False, True),
        (True, False),
    ]


def test_faults_of_the_body_are_signed_properly(sdk: Sdk, control: Control, receiver: Receiver) -> None:
    for kind in ("truncated_body", "not_json", "unknown_type", "odd_content"):
        control.fault("webhook", kind, times=1)
        receiver.got = []
        sdk.upload()
        assert control.flush_events()
        [delivery] = receiver.got
        assert delivery.signed_with(SECRET), kind
        if kind in ("truncated_body", "not_json"):
            with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
                assert delivery.body
        elif kind == "unknown_type":
            assert delivery.body["type"] == "video.asset.reticulated"
        else:
            assert delivery.body["data"]["passthrough"].startswith("\x00odd")
