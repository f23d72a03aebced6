"""The calls to Mux that the product makes: each is one request, counted and logged, with a typed answer.

A creation is never repeated, here or by whoever calls it. What a failure means for a lesson is decided elsewhere.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import mux_python
import urllib3

from lessonadmin import config, metrics
from lessonadmin.mux import fields, rates, transport, verdict
from lessonadmin.mux.errors import MuxError, Refused, plain
from lessonadmin.mux.passthrough import Passthrough
from lessonadmin.mux.payloads import Asset, AssetPage, Upload, WithoutId, asset_from, upload_from
from lessonadmin.mux.transport import Answer, Priority
from lessonadmin.mux.verdict import Question

log = logging.getLogger("lessonadmin.mux")

TEMPORARY = "temp_"
POSSIBLE_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~:-]{1,255}")
PAGE = 100
LONGEST_TITLE = 512
LONGEST_EXTERNAL_ID = 128
LANGUAGES = {
    "en": "English", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "de": "German", "fr": "French",
    "pl": "Polish", "ru": "Russian", "nl": "Dutch", "ca": "Catalan", "tr": "Turkish", "sv": "Swedish",
    "uk": "Ukrainian", "no": "Norwegian", "fi": "Finnish", "sk": "Slovak", "el": "Greek", "cs": "Czech",
    "hr": "Croatian", "da": "Danish", "ro": "Romanian", "bg": "Bulgarian",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DeliveryUsage:
    """What viewers watched in a window of time; `complete` is False when there was more than we asked for."""

    delivered_seconds: float
    rows: int
    complete: bool


@dataclass(frozen=True)
class Ping:
    """What a small question brought: the clock at Mux, and the newest assets that the token sees."""

    clock: datetime | None
    asset_ids: tuple[str, ...]


@dataclass(frozen=True)
class SigningKey:
    id: str
    created_at: datetime | None


def is_temporary(asset_id: str | None) -> bool:
    """Ids that an older program of ours made up before Mux had given one."""
    return bool(asset_id) and str(asset_id).startswith(TEMPORARY)


def create_upload(
    *,
    passthrough: Passthrough,
    external_id: str,
    policy: str,
    caption_language: str | None = None,
    title: str | None = None,
    priority: Priority = "high",
) -> Upload:
    """Ask for an upload address. An error leaves open whether Mux made one: look, never repeat."""
    if not 0 < len(external_id) <= LONGEST_EXTERNAL_ID:
        raise ValueError("an external id has 1 to 128 characters")
    # The title and the external id can be read by everybody who plays the video.
    meta = {"external_id": external_id} | ({"title": plain(title)[:LONGEST_TITLE]} if title else {})
    asset: dict[str, Any] = {
        "playback_policies": [policy],
        "passthrough": passthrough.text(),
        "max_resolution_tier": "1080p",
        "meta": meta,
    }
    if caption_language:
        name = LANGUAGES.get(caption_language, caption_language)
        asset["inputs"] = [{"generated_subtitles": [{"language_code": caption_language, "name": name}]}]
    settings = config.current()
    body = {
        "cors_origin": settings.public_url,
        "timeout": settings.upload_timeout_seconds,
        "new_asset_settings": asset,
    }
    with _asked("create_upload", priority=priority) as ask:
        upload = ask.upload(lambda sdk: mux_python.DirectUploadsApi(sdk).create_direct_upload(body, **RAW))
        if upload.url is None:
            raise verdict.nonsense("the upload had no address")
        return upload


def get_upload(upload_id: str, *, priority: Priority) -> Upload:
    with _asked("get_upload", "upload", upload_id, priority=priority) as ask:
        return ask.upload(lambda sdk: mux_python.DirectUploadsApi(sdk).get_direct_upload(upload_id, **RAW))


def cancel_upload(upload_id: str, *, priority: Priority) -> Upload:
    """Only a waiting upload can be cancelled; anything else is Refused with status 403."""
    with _asked("cancel_upload", "upload", upload_id, priority=priority) as ask:
        return ask.upload(lambda sdk: mux_python.DirectUploadsApi(sdk).cancel_direct_upload(upload_id, **RAW))


def list_uploads(*, page: int, limit: int = PAGE, priority: Priority) -> tuple[Upload, ...]:
    """Newest first; pages count from 1."""
    with _asked("list_uploads", priority=priority) as ask:
        rows, _ = ask.rows(
            lambda sdk: mux_python.DirectUploadsApi(sdk).list_direct_uploads(limit=limit, page=page, **RAW)
        )
        return tuple(upload_from(row) for row in rows)


def get_asset(asset_id: str, *, priority: Priority) -> Asset:
    with _asked("get_asset", "asset", asset_id, priority=priority) as ask:
        value = ask.value(lambda sdk: mux_python.AssetsApi(sdk).get_asset(asset_id, **RAW))
        asset = asset_from(value["data"])
        ask.must_be(asset.id)
        return asset


def list_assets(
    *, cursor: str | None = None, upload_id: str | None = None, limit: int = PAGE, priority: Priority
) -> AssetPage:
    """Newest first, a hundred for one request; `upload_id` finds the asset of an upload whose event was lost."""
    chosen: dict[str, Any] = {"limit": limit}
    if cursor is not None:
        chosen["cursor"] = cursor
    if upload_id is not None:
        chosen["upload_id"] = _real("upload", upload_id)
    with _asked("list_assets", priority=priority) as ask:
        rows, value = ask.rows(lambda sdk: mux_python.AssetsApi(sdk).list_assets(**chosen, **RAW))
        found = map(asset_from, rows)
        # Should the filter ever be ignored, a stranger's asset must not look like the one that was searched.
        assets = tuple(one for one in found if upload_id is None or one.upload_id in (upload_id, None))
        following = value.get("next_cursor")
        return AssetPage(assets, following if isinstance(following, str) and following else None)


def delete_asset(asset_id: str, *, priority: Priority) -> None:
    """Gone means that it is done already; Later with status 400 that the asset is still being processed."""
    with _asked("delete_asset", "asset", asset_id, priority=priority) as ask:
        verdict.done(
            ask.question, ask.send(lambda sdk: mux_python.AssetsApi(sdk).delete_asset(asset_id, **RAW))
        )


def ping(*, priority: Priority, limit: int = 10) -> Ping:
    """Does the token open the door, and to which environment? One small list, and the hour on its letterhead."""
    with _asked("list_assets", priority=priority) as ask:
        answer = ask.send(lambda sdk: mux_python.AssetsApi(sdk).list_assets(limit=limit, **RAW))
        rows = fields.items(verdict.data_of(ask.question, answer)["data"])
        ids = (fields.identifier(fields.mapping(row).get("id")) for row in rows)
        return Ping(fields.letterhead(answer.headers.get("Date")), tuple(one for one in ids if one is not None))


def delivery_usage(*, start: datetime, end: datetime, priority: Priority, pages: int = 5) -> DeliveryUsage:
    """Mux knows the last 90 days, up to twelve hours ago; most watched first, so a cut tail weighs little."""
    frame = [str(int(start.timestamp())), str(int(end.timestamp()))]
    seconds, count, complete = 0.0, 0, False
    for page in range(1, pages + 1):
        rows = _usage_page(frame, page, priority)
        count += len(rows)
        seconds += sum(
            max(0.0, fields.number(fields.mapping(row).get("delivered_seconds")) or 0.0) for row in rows
        )
        if len(rows) < PAGE:
            complete = True
            break
    return DeliveryUsage(delivered_seconds=seconds, rows=count, complete=complete)


def _usage_page(frame: list[str], page: int, priority: Priority) -> list[Any]:
    with _asked("delivery_usage", priority=priority) as ask:
        rows, _ = ask.rows(
            lambda sdk: mux_python.DeliveryUsageApi(sdk).list_delivery_usage(
                page=page, limit=PAGE, timeframe=frame, **RAW
            )
        )
        return rows


def list_signing_keys(*, priority: Priority) -> tuple[SigningKey, ...]:
    """Needs a token with the System permission; without it Refused, category auth_error."""
    with _asked("list_signing_keys", priority=priority) as ask:
        rows, _ = ask.rows(
            lambda sdk: mux_python.SigningKeysApi(sdk).list_signing_keys(limit=PAGE, page=1, **RAW)
        )
        keys = []
        for row in map(fields.mapping, rows):
            if (key_id := fields.identifier(row.get("id"))) is None:
                raise WithoutId("a key without an id")
            keys.append(SigningKey(key_id, fields.moment(row.get("created_at"))))
        return tuple(keys)


# The raw answer: the SDK's models raise for values that are newer than they are.
RAW: dict[str, Any] = {"_preload_content": False}


def _real(thing: str, given: str) -> str:
    """The id if Mux can have made it; an empty one would ask for the list, dots for another address."""
    if is_temporary(given):
        raise Refused(
            f"This is a temporary {thing} id of ours; Mux has never seen it.", category="temp_asset"
        )
    if not isinstance(given, str) or POSSIBLE_ID.fullmatch(given) is None:
        raise Refused(f"There is no {thing} id to ask Mux for.", category="not_found")
    return given


class _Ask:
    """One call under way."""

    def __init__(self, question: Question, subject: str | None) -> None:
        self.question = question
        self.subject = subject
        self.status: int | None = None

    def send(self, call: Callable[[Any], Any]) -> Answer:
        priority = self.question.priority
        try:
            answer = transport.send(priority, call)
        except (urllib3.exceptions.HTTPError, transport.TooMuch, OSError) as error:
            raise verdict.no_answer(error) from error
        except UnicodeError:
            raise Refused(
                "Our access token has characters that no token has.", category="auth_error"
            ) from None
        self.status = answer.status
        rates.remember(priority, answer.headers, creating=self.question.operation == "create_upload")
        return answer

    def value(self, call: Callable[[Any], Any]) -> dict[str, Any]:
        return verdict.data_of(self.question, self.send(call))

    def rows(self, call: Callable[[Any], Any]) -> tuple[list[Any], dict[str, Any]]:
        value = self.value(call)
        if not isinstance(value["data"], list):
            raise verdict.nonsense("it was no list", status=self.status)
        return value["data"], value

    def upload(self, call: Callable[[Any], Any]) -> Upload:
        upload = upload_from(self.value(call)["data"])
        self.must_be(upload.id)
        return upload

    def must_be(self, found: str) -> None:
        """An answer about something else (a confused cache) must change nothing."""
        if self.subject is not None and found != self.subject:
            raise verdict.nonsense("it was about something else", status=self.status)


@contextmanager
def _asked(
    operation: str, thing: str | None = None, subject: str | None = None, *, priority: Priority
) -> Iterator[_Ask]:
    """Count and log one call, whatever comes of it; a wrong id is refused before anything is sent."""
    if thing is not None:
        subject = _real(thing, subject or "")
    ask = _Ask(Question(operation=operation, thing=thing, priority=priority), subject)
    started = time.monotonic()
    outcome = "unknown"
    try:
        yield ask
        outcome = "ok"
    except MuxError as error:
        outcome = error.category
        raise
    except WithoutId as error:
        raise verdict.nonsense(str(error), status=ask.status) from None
    finally:
        metrics.mux_requests.labels(operation, outcome).inc()
        log.log(
            logging.INFO if outcome == "ok" else logging.WARNING,
            "mux call",
            extra={
                "operation": operation,
                "outcome": outcome,
                "status": ask.status,
                "ms": round((time.monotonic() - started) * 1000),
                "priority": priority,
                "subject": subject,
            },
        )
