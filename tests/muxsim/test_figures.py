"""What was watched: delivered seconds of one asset, and views as players have reported them to Mux Data."""

from collections.abc import Callable

import mux_python
import pytest

from muxsim.client import Control
from muxsim.server import Simulator
from tests.muxsim.sdk import TOKEN, Reply, Sdk, call

HOUR, DAY = 3600, 86_400


def breakdown(sim: Simulator, query: str, *, metric: str = "views") -> Reply:
    return call("GET", f"{sim.url}/data/v1/metrics/{metric}/breakdown?{query}")


def test_delivery_usage_of_one_asset(sim: Simulator, sdk: Sdk, control: Control) -> None:
    one, other, silent = control.seed_assets(3, duration=60)
    control.played(one, 30)
    control.played(one, 12)
    control.played(other, 500)
    control.played(silent, 0)
    now = int(control.advance_clock(14 * HOUR))
    [report] = sdk.usage.list_delivery_usage(timeframe=[now - DAY, now], asset_id=one).data
    assert (report.asset_id, report.delivered_seconds) == (one, 42.0)
    assert sdk.usage.list_delivery_usage(timeframe=[now - DAY, now], asset_id=silent).data == []
    base = f"{sim.url}/video/v1/delivery-usage?timeframe[]={now - DAY}&timeframe[]={now}"
    page = call("GET", base + "&limit=1&page=2").body
    assert ([row["asset_id"] for row in page["data"]], page["total_row_count"]) == ([one], 2)
    assert call("GET", f"{base}&asset_id={'A' * 44}").body["data"] == []
    assert call("GET", f"{base}&asset_id=temp_1").status == 400


def test_views_by_asset_through_the_sdk(sim: Simulator, sdk: Sdk, control: Control) -> None:
    often, once, never = control.seed_assets(3)
    now = int(control.state()["clock"]["now"])
    control.viewed(often, 7, seconds=10.5)
    control.viewed(once, seconds=100)
    control.viewed(once, 3, at=now - 30 * HOUR)
    answer = sdk.metrics.list_breakdown_values(
        "views", group_by="asset_id", timeframe=["24:hours"], _request_timeout=10
    )
    assert [(row.field, row.views, row.value, row.total_watch_time) for row in answer.data] == [
        (often, 7, 7.0, 73_500),
        (once, 1, 1.0, 100_000),
    ]
    assert answer.total_row_count == 2
    assert answer.timeframe[1] - answer.timeframe[0] == 24 * HOUR
    wide = breakdown(sim, f"group_by=asset_id&timeframe[]={now - 2 * DAY}&timeframe[]={now + 10}").body[
        "data"
    ]
    assert {row["field"]: row["views"] for row in wide} == {often: 7, once: 4}
    assert never not in {row["field"] for row in wide}


def test_playing_time_order_and_pages(sim: Simulator, control: Control) -> None:
    first, second = control.seed_assets(2)
    control.viewed(first, 5, seconds=1)
    control.viewed(second, 1, seconds=20)
    query = "group_by=asset_id"
    rows = breakdown(sim, query, metric="playing_time").body["data"]
    assert [(row["field"], row["value"]) for row in rows] == [(second, 20_000), (first, 5_000)]
    by_views = breakdown(sim, query + "&order_by=views", metric="playing_time").body["data"]
    assert [row["field"] for row in by_views] == [first, second]
    upwards = breakdown(sim, query + "&order_by=views&order_direction=asc").body["data"]
    assert [row["field"] for row in upwards] == [second, first]
    page = breakdown(sim, query + "&limit=1&page=2").body
    assert ([row["field"] for row in page["data"]], page["total_row_count"]) == ([second], 2)


def test_views_outlive_their_asset_for_a_hundred_days(sim: Simulator, sdk: Sdk, control: Control) -> None:
    [asset_id] = control.seed_assets(1)
    control.viewed(asset_id, 2)
    sdk.assets.delete_asset(asset_id)
    assert [row["views"] for row in breakdown(sim, "group_by=asset_id").body["data"]] == [2]
    control.advance_clock(99 * DAY)
    assert len(breakdown(sim, "group_by=asset_id&timeframe[]=200:days").body["data"]) == 1
    control.advance_clock(2 * DAY)
    assert breakdown(sim, "group_by=asset_id&timeframe[]=200:days").body["data"] == []


def test_playing_here_reports_no_view(sim: Simulator, sdk: Sdk, control: Control) -> None:
    """Players report to another host than the one that they play from."""
    [asset_id] = control.seed_assets(1)
    playback = control.asset(asset_id)["playback_ids"][0]["id"]
    assert call("GET", f"{sim.url}/{playback}/media/00000.ts", token=None).status == 200
    assert breakdown(sim, "group_by=asset_id").body["data"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400), ("group_by=country", 400), ("group_by=asset_id&filters[]=country:US", 400), ("group_by=asset_id&timeframe[]=soon", 400),
        ("group_by=asset_id&timeframe[]=9&timeframe[]=5", 400), ("group_by=asset_id&timeframe[]=1&timeframe[]=2&timeframe[]=3", 400),
        ("group_by=asset_id&order_by=mood", 400), ("group_by=asset_id&limit=0", 400), ("group_by=asset_id", 200),
    ],
)  # fmt: skip
def test_what_a_breakdown_may_be_asked(sim: Simulator, query: str, status: int) -> None:
    assert breakdown(sim, query).status == status
    assert breakdown(sim, query, metric="mood").status == 404


def test_a_breakdown_needs_its_permission(sim: Simulator, control: Control) -> None:
    control.set_permissions("web-token", ["video:read", "video:write"])
    assert breakdown(sim, "group_by=asset_id").status == 401
    control.set_permissions("web-token", ["data:read"])
    assert breakdown(sim, "group_by=asset_id").status == 200


def test_five_breakdowns_a_second(make_sim: Callable[..., Simulator]) -> None:
    sim = make_sim(
        rate_limits=True, speed=0.001
    )  # its clock all but stands still, however slow this machine is
    control = Control(sim.url)
    assert [breakdown(sim, "group_by=asset_id").status for _ in range(6)] == [200] * 5 + [429]
    assert call("GET", sim.url + "/video/v1/assets").status == 200, "other calls have their own bucket"
    control.advance_clock(1)
    assert [breakdown(sim, "group_by=asset_id").status for _ in range(6)] == [200] * 5 + [429]


def test_another_environment_has_other_figures(make_sim: Callable[..., Simulator]) -> None:
    sim = make_sim(tokens=[TOKEN, ("live", "secret", "high", "Production")])
    control = Control(sim.url)
    [asset_id] = control.seed_assets(1, env="Production")
    control.viewed(asset_id)
    assert breakdown(sim, "group_by=asset_id").body["data"] == []
    sdk = Sdk(sim.url, ("live", "secret"))
    assert isinstance(sdk.metrics, mux_python.MetricsApi)
    assert [row.field for row in sdk.metrics.list_breakdown_values("views", group_by="asset_id").data] == [
        asset_id
    ]
    sdk.close()
