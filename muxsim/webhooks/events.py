"""Webhook events: what they carry, and when each endpoint gets them. Sending is the business of ``delivery``.

The faults that change *whether, when and how often* an event leaves (drop, delay, duplicate, reorder, shuffle) strike
here, at the moment the event is made.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from muxsim.clock import Clock, iso
from muxsim.faults import SCHEDULING_KINDS, Faults, Rule
from muxsim.ids import Ids
from muxsim.store import Doc, Store

MAX_WAIT_SECONDS = 10.0
"""Simulated seconds after which a held event leaves even if none came that it could wait for."""


class Events:
    """Makes events and schedules their deliveries."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, faults: Faults) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self.on_change: Callable[[], None] = lambda: None

    def emit(
        self, kind: str, data: Doc, *, env: str, lane: str, object_type: str, object_id: str | None = None,
        after: float = 0.0,
    ) -> str:  # fmt: skip
        """Stores an event and one delivery for each endpoint of its environment; answers the event's id.

        ``after`` so many seconds it comes into being: dated then, and sent then.
        """
        event_id = self._ids.new_uuid("event")
        now = self._clock.now() + after
        target = object_id or str(data.get("id", ""))
        with self._store.transaction():
            self._store.run(
                "INSERT INTO events (id, type, object_type, object_id, lane, env, created_at, data)"
                " VALUES (?,?,?,?,?,?,?,?)",
                event_id, kind, object_type, target, lane, env, now, json.dumps(data),
            )  # fmt: skip
            facts = {
                "type": kind,
                "object_id": target,
                "asset_id": data.get("asset_id", data.get("id") if object_type == "asset" else None),
                "upload_id": data.get("upload_id", data.get("id") if object_type == "upload" else None),
            }
            for endpoint in self._store.all(
                "SELECT * FROM endpoints WHERE env = ? AND enabled ORDER BY created_at, id", env
            ):
                known = {**facts, "endpoint_id": endpoint["id"], "url": endpoint["url"]}
                rule = self._faults.pick("webhook", known, SCHEDULING_KINDS)
                self._schedule(event_id, endpoint["id"], lane, now, rule)
        self.on_change()
        return event_id

    def send_again(self, event_id: str) -> bool:
        """A redelivery of the same event, as after a lost acknowledgement: same id, the earlier attempts listed."""
        with self._store.transaction():
            event = self._store.one("SELECT * FROM events WHERE id = ?", event_id)
            if event is None:
                return False
            now = self._clock.now()
            for endpoint in self._store.all(
                "SELECT id FROM endpoints WHERE env = ? AND enabled", event["env"]
            ):
                last = self._store.one(
                    "SELECT attempts FROM deliveries WHERE event_id = ? AND endpoint_id = ? ORDER BY seq DESC LIMIT 1",
                    event_id, endpoint["id"],
                )  # fmt: skip
                earlier = last["attempts"] if last else "[]"
                self._insert(
                    event_id, endpoint["id"], event["lane"], now, note="sent again", attempts=earlier
                )
        self.on_change()
        return True

    def _insert(
        self, event_id: str, endpoint_id: str, lane: str, due: float, *, status: str = "pending", note: str = "",
        attempts: str = "[]",
    ) -> None:  # fmt: skip
        self._store.run(
            "INSERT INTO deliveries (event_id, endpoint_id, lane, due, first_due, status, note, attempts)"
            " VALUES (?,?,?,?,?,?,?,?)",
            event_id, endpoint_id, lane, due, due, status, note, attempts,
        )  # fmt: skip

    def _schedule(self, event_id: str, endpoint_id: str, lane: str, now: float, rule: Rule | None) -> None:
        kind = rule.kind if rule else ""
        if rule is None:
            self._insert(event_id, endpoint_id, lane, now)
        elif kind == "drop":
            self._insert(event_id, endpoint_id, lane, now, status="dropped", note="dropped by a fault")
        elif kind == "delay":
            self._insert(event_id, endpoint_id, lane, now + rule.number("seconds", 30), note="delayed")
        elif kind == "duplicate":
            for copy in range(1 + max(1, min(50, int(rule.number("copies", 1))))):
                self._insert(event_id, endpoint_id, lane, now, note="duplicate" if copy else "")
        else:
            wait = rule.number("max_wait", MAX_WAIT_SECONDS)
            window = 2 if kind == "reorder" else max(2, min(100, int(rule.number("window", 5))))
            self._insert(event_id, endpoint_id, lane, now + wait, status="held", note=f"{kind}:{window}")
        if kind != "drop":
            self._release_held(endpoint_id, now, newcomer_held=kind in ("reorder", "shuffle"))

    def _release_held(self, endpoint_id: str, now: float, *, newcomer_held: bool) -> None:
        """Lets held events go once enough came: a reordered one after its successor, a shuffled window by lot."""
        held = self._store.all(
            "SELECT seq, event_id, note FROM deliveries WHERE endpoint_id = ? AND status = 'held' ORDER BY seq",
            endpoint_id,
        )
        reordered = [row for row in held if row["note"].startswith("reorder")]
        if newcomer_held and reordered and reordered[-1]["seq"] == held[-1]["seq"]:
            reordered = reordered[:-1] if len(reordered) > 1 else []
        shuffled = [row for row in held if row["note"].startswith("shuffle")]
        if shuffled and len(shuffled) < int(shuffled[0]["note"].split(":")[1]):
            shuffled = []
        shuffled.sort(key=lambda row: hashlib.sha256(f"{self._ids.seed}|{row['event_id']}".encode()).digest())
        for place, row in enumerate([*reordered, *shuffled], start=1):
            self._store.run(
                "UPDATE deliveries SET status = 'pending', due = ? WHERE seq = ?",
                now + place * 0.001,
                row["seq"],
            )


def envelope(event: Any, attempts: list[Doc]) -> Doc:
    """The body of a webhook, with the attempts made so far."""
    return {
        "type": event["type"],
        "id": event["id"],
        "created_at": iso(event["created_at"]),
        "object": {"type": event["object_type"], "id": event["object_id"]},
        "environment": {"name": event["env"], "id": environment_id(event["env"])},
        "data": json.loads(event["data"]),
        "request_id": None,
        "accessor": None,
        "accessor_source": None,
        "attempts": attempts,
    }


def environment_id(name: str) -> str:
    """The same in every event of an environment and in what its tokens are told about themselves."""
    return hashlib.sha256(name.encode()).hexdigest()[:6]
