"""What was watched, over HTTP against the simulator: by asset, over pages, and without the permission for plays."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from lessonadmin import mux
from muxsim.client import Control
from tests.mux.calls import problem
from tests.mux.fake_server import FakeServer, answer

NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(days=1)
WINDOW: dict[str, Any] = {"start": YESTERDAY - timedelta(hours=2), "end": YESTERDAY + timedelta(hours=2)}


def test_delivered_minutes_are_added_up_over_pages(simulator: Control) -> None:
    for asset_id in simulator.seed_assets(103):
        simulator.played(asset_id, 60, at=YESTERDAY.timestamp())
    usage = mux.delivery_usage(**WINDOW, priority="low")
    assert (usage.delivered_seconds, usage.rows, usage.complete) == (103 * 60, 103, True)
    part = mux.delivery_usage(**WINDOW, priority="low", pages=1)
    assert (part.delivered_seconds, part.rows, part.complete) == (6000, 100, False)
    first, second = (mux.delivered_seconds(**WINDOW, page=page, priority="low") for page in (1, 2))
    assert (len(first.amounts), first.is_last, len(second.amounts), second.is_last) == (100, False, 3, True)
    assert set(second.amounts.values()) == {60.0}


def test_odd_rows_of_a_report_count_nothing(fake: FakeServer) -> None:
    rows = [{"delivered_seconds": 5}, {"delivered_seconds": -5}, {"delivered_seconds": "x"}, {}, None]
    fake.script(answer({"data": rows}))
    assert mux.delivery_usage(start=NOW, end=NOW, priority="low").delivered_seconds == 5


def test_odd_rows_belong_to_no_asset(fake: FakeServer) -> None:
    rows = [{"asset_id": "a1", "delivered_seconds": 5}, {"asset_id": "a1", "delivered_seconds": 2.5}, {"asset_id": "\n", "delivered_seconds": 5}]  # fmt: skip
    fake.script(answer({"data": [*rows, {"asset_id": "a2", "delivered_seconds": -1}, {"asset_id": 7}, None]}))
    found = mux.delivered_seconds(start=NOW, end=NOW, page=1, priority="low")
    assert (found.amounts, found.rows, found.is_last) == ({"a1": 7.5}, 6, True)


def test_plays_by_asset(simulator: Control) -> None:
    often, once, before = simulator.seed_assets(3)
    simulator.viewed(often, 7, at=YESTERDAY.timestamp())
    simulator.viewed(once, at=YESTERDAY.timestamp())
    simulator.viewed(before, at=(YESTERDAY - timedelta(hours=3)).timestamp())
    found = mux.plays(**WINDOW, page=1, priority="low")
    assert (found.amounts, found.is_last) == ({often: 7.0, once: 1.0}, True)
    assert mux.plays(**WINDOW, page=2, priority="low").amounts == {}


def test_what_is_asked_for_plays(fake: FakeServer) -> None:
    fake.script(answer({"data": []}))
    mux.plays(start=datetime(2026, 11, 20, tzinfo=UTC), end=datetime(2026, 11, 21, tzinfo=UTC), page=3, priority="low")  # fmt: skip
    asked = fake.asked[0]
    assert asked.path.partition("?")[0] == "/data/v1/metrics/views/breakdown"
    assert set(asked.path.partition("?")[2].replace("%5B%5D", "[]").split("&")) == {
        "group_by=asset_id", "timeframe[]=1795132800", "timeframe[]=1795219200", "limit=100", "page=3",
        "order_by=views", "order_direction=desc",
    }  # fmt: skip


def test_a_token_without_the_permission_is_refused(simulator: Control) -> None:
    simulator.set_permissions("worker-token", ["video:read", "video:write"])
    found = problem(lambda: mux.plays(**WINDOW, page=1, priority="low"))
    assert (found.kind, found.category, found.status) == ("refused", "auth_error", 401)
    assert mux.delivered_seconds(**WINDOW, page=1, priority="low").amounts == {}


def test_the_newest_day_is_over_and_the_oldest_is_whole() -> None:
    assert mux.newest_day(datetime(2026, 11, 30, 11, 59, tzinfo=UTC)) == date(2026, 11, 28)
    assert mux.newest_day(datetime(2026, 11, 30, 12, 0, tzinfo=UTC)) == date(2026, 11, 29)
    assert mux.oldest_day(datetime(2026, 11, 30, 12, 0, tzinfo=UTC)) == date(2026, 9, 2)
