"""The calls over HTTP against the simulator: what reaches Mux, what comes back, and what is never sent."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lessonadmin import mux
from lessonadmin.mux import transport
from muxsim.client import Control
from tests.mux.calls import AT_MUX, CALLS, problem
from tests.mux.fake_server import FakeServer, answer
from tests.settings import overridden

NOTE = mux.Passthrough(lesson_id=uuid.UUID(int=1), tracking_id=uuid.UUID(int=2))
Counted = Callable[[str, str], float]


def create(**changes: Any) -> mux.Upload:
    return mux.create_upload(**{"passthrough": NOTE, "external_id": "t1", "policy": "public", **changes})


# uploads


def test_an_upload_from_first_to_last(simulator: Control) -> None:
    upload = create(policy="public")
    assert (upload.status, upload.asset_id, upload.timeout) == ("waiting", None, 3 * 86400)
    assert upload.url is not None
    assert (upload.passthrough, upload.external_id) == (NOTE, "t1")
    assert mux.get_upload(upload.id, priority="low").status == "waiting"
    asset_id = simulator.complete_upload(upload.id, duration=3.5)["id"]
    assert mux.get_upload(upload.id, priority="low").asset_id == asset_id
    simulator.set_asset_ready(asset_id)
    asset = mux.get_asset(asset_id, priority="low")
    assert (asset.status, asset.upload_id, asset.passthrough) == ("ready", upload.id, NOTE)
    assert (asset.external_id, asset.duration) == ("t1", 3.5)
    assert asset.playback_id_for("public")
    assert asset.playback_id_for("signed") is None
    assert asset.created_at is not None
    assert abs(asset.created_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_what_reaches_mux_is_the_contract(fake: FakeServer) -> None:
    fake.script(answer({"data": {"id": "u1", "url": "https://x.example/u"}}, 201))
    with overridden(public_url="https://lessons.example", upload_timeout_seconds=7200):
        create(policy="signed", title="Fractions\nfor all ", caption_language="en")
    sent = fake.asked[0]
    assert (sent.method, sent.path, sent.headers["content-type"]) == (
        "POST",
        "/video/v1/uploads",
        "application/json",
    )
    assert sent.json == {
        "cors_origin": "https://lessons.example",
        "timeout": 7200,
        "new_asset_settings": {
            "playback_policies": ["signed"],
            "passthrough": NOTE.text(),
            "max_resolution_tier": "1080p",
            "meta": {"external_id": "t1", "title": "Fractions for all"},
            "inputs": [{"generated_subtitles": [{"language_code": "en", "name": "English"}]}],
        },
    }


def test_without_captions_and_title_nothing_is_said_of_them(fake: FakeServer) -> None:
    fake.script(answer({"data": {"id": "u1", "url": "https://x.example/u"}}, 201))
    create()
    settings = fake.asked[0].json["new_asset_settings"]
    assert set(settings) == {"playback_policies", "passthrough", "max_resolution_tier", "meta"}
    assert settings["meta"] == {"external_id": "t1"}


def test_a_long_title_is_cut_to_what_mux_takes(simulator: Control) -> None:
    assert create(title="🎬" * 3000).status == "waiting"


@pytest.mark.parametrize("external_id", ["", "x" * 129])
def test_an_external_id_that_mux_would_refuse_is_a_mistake_of_ours(external_id: str) -> None:
    with pytest.raises(ValueError, match="1 to 128"):
        create(external_id=external_id)


def test_captions_are_ordered_and_made(simulator: Control) -> None:
    upload = create(caption_language="de", title="Brüche")
    asset_id = simulator.complete_upload(upload.id)["id"]
    simulator.set_asset_ready(asset_id)
    tracks = simulator.asset(asset_id)["tracks"]
    assert [(one["language_code"], one["name"]) for one in tracks if one["type"] == "text"] == [
        ("de", "German")
    ]


def test_a_lost_answer_to_a_creation_is_not_repeated(
    simulator: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LIMITS", transport.Limits(connect=0.5, read=0.4, whole=0.9))
    simulator.fault("api", "hang", match={"operation": "create_upload"}, seconds=2, after=True)
    found = problem(create)
    assert (found.kind, found.category) == ("later", "timeout")
    assert len(simulator.uploads()) == 1


def test_cancelling(simulator: Control) -> None:
    upload = create()
    assert mux.cancel_upload(upload.id, priority="high").status == "cancelled"
    found = problem(lambda: mux.cancel_upload(upload.id, priority="high"))
    assert (found.kind, found.category, found.status) == ("refused", "unknown", 403)
    assert "can no longer be cancelled" in found.message


def test_an_upload_that_failed_or_expired_says_so(simulator: Control) -> None:
    failed, expired = create(), create()
    simulator.error_upload(failed.id, message="Not a video.")
    simulator.time_out_upload(expired.id)
    found = mux.get_upload(failed.id, priority="low")
    assert (found.status, found.error_type, found.error_message) == (
        "errored",
        "invalid_input",
        "Not a video.",
    )
    assert mux.get_upload(expired.id, priority="low").status == "timed_out"


def test_uploads_are_listed_newest_first_page_by_page(simulator: Control) -> None:
    made = [create(external_id=f"t{number}").id for number in range(5)]
    pages = [mux.list_uploads(page=page, limit=2, priority="low") for page in (1, 2, 3, 4)]
    assert [upload.id for page in pages for upload in page] == made[::-1]
    assert pages[3] == ()


# assets


def test_a_hundred_assets_cost_one_request(simulator: Control) -> None:
    made = simulator.seed_assets(250, passthrough=NOTE.text())
    before = len(simulator.calls(operation="list_assets"))
    found: list[str] = []
    page = mux.list_assets(priority="low")
    found += [asset.id for asset in page.assets]
    while page.next_cursor:
        page = mux.list_assets(cursor=page.next_cursor, priority="low")
        found += [asset.id for asset in page.assets]
    assert sorted(found) == sorted(made)
    assert len(simulator.calls(operation="list_assets")) - before == 3


def test_the_asset_of_an_upload_is_found_without_its_event(simulator: Control) -> None:
    simulator.seed_assets(3)
    upload = create()
    assert mux.list_assets(upload_id=upload.id, priority="low") == mux.AssetPage((), None)
    asset_id = simulator.complete_upload(upload.id)["id"]
    assert [one.id for one in mux.list_assets(upload_id=upload.id, priority="low").assets] == [asset_id]


def test_a_filter_that_is_ignored_finds_no_stranger(fake: FakeServer) -> None:
    rows = [{"id": "a1", "upload_id": "u1"}, {"id": "a2", "upload_id": "u2"}, {"id": "a3"}]
    fake.script(answer({"data": rows}))
    assert [one.id for one in mux.list_assets(upload_id="u2", priority="low").assets] == ["a2", "a3"]


def test_a_failed_asset_tells_why(simulator: Control) -> None:
    asset_id = simulator.complete_upload(create().id)["id"]
    simulator.error_asset(asset_id, "invalid_input", ["No video track.", "No audio track."])
    asset = mux.get_asset(asset_id, priority="low")
    assert (asset.status, asset.error_type) == ("errored", "invalid_input")
    assert asset.error_message == "No video track.; No audio track."


@pytest.mark.parametrize("call", [mux.delete_asset, mux.get_asset])
def test_what_was_deleted_is_gone_for_every_later_call(
    simulator: Control, call: Callable[..., object]
) -> None:
    [asset_id] = simulator.seed_assets(1)
    mux.delete_asset(asset_id, priority="low")
    assert isinstance(problem(lambda: call(asset_id, priority="low")), mux.Gone)


def test_deleting_too_early(simulator: Control) -> None:
    simulator.hold_processing()
    asset_id = simulator.complete_upload(create().id)["id"]
    found = problem(lambda: mux.delete_asset(asset_id, priority="low"))
    assert (found.kind, found.status) == ("later", 400)
    simulator.set_asset_ready(asset_id)
    mux.delete_asset(asset_id, priority="low")


@pytest.mark.parametrize("switch", ["missing", "empty", "other_policy"])
def test_an_asset_that_cannot_be_played_has_no_playback_id_for_us(simulator: Control, switch: str) -> None:
    simulator.set_switch("playback_ids", switch)
    asset_id = simulator.complete_upload(create().id)["id"]
    assert mux.get_asset(asset_id, priority="low").playback_id_for("public") is None


@pytest.mark.parametrize("value", ["status", "resolution_tier", "video_quality", "upload_status"])
def test_values_that_no_sdk_knows(simulator: Control, value: str) -> None:
    upload = create()
    asset_id = simulator.complete_upload(upload.id)["id"]
    simulator.set_switch("unknown_enum", value)
    assert mux.get_asset(asset_id, priority="low").id == asset_id
    assert mux.get_upload(upload.id, priority="low").id == upload.id
    assert len(mux.list_assets(priority="low").assets) == 1


# refusals of the simulator, faults


def test_an_id_that_mux_has_no_more_is_gone_and_an_impossible_one_is_not(simulator: Control) -> None:
    [asset_id] = simulator.seed_assets(1)
    simulator.delete_asset_in_dashboard(asset_id)
    assert problem(lambda: mux.get_asset(asset_id, priority="low")).kind == "gone"
    found = problem(lambda: mux.get_asset("HELLO", priority="low"))
    assert (found.kind, found.category, found.status) == ("refused", "not_found", 400)


def test_the_free_plan(simulator: Control) -> None:
    simulator.set_switch("free_plan", True)
    simulator.seed_assets(10)
    found = problem(create)
    assert (found.kind, found.category) == ("refused", "quota")
    assert "Free plan is limited to 10 assets" in found.message


@pytest.mark.parametrize("body", ["json", "empty", "text", "html"])
def test_a_wrong_token(simulator: Control, body: str) -> None:
    simulator.set_switch("unauthorized_body", body)
    with overridden(mux_worker_token_secret="wrong"):
        found = problem(lambda: mux.list_assets(priority="low"))
        assert (found.kind, found.category, found.status) == ("refused", "auth_error", 401)
        assert mux.list_assets(priority="high").assets == ()


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(
    ("fault", "params", "expected"),
    [
        ("status", {"status": 500}, ("later", "server_error")),
        ("html", {"status": 502}, ("later", "server_error")),
        ("html", {"status": 200}, ("nonsense", "unknown")),
        ("rate_limited", {"retry_after": 3}, ("later", "rate_limit")),
        ("reset", {}, ("later", "network")),
    ],
)
def test_a_fault_is_the_same_kind_for_every_call(
    simulator: Control,
    counted: Counted,
    operation: str,
    fault: str,
    params: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    simulator.fault("api", fault, **params)
    found = problem(CALLS[operation])
    assert (found.kind, found.category) == expected
    assert len(simulator.calls(operation=AT_MUX.get(operation, operation))) == 1
    assert counted(operation, expected[1]) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("truncated_json", "nonsense"),
        ("not_utf8", "nonsense"),
        ("empty_body", "nonsense"),
        ("missing_field", "nonsense"),
        ("cut_body", "later"),
    ],
)
def test_spoiled_answers(simulator: Control, fault: str, expected: str) -> None:
    [asset_id] = simulator.seed_assets(1)
    params: dict[str, Any] = {"field": "id"} if fault == "missing_field" else {}
    simulator.fault("api", fault, **params)
    assert problem(lambda: mux.get_asset(asset_id, priority="low")).kind == expected
    assert problem(lambda: mux.list_assets(priority="low")).kind == expected


# the rest


def test_who_a_token_is(fake: FakeServer) -> None:
    data = {
        "environment_id": "env1",
        "environment_name": "Production",
        "environment_type": "production",
        "permissions": ["video:read", "video:write", 7, None],
        "access_token_name": "web",
    }
    fake.script(answer({"data": data}))
    found = mux.whoami(priority="low")
    assert found == mux.Identity(
        environment_id="env1",
        environment_name="Production",
        permissions=frozenset({"video:read", "video:write"}),
    )
    sent = fake.asked[0]
    assert (sent.method, sent.path) == ("GET", "/system/v1/whoami")
    assert sent.headers["authorization"].startswith("Basic ")


def test_signing_keys_and_a_token_made_with_one(simulator: Control) -> None:
    assert mux.list_signing_keys(priority="high") == ()
    key = simulator.create_signing_key()
    [listed] = mux.list_signing_keys(priority="high")
    assert listed.id == key["id"]
    assert listed.created_at is not None
    with overridden(mux_signing_key_id=key["id"], mux_signing_private_key=key["private_key"]):
        mux.check_signing_key()
        assert mux.playback_token("p1", audience="t", seconds=60)


def test_signing_keys_without_the_permission(simulator: Control) -> None:
    simulator.set_switch("system_permission", False)
    found = problem(lambda: mux.list_signing_keys(priority="high"))
    assert (found.kind, found.category, found.status) == ("refused", "auth_error", 401)


def test_an_empty_bucket_is_a_matter_of_waiting(simulator: Control) -> None:
    simulator.set_switch("retry_after", "seconds")
    found = None
    for _ in range(40):
        try:
            mux.list_assets(priority="low")
        except mux.MuxError as error:
            found = error
            break
    assert found is not None
    assert (found.kind, found.category) == ("later", "rate_limit")
    assert found.retry_after is not None
    assert 0 < found.retry_after < 30


def test_webhooks_that_are_really_sent_are_verified_and_read(simulator: Control) -> None:
    ours = FakeServer()
    ours.script(answer(b"", 204))
    endpoint = simulator.add_endpoint(f"{ours.url}/hook", "whsec_new")
    kinds = {
        f"video.{kind}" for kind in ("upload.created", "upload.asset_created", "asset.created", "asset.ready")
    }
    try:
        upload = create()
        asset_id = simulator.complete_upload(upload.id)["id"]
        simulator.set_asset_ready(asset_id)
        simulator.wait_for(lambda: kinds <= {sent.json["type"] for sent in ours.asked})
    finally:
        simulator.remove_endpoint(endpoint)
        ours.close()
    hints = {
        mux.verify(one.headers["mux-signature"], one.body, ["whsec_old", "whsec_new"], now=time.time())
        for one in ours.asked
    }
    assert hints == {mux.hint("whsec_new")}
    events = {one.type: one for one in (mux.read_event(sent.body) for sent in ours.asked)}
    assert kinds <= set(events)
    for kind in kinds:
        assert events[kind].upload_id == upload.id
        assert events[kind].passthrough == NOTE
        assert events[kind].asset_id == (None if kind == "video.upload.created" else asset_id)
    ready = events["video.asset.ready"].asset
    assert ready is not None
    assert (ready.status, ready.created_at) == ("ready", mux.get_asset(asset_id, priority="low").created_at)
    assert upload.url is not None
    assert upload.url not in repr([one.payload for one in events.values()])
