"""The simulator's state in plain JSON, for the page and for tests. Reads only."""

import json
from typing import Any

from muxsim import __version__
from muxsim.clock import iso
from muxsim.options import PERMISSIONS
from muxsim.store import Doc
from muxsim.switches import SWITCHES
from muxsim.videos.assets import Asset
from muxsim.videos.uploads import Upload
from muxsim.web.context import sim
from muxsim.webhooks.events import envelope


def everything(rows: int) -> Doc:
    return {
        "version": __version__,
        "ffmpeg": sim().ffmpeg is not None,
        "clock": {
            "now": sim().clock.now(),
            "iso": iso(sim().clock.now()),
            "ahead": sim().clock.ahead,
            "speed": sim().clock.speed,
        },
        "counts": counts(),
        "switches": sim().switches.all(),
        "switch_help": {
            name: {"choices": list(one.choices), "says": one.says} for name, one in SWITCHES.items()
        },
        "faults": sim().faults.all(),
        "endpoints": [
            {**one, "secret": one["secret"], "old_secret": one["old_secret"]} for one in sim().endpoints()
        ],
        "tokens": [
            {"id": one.id, "priority": one.priority, "env": one.env, "permissions": sim().permissions.of(one)}
            for one in sim().options.tokens
        ],
        "permissions": PERMISSIONS,
        "uploads": uploads(rows),
        "assets": assets(rows),
        "events": events(rows, newest=True),
        "calls": calls(2 * rows, newest=True),
    }


def counts() -> Doc:
    number = sim().store.number
    return {
        "uploads": number("SELECT count(*) FROM uploads"),
        "assets": number("SELECT count(*) FROM assets"),
        "events": number("SELECT count(*) FROM events"),
        "calls": number("SELECT max(seq) FROM calls"),
        "undelivered": number("SELECT count(*) FROM deliveries WHERE status IN ('pending', 'held')"),
    }


def upload(one: Upload) -> Doc:
    size = one.total
    return {
        **one.shown(url=sim().upload_url(one)),
        "created_at": one.created_at,
        "deadline": one.deadline,
        "received": sim().uploads.received(one.id) if one.status == "waiting" else size,
        "total": size,
    }


def uploads(rows: int) -> list[Doc]:
    return [upload(one) for one in sim().uploads.page(None, rows, 0)]


def asset(one: Asset) -> Doc:
    body = one.shown(sim().processing.progress(one))
    body["created_at"] = one.created_at
    body["held"] = one.work.get("held_since") is not None
    body["has_file"] = bool(one.work.get("source"))
    body["packaged"] = bool(one.work.get("packaged"))
    return body


def assets(rows: int) -> list[Doc]:
    return [asset(one) for one, _ in sim().assets.page(None, limit=rows)]


def events(rows: int, *, since: int = 0, newest: bool = False) -> list[Doc]:
    order = "DESC" if newest else "ASC"
    found = sim().store.all(
        f"SELECT * FROM events WHERE seq > ? ORDER BY seq {order} LIMIT ?",  # noqa: S608 - one of two words # nosec B608
        since, rows,
    )  # fmt: skip
    return [_event(row) for row in found]


def _event(row: Any) -> Doc:
    deliveries = sim().store.all("SELECT * FROM deliveries WHERE event_id = ? ORDER BY seq", row["id"])
    shown = [
        {
            "endpoint_id": one["endpoint_id"], "status": one["status"], "due": one["due"], "note": one["note"],
            "attempts": json.loads(one["attempts"]),
        }
        for one in deliveries
    ]  # fmt: skip
    body = envelope(row, [])
    return {"seq": row["seq"], **body, "lane": row["lane"], "deliveries": shown}


def calls(rows: int, *, since: int = 0, newest: bool = False) -> list[Doc]:
    order = "DESC" if newest else "ASC"
    return [
        dict(row)
        for row in sim().store.all(
            f"SELECT * FROM calls WHERE seq > ? ORDER BY seq {order} LIMIT ?",  # noqa: S608 - one of two words # nosec B608
            since, rows,
        )
    ]  # fmt: skip
