"""What an answer of Mux's means: its data, or one of the four kinds of failure with a sentence for staff.

Only Mux's own "not found", in Mux's own form, makes Gone: a gateway's 404 page, a wrong address, a list that does
not exist say nothing about a video. Nothing in here makes a call.
"""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from urllib3 import exceptions as broken

from lessonadmin.mux import fields, safe_json
from lessonadmin.mux.errors import Category, Gone, Later, MuxError, Nonsense, Refused
from lessonadmin.mux.transport import Priority
from lessonadmin.outbound import Answer, BodyTooLarge

MAX_WAIT_SECONDS = 86_400.0
PLAN_LIMIT = re.compile(
    r"\bplan\b.*\blimit|\blimited to \d+ assets|\bquota\b|exceeding this limit", re.I | re.S
)
BAD_ID = re.compile(r"failed to parse id", re.I)
TOO_EARLY = re.compile(r"\bpreparing\b|\bprocessing\b|not (?:yet )?ready", re.I)
TOKEN_NAMES: dict[Priority, str] = {
    "high": "MUX_TOKEN_ID and MUX_TOKEN_SECRET",
    "low": "MUX_WORKER_TOKEN_ID and MUX_WORKER_TOKEN_SECRET",
}


@dataclass(frozen=True, kw_only=True)
class RequestInfo:
    """What was asked; `thing` is what the id names, None for lists and creations."""

    operation: str
    thing: str | None = None
    priority: Priority = "high"


def _json(body: bytes) -> Any:
    """Raises ValueError for whatever is no UTF-8 JSON."""
    return safe_json.clean(safe_json.load(body.decode("utf-8")))


def _error_text(answer: Answer) -> str | None:
    """Mux's own words in an error; "" for an error without words; None when this is not Mux's form of an error."""
    try:
        value = _json(answer.body)
    except ValueError:
        return None
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return None
    return fields.error_text(error) or fields.short_text(error.get("type")) or ""


def _rate_limit_text(answer: Answer) -> str | None:
    """What stands before Mux's API answers 429 in a form of its own: a list under `errors`. Nothing else is read so."""
    try:
        value = _json(answer.body)
    except ValueError:
        return None
    listed = value.get("errors") if isinstance(value, dict) else None
    said = [text for text in map(fields.short_text, fields.items(listed, most=20)) if text]
    return "; ".join(said) or None


def read_body(question: RequestInfo, answer: Answer) -> dict[str, Any]:
    """The whole JSON body of a success; raises one of the four kinds."""
    if not 200 <= answer.status <= 299:
        raise failure(question, answer)
    try:
        value = _json(answer.body)
    except ValueError:
        raise nonsense("it was not JSON", status=answer.status) from None
    if not isinstance(value, dict) or "data" not in value:
        raise nonsense("it had no data in it", status=answer.status)
    return value


def check_success(question: RequestInfo, answer: Answer) -> None:
    """For answers that need no body: a 204, or at least nothing that contradicts."""
    if answer.status != 204 and answer.body.strip():
        read_body(question, answer)
    elif not 200 <= answer.status <= 299:
        raise failure(question, answer)


def nonsense(why: str, *, status: int | None = None) -> Nonsense:
    return Nonsense(f"Mux's answer could not be understood: {why}.", status=status)


def failure(question: RequestInfo, answer: Answer) -> MuxError:
    """Which of the four kinds a status outside 2xx is."""
    status, words = answer.status, _error_text(answer)
    said = _quoted(words)
    if status == 408:
        return Later(f"Mux timed out.{said}", category="timeout", status=status)
    if status == 429:
        wait = retry_after(answer.headers)
        return Later(
            f"Mux asks for fewer calls.{_quoted(_rate_limit_text(answer)) or said}",
            category="rate_limit",
            status=status,
            retry_after=wait,
        )
    if status >= 500:
        wait = retry_after(answer.headers)
        return Later(f"Mux has an internal error ({status}).{said}", status=status, retry_after=wait)
    if status == 404:
        return _not_found(question, words, said)
    if status >= 400:
        return _refusal(question, status, words or "", said)
    return nonsense(f"the status was {status}", status=status)


def _quoted(words: str | None) -> str:
    """Mux's words as a sentence that others may follow."""
    if not words:
        return ""
    return f" Mux says: {words}" if words.endswith((".", "!", "?")) else f" Mux says: {words}."


def _not_found(question: RequestInfo, words: str | None, said: str) -> MuxError:
    if words is None:
        return nonsense("something that is not Mux's API answered 404; check MUX_API_URL", status=404)
    if question.thing is None:
        return Refused(f"Mux does not offer this call.{said}", category="not_found", status=404)
    return Gone(f"Mux has no such {question.thing}.{said}", status=404)


def _refusal(question: RequestInfo, status: int, words: str, said: str) -> MuxError:
    category, sentence = _category_and_sentence(question, status, words)
    if question.operation == "delete_asset" and status in (400, 409, 422) and TOO_EARLY.search(words):
        # The one refusal that ends by itself: the asset may be deleted once it is processed.
        return Later(f"Mux cannot delete this asset yet.{said}", category="preparing", status=status)
    return Refused(sentence + said, category=category, status=status)


def _category_and_sentence(question: RequestInfo, status: int, words: str) -> tuple[Category, str]:
    if status == 401:
        # Mux answers both with the same body.
        return (
            "auth_error",
            f"Mux does not accept the access token, or the token lacks this permission; check {TOKEN_NAMES[question.priority]}.",
        )
    if status == 402 or PLAN_LIMIT.search(words):
        return "quota", "The limit of the Mux plan is reached."
    if question.operation == "cancel_upload" and status in (403, 409):
        return "unknown", "This upload can no longer be cancelled."
    if status == 403:
        return "auth_error", f"The access token may not do this; check {TOKEN_NAMES[question.priority]}."
    if question.thing and status == 400 and BAD_ID.search(words):
        return (
            "not_found",
            f"This is not the id of {'an' if question.thing == 'asset' else 'any'} {question.thing}.",
        )
    return "unknown", f"Mux refused this ({status})."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, out of either form of Retry-After; at most a day."""
    text = (headers.get("Retry-After") or "").strip()
    seconds = fields.number(text)
    if seconds is None:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return min(MAX_WAIT_SECONDS, max(0.0, seconds)) if math.isfinite(seconds) else None


def connection_error(error: Exception) -> MuxError:
    """What it means that no answer came, or only a part of one: nothing is known."""
    if isinstance(error, BodyTooLarge):
        return nonsense("it was far too long")
    cause = error.reason if isinstance(error, broken.MaxRetryError) and error.reason else error
    if isinstance(cause, broken.DecodeError):
        return nonsense("its compression was broken")
    if isinstance(cause, broken.NewConnectionError):
        return Later(f"Mux could not be reached: {_why_unreachable(cause)}.", category="network")
    if isinstance(cause, broken.TimeoutError):
        return Later("Mux did not answer in time.", category="timeout")
    if isinstance(cause, broken.SSLError):
        return Later("No secure connection to Mux could be made (TLS).", category="network")
    if isinstance(cause, broken.HTTPError):
        return Later("The connection to Mux was interrupted.", category="network")
    return Later(f"The call to Mux failed ({type(cause).__name__}).", category="network")


def _why_unreachable(cause: urllib3.exceptions.HTTPError) -> str:
    return "its name is not known" if isinstance(cause, broken.NameResolutionError) else "no connection"
