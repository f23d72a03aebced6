"""What was watched, as Mux counts it: the seconds that were delivered of each asset, and how often it was played.

Delivered seconds are counted in whole hours of UTC, are known up to twelve hours ago and for 90 days, and need no more than a token
for videos. Plays come from the reports of players (Mux Data), only once a play is over, for 100 days, and need a token with the
permission `data:read`. Both outlive their asset. Nothing in here knows whose an asset is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import mux_python

from lessonadmin.mux import fields
from lessonadmin.mux.request import RAW_ANSWER, mux_request
from lessonadmin.mux.transport import Priority

PAGE = 100
LATE = timedelta(hours=12)
KEPT = timedelta(days=90)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class DeliveryUsage:
    """What viewers watched in a window of time; `complete` is False when there was more than was asked for."""

    delivered_seconds: float
    rows: int
    complete: bool


@dataclass(frozen=True)
class AmountPage:
    """One page of the amounts of assets, the largest first; what has no id or no amount is left out of it."""

    amounts: Mapping[str, float]
    rows: int

    @property
    def is_last(self) -> bool:
        return self.rows < PAGE


def newest_day(now: datetime) -> date:
    """The newest day of UTC whose hours are all counted."""
    return (now - LATE).astimezone(UTC).date() - DAY


def oldest_day(now: datetime) -> date:
    """The oldest one that is still known whole."""
    return (now - LATE - KEPT).astimezone(UTC).date() + DAY


def delivery_usage(*, start: datetime, end: datetime, priority: Priority, pages: int = 5) -> DeliveryUsage:
    """Of all assets together; most watched first, so a cut tail weighs little."""
    seconds, count, complete = 0.0, 0, False
    for page in range(1, pages + 1):
        rows = _usage_rows(start, end, page, priority)
        count += len(rows)
        seconds += sum(_amount(row, "delivered_seconds") for row in rows)
        if len(rows) < PAGE:
            complete = True
            break
    return DeliveryUsage(delivered_seconds=seconds, rows=count, complete=complete)


def delivered_seconds(*, start: datetime, end: datetime, page: int, priority: Priority) -> AmountPage:
    """Of each asset that was watched in a window of whole hours; pages count from 1."""
    return _page_of(_usage_rows(start, end, page, priority), "asset_id", "delivered_seconds")


def plays(*, start: datetime, end: datetime, page: int, priority: Priority) -> AmountPage:
    """How often each asset was played; pages count from 1. A token without `data:read` is Refused, category auth_error."""
    with mux_request("list_plays", priority=priority) as ask:
        rows, _ = ask.rows(
            lambda sdk: mux_python.MetricsApi(sdk).list_breakdown_values(
                "views",
                group_by="asset_id",
                timeframe=_frame(start, end),
                limit=PAGE,
                page=page,
                order_by="views",
                order_direction="desc",
                **RAW_ANSWER,
            )
        )
        return _page_of(rows, "field", "views")


def _usage_rows(start: datetime, end: datetime, page: int, priority: Priority) -> list[Any]:
    with mux_request("delivery_usage", priority=priority) as ask:
        rows, _ = ask.rows(
            lambda sdk: mux_python.DeliveryUsageApi(sdk).list_delivery_usage(
                page=page, limit=PAGE, timeframe=_frame(start, end), **RAW_ANSWER
            )
        )
        return rows


def _frame(start: datetime, end: datetime) -> list[str]:
    return [str(int(start.timestamp())), str(int(end.timestamp()))]


def _page_of(rows: list[Any], name: str, amount: str) -> AmountPage:
    amounts: dict[str, float] = {}
    for row in rows:
        asset_id = fields.identifier(fields.mapping(row).get(name))
        if asset_id is not None and (found := _amount(row, amount)):
            amounts[asset_id] = amounts.get(asset_id, 0.0) + found
    return AmountPage(amounts, len(rows))


def _amount(row: Any, name: str) -> float:
    return max(0.0, fields.number(fields.mapping(row).get(name)) or 0.0)
