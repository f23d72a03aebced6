"""One call to Mux under way: sent, counted, logged, and judged. What the product asks for is in `api`.

A wrong id is refused before anything is sent; nothing is ever repeated in here. How much is left of Mux's rate limits is known as far as
the last answers told this process.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3

from lessonadmin import metrics, outbound
from lessonadmin.mux import fields, responses, transport, web_concurrency
from lessonadmin.mux.errors import MuxError, Refused
from lessonadmin.mux.payloads import Upload, WithoutId, upload_from
from lessonadmin.mux.responses import RequestInfo
from lessonadmin.mux.transport import Priority, token_of
from lessonadmin.outbound import Answer
from lessonadmin.text.temporary_ids import is_temporary

log = logging.getLogger("lessonadmin.mux")

POSSIBLE_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~:-]{1,255}")


# The raw answer: the SDK's models raise for values that are newer than they are.
CREATIONS = frozenset({"create_upload", "create_playback_id", "generate_captions"})
RAW_ANSWER: dict[str, Any] = {"_preload_content": False}


def valid_id(thing: str, given: str) -> str:
    """The id if Mux can have made it; an empty one would ask for the list, dots for another address."""
    if is_temporary(given):
        raise Refused(f"This is a temporary {thing} id; Mux has never seen it.", category="temp_asset")
    if not isinstance(given, str) or POSSIBLE_ID.fullmatch(given) is None:
        raise Refused(f"There is no {thing} id to look up at Mux.", category="not_found")
    return given


class MuxRequest:
    """One call under way."""

    def __init__(self, question: RequestInfo, subject: str | None) -> None:
        self.question = question
        self.subject = subject
        self.status: int | None = None

    def send(self, call: Callable[[Any], Any]) -> Answer:
        priority = self.question.priority
        try:
            with web_concurrency.slot(for_upload=self.question.operation == "create_upload"):
                answer = transport.send(priority, call)
        except (urllib3.exceptions.HTTPError, outbound.BodyTooLarge, OSError) as error:
            raise responses.connection_error(error) from error
        except UnicodeError:
            raise Refused("The access token has invalid characters.", category="auth_error") from None
        self.status = answer.status
        remember(priority, answer.headers, creating=self.question.operation in CREATIONS)
        return answer

    def value(self, call: Callable[[Any], Any]) -> dict[str, Any]:
        return responses.read_body(self.question, self.send(call))

    def rows(self, call: Callable[[Any], Any]) -> tuple[list[Any], dict[str, Any]]:
        value = self.value(call)
        if not isinstance(value["data"], list):
            raise responses.nonsense("it was no list", status=self.status)
        return value["data"], value

    def upload(self, call: Callable[[Any], Any]) -> Upload:
        upload = upload_from(self.value(call)["data"])
        self.must_be(upload.id)
        return upload

    def must_be(self, found: str) -> None:
        """An answer about something else (a confused cache) must change nothing."""
        if self.subject is not None and found != self.subject:
            raise responses.nonsense("it was about something else", status=self.status)


@contextmanager
def mux_request(
    operation: str, thing: str | None = None, subject: str | None = None, *, priority: Priority
) -> Iterator[MuxRequest]:
    """Count and log one call, whatever comes of it; a wrong id is refused before anything is sent."""
    if thing is not None:
        subject = valid_id(thing, subject or "")
    ask = MuxRequest(RequestInfo(operation=operation, thing=thing, priority=priority), subject)
    started = time.monotonic()
    outcome = "unknown"
    try:
        yield ask
        outcome = "ok"
    except MuxError as error:
        outcome = error.category
        raise
    except WithoutId as error:
        raise responses.nonsense(str(error), status=ask.status) from None
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


@dataclass(frozen=True)
class RateLeft:
    """What the last answer said."""

    remaining: int
    limit: int | None


# Mux keeps one bucket for creations and one for the rest, and both belong to the token.
_seen: dict[tuple[str, bool], RateLeft] = {}
MAX_TOKENS = 32


def remember(priority: Priority, headers: Mapping[str, str], *, creating: bool) -> None:
    """Take note of the headers of an answer; other answers are as good as none."""
    remaining, limit = (fields.number(headers.get(f"X-RateLimit-{name}")) for name in ("Remaining", "Limit"))
    if remaining is None:
        return
    if len(_seen) >= MAX_TOKENS:
        _seen.clear()
    whole = None if limit is None else max(0, int(limit))
    _seen[token_of(priority)[0], creating] = RateLeft(max(0, int(remaining)), whole)


def rate_left(priority: Priority, *, creating: bool = False) -> RateLeft | None:
    """The last word on this token's bucket; None before the first answer."""
    return _seen.get((token_of(priority)[0], creating))
