"""Every call to Mux that the product makes, by its name, and what one that fails raises."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lessonadmin import mux

Call = Callable[[], Any]
MOMENT = datetime(2026, 11, 20, tzinfo=UTC)


def create() -> Any:
    return mux.create_upload(
        passthrough=mux.Passthrough(lesson_id=uuid.UUID(int=1)), external_id="t1", policy="public"
    )


CALLS: dict[str, Call] = {
    "create_upload": create,
    "get_upload": lambda: mux.get_upload("u1", priority="low"),
    "list_uploads": lambda: mux.list_uploads(page=1, priority="low"),
    "cancel_upload": lambda: mux.cancel_upload("u1", priority="low"),
    "get_asset": lambda: mux.get_asset("a1", priority="low"),
    "list_assets": lambda: mux.list_assets(priority="low"),
    "delete_asset": lambda: mux.delete_asset("a1", priority="low"),
    "list_signing_keys": lambda: mux.list_signing_keys(priority="low"),
    "delivery_usage": lambda: mux.delivered_seconds(start=MOMENT, end=MOMENT, page=1, priority="low"),
    "list_plays": lambda: mux.plays(start=MOMENT, end=MOMENT, page=1, priority="low"),
    "whoami": lambda: mux.whoami(priority="low"),
    "create_playback_id": lambda: mux.create_playback_id("a1", policy="signed", priority="low"),
    "delete_playback_id": lambda: mux.delete_playback_id("a1", "p1", priority="low"),
}
BY_ID = [
    "get_upload", "cancel_upload", "get_asset", "delete_asset", "create_playback_id", "delete_playback_id",
]  # fmt: skip
DELETIONS = {"delete_asset", "delete_playback_id"}
# They name many assets, and leave out what names none.
OF_MANY = {"delivery_usage", "list_plays"}
# What the simulator calls them, where that is another word.
AT_MUX = {"delivery_usage": "list_delivery_usage", "list_plays": "list_breakdown_values"}
every_call = pytest.mark.parametrize("operation", CALLS)


def problem(call: Call) -> mux.MuxError:
    """What it fails with."""
    with pytest.raises(mux.MuxError) as caught:
        call()
    return caught.value


def fails(operation: str) -> mux.MuxError:
    return problem(CALLS[operation])


def kind(operation: str) -> tuple[str, str, int | None]:
    found = fails(operation)
    assert type(found).__name__.lower() == found.kind
    return found.kind, found.category, found.status
