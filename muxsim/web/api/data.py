"""``/data/v1/metrics``: views and playing time by asset, as players have reported them. Finished views only.

Players report to another host than this one, so what is played here counts in ``delivery-usage`` alone; views are noted
by the controls. They outlive their asset, as at Mux.
"""

import math
import re

from flask import Blueprint, request

from muxsim import checks
from muxsim.errors import invalid, not_found
from muxsim.store import Doc
from muxsim.web.context import sim
from muxsim.web.every_call import data, env, guard

blueprint = guard(Blueprint("data", __name__, url_prefix="/data/v1"))
KEPT_FOR = 100 * 86_400
UNITS = {"minutes": 60, "hours": 3600, "days": 86_400}
SPAN = re.compile(r"(\d{1,6}):(minutes|hours|days)\Z")
VALUES = {"views": "count(*)", "playing_time": "CAST(round(1000 * sum(seconds)) AS INTEGER)"}
ORDERS = {"value": "value", "views": "views", "field": "asset_id"}
MAX_AT_ONCE = 10_000


@blueprint.get("/metrics/<metric>/breakdown")
def list_breakdown_values(metric: str) -> tuple[Doc, int]:
    value = VALUES.get(metric)
    if value is None:
        raise not_found()
    given = request.args
    if given.get("group_by") != "asset_id":
        raise invalid("group_by: this simulator groups by asset_id only.")
    if given.getlist("filters[]") or given.getlist("metric_filters[]"):
        raise invalid("filters: this simulator knows none.")
    limit = checks.whole(
        given.get("limit"), "limit", least=1, most=1000, default=sim().switches["default_page_size"]
    )
    page = checks.whole(given.get("page"), "page", least=1, most=10_000_000, default=1)
    order = ORDERS[checks.choice(given.get("order_by"), "order_by", tuple(ORDERS)) or "value"]
    direction = checks.choice(given.get("order_direction"), "order_direction", ("asc", "desc")) or "desc"
    start, end = _timeframe()
    grouped = (
        f"SELECT asset_id, count(*) AS views, {value} AS value, sum(seconds) AS seconds FROM views"  # noqa: S608 - words of this module, values as parameters # nosec B608
        " WHERE env = ? AND ended_at >= ? AND ended_at < ? GROUP BY asset_id"
    )  # words from the tables above
    total = int(sim().store.number(f"SELECT count(*) FROM ({grouped})", env(), start, end))  # noqa: S608 - words of this module, values as parameters # nosec B608
    rows = sim().store.all(
        f"{grouped} ORDER BY {order} {direction}, asset_id LIMIT ? OFFSET ?",
        env(), start, end, limit, (page - 1) * limit,
    )  # fmt: skip
    found = [_shown(row["asset_id"], row["views"], row["value"], row["seconds"]) for row in rows]
    return data(found, total_row_count=total, timeframe=[start, end])


def _shown(asset_id: str, views: int, value: int, seconds: float) -> Doc:
    spent = round(1000 * seconds)
    return {
        "field": asset_id, "views": views, "value": value, "total_watch_time": spent, "total_playing_time": spent,
    }  # fmt: skip


def _timeframe() -> tuple[int, int]:
    """Two moments, or a span that ends now (``24:hours``, also when none is given); at most a hundred days back."""
    now, given = math.ceil(sim().clock.now()), request.args.getlist("timeframe[]") or ["24:hours"]
    if len(given) == 1:
        match = SPAN.match(given[0])
        if match is None:
            raise invalid("timeframe takes a start and an end, or a span as 24:hours.")
        start, end = now - int(match[1]) * UNITS[match[2]], now
    elif len(given) == 2:
        start, end = (checks.whole(one, "timeframe", least=0, most=10**11 - 1, default=0) for one in given)
    else:
        raise invalid("timeframe takes a start and an end, or a span as 24:hours.")
    if start > end:
        raise invalid("timeframe must start before it ends.")
    return max(start, now - KEPT_FOR), end


def note_views(asset_id: str, environment: str, ended_at: float, count: int, seconds: float) -> None:
    row = (asset_id, environment, ended_at, seconds)
    sim().store.run_many(
        "INSERT INTO views (asset_id, env, ended_at, seconds) VALUES (?,?,?,?)", [row] * count
    )
