"""The official mux-python, unmodified, drives every call."""

import base64
import json
from collections.abc import Callable

import mux_python
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from muxsim.client import Control
from muxsim.server import Simulator
from tests.muxsim.sdk import LOW_TOKEN, Sdk, call

UNKNOWN = "A" * 44


def test_an_upload_from_creation_to_a_ready_asset(sdk: Sdk, control: Control) -> None:
    body = {
        "cors_origin": "https://lessons.example", "timeout": 7200, "test": False,
        "new_asset_settings": {
            "playback_policy": ["public", "signed"], "passthrough": '{"lesson_id":"1"}', "max_resolution_tier": "1080p",
            "meta": {"title": "A lesson", "external_id": "x1"}, "encoding_tier": "smart",
        },
    }  # fmt: skip
    made, status, headers = sdk.uploads.create_direct_upload_with_http_info(body)
    assert status == 201
    assert (made.data.status, made.data.timeout, made.data.cors_origin) == (
        "waiting",
        7200,
        "https://lessons.example",
    )
    assert made.data.new_asset_settings.playback_policies == ["public", "signed"]
    assert made.data.new_asset_settings.video_quality == "plus"
    assert made.data.url.startswith(control.url + "/upload/" + made.data.id + "?token=")
    assert made.data.asset_id is None
    assert int(headers["X-RateLimit-Limit"]) == 20

    assert control.upload_file(made.data.id) == 200
    assert control.flush_events()

    upload = sdk.uploads.get_direct_upload(made.data.id).data
    assert upload.status == "asset_created"
    assert upload.url is None
    asset = sdk.assets.get_asset(upload.asset_id).data
    assert (asset.status, asset.upload_id, asset.passthrough) == ("ready", upload.id, '{"lesson_id":"1"}')
    assert (asset.meta.title, asset.meta.external_id) == ("A lesson", "x1")
    assert [one.policy for one in asset.playback_ids] == ["public", "signed"]
    assert asset.progress.state == "completed"
    assert asset.duration == pytest.approx(2.0)
    assert asset.created_at.isdigit()
    assert asset.ingest_type == "on_demand_direct_upload"
    assert {one.type for one in asset.tracks} == {"video", "audio"}


def test_uploads_are_listed_newest_first_and_paged(sdk: Sdk) -> None:
    made = [sdk.upload().id for _ in range(5)]
    assert [one.id for one in sdk.uploads.list_direct_uploads(limit=2, page=1).data] == [made[4], made[3]]
    assert [one.id for one in sdk.uploads.list_direct_uploads(limit=2, page=3).data] == [made[0]]
    assert sdk.uploads.list_direct_uploads(limit=2, page=4).data == []


def test_cancelling_works_once_and_only_while_waiting(sdk: Sdk, control: Control) -> None:
    upload = sdk.upload()
    assert sdk.uploads.cancel_direct_upload(upload.id).data.status == "cancelled"
    with pytest.raises(mux_python.exceptions.ForbiddenException):
        sdk.uploads.cancel_direct_upload(upload.id)
    done = sdk.upload()
    control.upload_file(done.id)
    with pytest.raises(mux_python.exceptions.ForbiddenException) as late:
        sdk.uploads.cancel_direct_upload(done.id)
    assert json.loads(late.value.body)["error"]["messages"] == ["The upload has already completed"]


def test_assets_page_by_number_and_by_cursor_and_are_found_by_upload(sdk: Sdk, control: Control) -> None:
    ids = control.seed_assets(7, upload_id="U{n}" + "x" * 30, age_seconds=100, spread_seconds=50)
    newest_first = ids[::-1]
    assert [one.id for one in sdk.assets.list_assets(limit=3, page=2).data] == newest_first[3:6]
    seen: list[str] = []
    cursor = None
    while True:
        answer = sdk.assets.list_assets(limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [one.id for one in answer.data]
        cursor = answer.next_cursor
        if cursor is None:
            break
    assert seen == newest_first
    assert [one.id for one in sdk.assets.list_assets(upload_id="U4" + "x" * 30).data] == [ids[4]]
    assert sdk.assets.list_assets(upload_id="B" * 44).data == []
    assert sdk.assets.list_assets(live_stream_id="B" * 44).data == []


def test_a_cursor_survives_new_assets_at_the_top(sdk: Sdk, control: Control) -> None:
    ids = control.seed_assets(4, age_seconds=100, spread_seconds=50)
    cursor = sdk.assets.list_assets(limit=2).next_cursor
    control.seed_assets(3)
    assert [one.id for one in sdk.assets.list_assets(limit=2, cursor=cursor).data] == ids[1::-1]


def test_an_asset_is_updated_and_deleted(sdk: Sdk, control: Control) -> None:
    [asset_id] = control.seed_assets(1, passthrough="old")
    changed = sdk.assets.update_asset(asset_id, {"passthrough": "new", "meta": {"title": "T"}}).data
    assert (changed.passthrough, changed.meta.title) == ("new", "T")
    _, status, _ = sdk.assets.delete_asset_with_http_info(asset_id)
    assert status == 204
    for again in (sdk.assets.get_asset, sdk.assets.delete_asset):
        with pytest.raises(mux_python.exceptions.NotFoundException):
            again(asset_id)


def test_an_asset_made_from_a_url(sdk: Sdk, control: Control) -> None:
    request = mux_python.CreateAssetRequest(
        inputs=[mux_python.InputSettings(url="https://x.example/v.mp4")], playback_policies=["public"]
    )
    made = sdk.assets.create_asset(request).data
    assert (made.status, made.ingest_type, made.upload_id) == ("preparing", "on_demand_url", None)
    control.flush_events()
    assert sdk.assets.get_asset(made.id).data.status == "ready"
    assert sdk.assets.get_asset_input_info(made.id).data[0].file.tracks[0].type == "video"


def test_tracks_and_switches_of_an_asset(sdk: Sdk, control: Control) -> None:
    upload = sdk.upload()
    control.upload_file(upload.id)
    control.flush_events()
    asset = sdk.assets.list_assets(limit=1).data[0]
    audio = next(one for one in asset.tracks if one.type == "audio")
    wanted = {"generated_subtitles": [{"language_code": "de", "name": "Deutsch"}]}
    [made] = sdk.assets.generate_asset_track_subtitles(asset.id, audio.id, wanted).data
    assert (made.text_source, made.status) == ("generated_vod", "preparing")
    text = {
        "url": "https://x.example/a.vtt",
        "type": "text",
        "text_type": "subtitles",
        "language_code": "en",
        "name": "English",
    }
    uploaded = sdk.assets.create_asset_track(asset.id, text).data
    control.flush_events()
    tracks = {one.id: one for one in sdk.assets.get_asset(asset.id).data.tracks}
    assert (tracks[made.id].status, tracks[uploaded.id].text_source) == ("ready", "uploaded")
    sdk.assets.delete_asset_track(asset.id, uploaded.id)
    assert uploaded.id not in {one.id for one in sdk.assets.get_asset(asset.id).data.tracks}
    assert (
        sdk.assets.update_asset_master_access(asset.id, {"master_access": "temporary"}).data.master_access
        == "temporary"
    )


def test_playback_ids(sdk: Sdk, control: Control) -> None:
    [asset_id] = control.seed_assets(1, policy=None)
    assert not sdk.assets.get_asset(asset_id).data.playback_ids
    made = sdk.assets.create_asset_playback_id(asset_id, {"policy": "signed"}).data
    assert sdk.assets.get_asset_playback_id(asset_id, made.id).data.policy == "signed"
    reverse = sdk.playback.get_asset_or_livestream_id(made.id).data
    assert (reverse.object.type, reverse.object.id, reverse.policy) == ("asset", asset_id, "signed")
    sdk.assets.delete_asset_playback_id(asset_id, made.id)
    with pytest.raises(mux_python.exceptions.NotFoundException):
        sdk.playback.get_asset_or_livestream_id(made.id)


@pytest.mark.parametrize("route", ["system", "video"])
def test_signing_keys_give_their_private_half_once(sdk: Sdk, route: str) -> None:
    names = {"system": (sdk.keys, ""), "video": (sdk.old_keys, "url_")}
    api, prefix = names[route]
    made = getattr(api, f"create_{prefix}signing_key")().data
    pem = base64.b64decode(made.private_key)
    assert pem.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert load_pem_private_key(pem, None).key_size == 2048
    assert getattr(api, f"get_{prefix}signing_key")(made.id).data.private_key is None
    assert [one.id for one in getattr(api, f"list_{prefix}signing_keys")().data] == [made.id]
    getattr(api, f"delete_{prefix}signing_key")(made.id)
    with pytest.raises(mux_python.exceptions.NotFoundException):
        getattr(api, f"get_{prefix}signing_key")(made.id)


def test_delivery_usage_is_known_twelve_hours_late(sdk: Sdk, control: Control) -> None:
    busy, quiet, unplayed = control.seed_assets(3, duration=60, passthrough="p{n}")
    control.played(busy, 500)
    control.played(quiet, 20)
    now = int(control.state()["clock"]["now"])
    assert sdk.usage.list_delivery_usage(timeframe=[now - 7200, now + 7200]).data == []
    later = int(control.advance_clock(14 * 3600))
    reports = sdk.usage.list_delivery_usage(timeframe=[now - 7200, later]).data
    assert [(one.asset_id, one.delivered_seconds, one.passthrough) for one in reports] == [
        (busy, 500.0, "p0"),
        (quiet, 20.0, "p1"),
    ]
    assert reports[0].delivered_seconds_by_resolution.tier_720p == 500.0
    only = sdk.usage.list_delivery_usage(timeframe=[now - 7200, later], asset_id=quiet).data
    assert [one.asset_id for one in only] == [quiet]
    assert unplayed not in {one.asset_id for one in reports}


def test_playback_restrictions(sdk: Sdk) -> None:
    made = sdk.restrictions.create_playback_restriction(
        {
            "referrer": {"allowed_domains": ["*.example.com"], "allow_no_referrer": False},
            "user_agent": {"allow_no_user_agent": True},
        }
    ).data
    assert made.referrer.allowed_domains == ["*.example.com"]
    changed = sdk.restrictions.update_referrer_domain_restriction(
        made.id, {"allowed_domains": ["a.com"], "allow_no_referrer": True}
    )
    assert changed.data.referrer.allow_no_referrer is True
    sdk.restrictions.update_user_agent_restriction(
        made.id, {"allow_no_user_agent": False, "allow_high_risk_user_agent": False}
    )
    assert sdk.restrictions.get_playback_restriction(made.id).data.user_agent.allow_no_user_agent is False
    assert [one.id for one in sdk.restrictions.list_playback_restrictions().data] == [made.id]
    sdk.restrictions.delete_playback_restriction(made.id)
    with pytest.raises(mux_python.exceptions.NotFoundException):
        sdk.restrictions.get_playback_restriction(made.id)


def test_unknown_and_unparsable_ids(sdk: Sdk, control: Control) -> None:
    with pytest.raises(mux_python.exceptions.NotFoundException) as missing:
        sdk.assets.get_asset(UNKNOWN)
    assert "either doesn't exist or you don't have access" in missing.value.body
    with pytest.raises(mux_python.ApiException) as odd:
        sdk.assets.get_asset("temp_1234")
    assert odd.value.status == 400
    assert "Failed to parse ID" in odd.value.body
    control.set_switch("bad_id_status", 404)
    with pytest.raises(mux_python.exceptions.NotFoundException):
        sdk.assets.get_asset("HELLO")
    assert sdk.assets.get_asset("").data.id is None  # the trap of the SDK: an empty id asks for the list


@pytest.mark.parametrize("style", ["json", "empty", "text", "html"])
def test_wrong_credentials(sim: Simulator, control: Control, style: str) -> None:
    control.set_switch("unauthorized_body", style)
    for token in (("web-token", "wrong"), ("nobody", "web-secret")):
        stranger = Sdk(sim.url, token)
        with pytest.raises(mux_python.exceptions.UnauthorizedException) as refused:
            stranger.assets.list_assets()
        assert ("unauthorized" in refused.value.body) == (style == "json")
        stranger.close()
    assert call("GET", sim.url + "/video/v1/assets", token=None).status == 401
    assert [one["token_id"] for one in control.calls()] == ["web-token", "nobody", None]


def test_another_environment_sees_nothing(make_sim: Callable[..., Simulator]) -> None:
    other = ("other", "o-secret", "high", "Production")
    sim = make_sim(tokens=[("web-token", "web-secret", "high"), other])
    here, there = Sdk(sim.url), Sdk(sim.url, other)
    upload = here.upload()
    with pytest.raises(mux_python.exceptions.NotFoundException):
        there.uploads.get_direct_upload(upload.id)
    assert there.uploads.list_direct_uploads().data == []
    here.close()
    there.close()


def test_free_plan_counts_to_ten(sdk: Sdk, control: Control) -> None:
    control.set_switch("free_plan", True)
    control.seed_assets(9)
    sdk.upload()
    control.seed_assets(1)
    with pytest.raises(mux_python.ApiException) as full:
        sdk.upload()
    assert full.value.status == 400
    assert (
        "Free plan is limited to 10 assets, you cannot create direct uploads while exceeding this limit"
        in full.value.body
    )
    assert '"invalid_parameters"' in full.value.body


def test_deleting_a_preparing_asset_is_a_switch(sdk: Sdk, control: Control) -> None:
    held, free = control.seed_assets(2, status="preparing")
    with pytest.raises(mux_python.ApiException) as refused:
        sdk.assets.delete_asset(held)
    assert refused.value.status == 400
    assert json.loads(refused.value.body)["error"]["messages"] == ["Can't delete a preparing asset."]
    control.error_asset(held)
    assert sdk.assets.delete_asset(held) is None
    control.set_switch("delete_while_preparing", True)
    assert sdk.assets.delete_asset(free) is None


def test_no_policy_means_no_playback_id_and_switches_change_that(sdk: Sdk, control: Control) -> None:
    def playback_ids_of(policy: str | None) -> object:
        return control.complete_upload(sdk.upload(policy).id).get("playback_ids")

    assert playback_ids_of(None) is None
    control.set_switch("playback_ids", "missing")
    assert playback_ids_of("public") is None
    control.set_switch("playback_ids", "empty")
    assert playback_ids_of("public") == []
    control.set_switch("playback_ids", "other_policy")
    found = playback_ids_of("public")
    assert isinstance(found, list)
    assert [one["policy"] for one in found] == ["signed"]


def test_token_buckets(make_sim: Callable[..., Simulator]) -> None:
    sim = make_sim(rate_limits=True)
    control, high, low = Control(sim.url), Sdk(sim.url), Sdk(sim.url, LOW_TOKEN)
    for left in (3, 2, 1, 0):
        _, _, headers = low.uploads.create_direct_upload_with_http_info({"cors_origin": "*"})
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("4", str(left))
    with pytest.raises(mux_python.ApiException) as empty:
        low.upload()
    assert (empty.value.status, empty.value.headers["X-RateLimit-Remaining"]) == (429, "0")
    assert "Retry-After" not in empty.value.headers
    assert len(high.uploads.list_direct_uploads().data) == 4  # the refused one was not processed
    control.set_switch("retry_after", "seconds")
    with pytest.raises(mux_python.ApiException) as told:
        low.upload()
    assert int(told.value.headers["Retry-After"]) >= 1
    high.upload()
    control.advance_clock(2)
    low.upload()
    for _ in range(120):
        answer = call("GET", sim.url + "/video/v1/assets")
        if answer.status == 429:
            break
    assert answer.status == 429
    high.close()
    low.close()


def test_unknown_enum_values_break_models_as_they_would(sdk: Sdk, control: Control) -> None:
    [asset_id] = control.seed_assets(1)
    control.set_switch("unknown_enum", "resolution_tier")
    with pytest.raises(ValueError, match="resolution_tier"):
        sdk.assets.get_asset(asset_id)
    control.set_switch("unknown_enum", "upload_status")
    with pytest.raises(ValueError, match="status"):
        sdk.upload()


def test_static_renditions(sdk: Sdk, sim: Simulator, control: Control) -> None:
    upload = sdk.upload("public", static_renditions=[{"resolution": "highest"}])
    control.upload_file(upload.id)
    control.flush_events()
    asset = sdk.assets.list_assets().data[0]
    [file] = asset.static_renditions.files
    assert (file.name, file.status) == ("highest.mp4", "ready")
    base = f"{sim.url}/{asset.playback_ids[0].id}"
    assert call("GET", f"{base}/highest.mp4", token=None).raw[4:8] == b"ftyp"
    made = sdk.assets.create_asset_static_rendition(asset.id, {"resolution": "audio-only"}).data
    assert call("GET", f"{base}/audio.m4a", token=None).status == 200
    sdk.assets.delete_asset_static_rendition(asset.id, made.id)
    assert call("GET", f"{base}/audio.m4a", token=None).status == 404
    control.flush_events()
    kinds = [one["type"] for one in control.events() if "static_rendition" in one["type"]]
    assert [one.rpartition(".")[2] for one in kinds] == ["ready", "created", "ready", "deleted"]


def test_without_limits_the_budget_is_always_full(sim: Simulator) -> None:
    seen = [call("GET", sim.url + "/video/v1/assets").headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert seen == ["100", "100", "100"]
