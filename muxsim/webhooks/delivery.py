"""Sends one attempt of one webhook: signs it afresh, posts it, notes the answer, plans the next attempt.

Mux's rules: any 2xx within five seconds counts, anything else is tried again with a growing delay, thirty attempts
within a day; then the event is gone.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

import urllib3

from muxsim.clock import Clock, iso
from muxsim.faults import SENDING_KINDS, Faults, Rule
from muxsim.ids import Ids
from muxsim.store import Doc, Store
from muxsim.switches import Switches
from muxsim.webhooks.events import envelope

ANSWER_WITHIN = 5.0
AT_ONCE = 8  # attempts for one endpoint
MAX_ATTEMPTS = 30
GIVE_UP_AFTER = 24 * 3600.0
MAX_DELAY_SECONDS = 4278.0
"""With a first delay of five seconds, doubled up to this, thirty attempts fill 24 hours."""
KEPT_OF_A_BODY = 1000


def sign(secret: str, timestamp: int, body: bytes, *, scheme: str = "v1") -> str:
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},{scheme}={digest}"


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or ``None`` and the reason."""

    status: int | None
    headers: dict[str, str]
    body: str

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Carries out delivery rows."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, faults: Faults, switches: Switches) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self._switches = switches
        self._http = urllib3.PoolManager(retries=False, maxsize=AT_ONCE)

    def close(self) -> None:
        self._http.clear()

    def attempt(self, delivery_seq: int) -> None:
        with self._store.lock:
            delivery = self._store.one("SELECT * FROM deliveries WHERE seq = ?", delivery_seq)
            if (
                delivery is None
                or delivery["status"] not in ("pending", "held")
                or delivery["due"] > self._clock.now()
            ):
                return  # carried out, or put off, between being chosen and now
            event = self._store.one("SELECT * FROM events WHERE id = ?", delivery["event_id"])
            endpoint = self._store.one("SELECT * FROM endpoints WHERE id = ?", delivery["endpoint_id"])
            if event is None or endpoint is None or not endpoint["enabled"]:
                self._store.run("UPDATE deliveries SET status = 'dropped' WHERE seq = ?", delivery_seq)
                return
            attempts: list[Doc] = json.loads(delivery["attempts"])
            rule = self._faults.pick("webhook", _facts(event, endpoint, len(attempts) + 1), SENDING_KINDS)
        body = _body(envelope(event, attempts), rule)
        answer = self._post(endpoint["url"], body, self._headers(endpoint, body, rule))
        self._note(delivery, endpoint, attempts, answer, rule)

    def _headers(self, endpoint: Any, body: bytes, rule: Rule | None) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Mux/1.0 (muxsim)",
            "Connection": "close",
        }
        kind = rule.kind if rule else ""
        timestamp, secret, scheme = int(self._clock.wall()), endpoint["secret"], "v1"
        if rule and kind == "stale_timestamp":
            timestamp -= int(rule.number("seconds", 600))
        elif rule and kind == "future_timestamp":
            timestamp += int(rule.number("seconds", 600))
        elif kind == "wrong_secret":
            secret = "wrong-" + secret
        elif kind == "old_secret":
            secret = endpoint["old_secret"] or "old-" + secret
        elif kind == "old_scheme":
            scheme = "v0"
        if kind == "malformed_signature":
            headers["Mux-Signature"] = "t=soon,v1=zz"
        elif kind != "no_signature":
            headers["Mux-Signature"] = sign(
                secret, timestamp, b"?" + body if kind == "tampered_body" else body, scheme=scheme
            )
        return headers

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        try:
            reply = self._http.request(
                "POST", url, body=body, headers=headers, redirect=False, preload_content=False,
                timeout=urllib3.Timeout(total=ANSWER_WITHIN),
            )  # fmt: skip
            try:
                text = reply.read(KEPT_OF_A_BODY, decode_content=False).decode("utf-8", "replace")
            finally:
                reply.close()
            return Answer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, text)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Answer(None, {}, f"{type(error).__name__}: {error}"[:KEPT_OF_A_BODY])

    def _note(
        self, delivery: Any, endpoint: Any, attempts: list[Doc], answer: Answer, rule: Rule | None
    ) -> None:
        with self._store.transaction():
            attempts.append(
                {
                    "webhook_id": endpoint["id"],
                    "address": endpoint["url"],
                    "response_status_code": answer.status,
                    "response_headers": answer.headers,
                    "response_body": answer.body,
                    "max_attempts": MAX_ATTEMPTS,
                    "id": self._ids.new_uuid("attempt"),
                    "created_at": iso(self._clock.now()),
                }
            )
            status, due = self._next(delivery, len(attempts), answer)
            note = rule.kind if rule else delivery["note"]
            self._store.run(
                "UPDATE deliveries SET status = ?, due = ?, attempts = ?, note = ? WHERE seq = ?",
                status, due, json.dumps(attempts), note, delivery["seq"],
            )  # fmt: skip

    def _next(self, delivery: Any, made: int, answer: Answer) -> tuple[str, float]:
        """Planned from when the attempt was due, so that a skipped day holds as many attempts as a lived one."""
        if answer.accepted:
            return "delivered", delivery["due"]
        delay = min(self._switches["retry_seconds"] * 2 ** (min(made, 40) - 1), MAX_DELAY_SECONDS)
        due = delivery["due"] + delay
        if made >= MAX_ATTEMPTS or due > delivery["first_due"] + GIVE_UP_AFTER:
            return "failed", delivery["due"]
        return "pending", due


def _facts(event: Any, endpoint: Any, attempt: int) -> Doc:
    data = json.loads(event["data"])
    return {
        "type": event["type"],
        "object_id": event["object_id"],
        "asset_id": data.get("asset_id", data.get("id") if event["object_type"] == "asset" else None),
        "upload_id": data.get("upload_id", data.get("id") if event["object_type"] == "upload" else None),
        "endpoint_id": endpoint["id"],
        "url": endpoint["url"],
        "attempt": attempt,
    }


def _body(content: Doc, rule: Rule | None) -> bytes:
    kind = rule.kind if rule else ""
    if kind == "unknown_type":
        content["type"] = "video.asset.reticulated"
    if kind == "odd_content":
        content["data"]["passthrough"] = "\x00odd\ud800\u202e<script>"
        content["data"]["surprise"] = {"deep": [[[[]]]], "number": 10**40}
    if kind == "not_json":
        return b"<html><body>Service temporarily unavailable</body></html>"
    body = json.dumps(content, separators=(",", ":")).encode()
    return body[: len(body) // 2] if kind == "truncated_body" else body
