"""Carries out faults on HTTP answers: delays, cut connections, wrong bodies. Which fault strikes is decided elsewhere."""

import json
import socket
import time
from collections.abc import Iterator
from email.utils import formatdate

from flask import Response, request

from muxsim.errors import TOO_MANY, TYPES, error_response
from muxsim.faults import Rule
from muxsim.web.context import sim

INSTEAD = frozenset({"status", "rate_limited", "html"})
"""Faults that answer without the request having been processed (unless ``params.after`` is true)."""
MAX_WAIT_SECONDS = 600.0


def before(rule: Rule | None) -> Response | None:
    """What a rule does before the request is processed: an answer, a wait, or nothing."""
    if rule is None:
        return None
    if rule.kind in ("slow", "hang") and not rule.params.get("after"):
        _wait(rule, usually=2 if rule.kind == "slow" else 30)
        return None if rule.kind == "slow" else cut()
    if rule.params.get("after"):
        return None
    if rule.kind == "reset":
        return cut()
    return instead(rule) if rule.kind in INSTEAD else None


def after(rule: Rule | None, response: Response) -> Response:
    """What a rule does to the answer of a request that was processed."""
    if rule is None or response.headers.get("X-Muxsim-Fault"):
        return response
    if rule.kind in ("slow", "hang") and rule.params.get("after"):
        _wait(rule, usually=30)
        return response if rule.kind == "slow" else cut()
    if rule.kind == "reset":
        return cut()
    if rule.kind in INSTEAD:
        return instead(rule)
    return _spoil(rule, response)


def _wait(rule: Rule, *, usually: float) -> None:
    """Clearing the faults lets a slow answer go at once; a hanging one hangs on."""
    faults, until = sim().faults, time.monotonic() + min(rule.number("seconds", usually), MAX_WAIT_SECONDS)
    clearings = faults.clearings
    while (left := until - time.monotonic()) > 0:
        if rule.kind == "slow" and faults.clearings != clearings:
            return
        if sim().stopping.wait(min(left, 0.1)):
            return


def instead(rule: Rule) -> Response:
    if rule.kind == "rate_limited":
        return _marked(rule, rate_limited(rule.params.get("retry_after")))
    if rule.kind == "html":
        status = int(rule.number("status", 502))
        page = f"<html><body><h1>{status}</h1><p>upstream error</p></body></html>"
        return _marked(rule, Response(page, status=_status(status), content_type="text/html"))
    status = _status(int(rule.number("status", 500)))
    messages = rule.params.get("messages") or [str(rule.params.get("message") or "Simulated failure.")]
    response = error_response(
        status, [str(one) for one in messages], str(rule.params.get("type") or TYPES.get(status, "error"))
    )
    if rule.params.get("retry_after") is not None:
        response.headers["Retry-After"] = _header(rule.params["retry_after"])
    return _marked(rule, response)


def rate_limited(retry_after: object = None) -> Response:
    response = error_response(429, [TOO_MANY])
    if retry_after is not None:
        response.headers["Retry-After"] = _header(retry_after)
    return response


def http_date(moment: float) -> str:
    return formatdate(moment, usegmt=True)


def cut() -> Response:
    """An answer that never comes: the connection is reset when the server starts to write."""
    return Response(_then_reset([]), headers={"X-Muxsim-Fault": "reset"})


def _then_reset(pieces: list[bytes]) -> Iterator[bytes]:
    """Pieces of an answer, then a broken connection. Reading stops too: the server would wait for the rest of a body."""
    line: socket.socket | None = request.environ.get("werkzeug.socket")

    def body() -> Iterator[bytes]:
        yield from pieces
        if line is not None:
            line.shutdown(socket.SHUT_RD)
        raise ConnectionResetError("simulated reset")

    return body()


def _spoil(rule: Rule, response: Response) -> Response:
    raw = response.get_data()
    if rule.kind == "truncated_json":
        response.set_data(raw[: len(raw) // 2])
    elif rule.kind == "empty_body":
        response.set_data(b"")
    elif rule.kind == "not_utf8":
        response.set_data(b'{"data": "\xff\xfe\xc3\x28"}')
    elif rule.kind == "wrong_status":
        response.status_code = _status(int(rule.number("status", 200)))
    elif rule.kind == "cut_body":
        return _half(response, raw)
    elif rule.kind == "drip":
        return _dripping(rule, response, raw)
    elif rule.kind in ("unknown_enum", "missing_field"):
        response.set_data(_edited(rule, raw))
    else:
        return response
    return _marked(rule, response)


def _half(response: Response, raw: bytes) -> Response:
    """The full length is promised, half of it comes, then the connection breaks."""
    half = _then_reset([raw[: len(raw) // 2]])
    broken = Response(half, status=response.status_code, content_type=response.content_type)
    broken.headers["Content-Length"] = str(len(raw))
    broken.headers["X-Muxsim-Fault"] = "cut_body"
    return broken


def _dripping(rule: Rule, response: Response, raw: bytes) -> Response:
    """The head comes at once, and a byte of the body after each pause: no wait of the client's is a long one."""
    stopping, pause = sim().stopping, min(rule.number("seconds", 1), MAX_WAIT_SECONDS)

    def body() -> Iterator[bytes]:
        yield b""  # the head leaves with the first piece
        for place in range(len(raw)):
            if stopping.wait(pause):
                return
            yield raw[place : place + 1]

    slow = Response(body(), status=response.status_code, content_type=response.content_type)
    slow.headers["Content-Length"] = str(len(raw))
    return _marked(rule, slow)


def _edited(rule: Rule, raw: bytes) -> bytes:
    try:
        body = json.loads(raw)
    except ValueError:
        return raw
    field = str(rule.params.get("field", "status"))
    data = body.get("data") if isinstance(body, dict) else None
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict):
            if rule.kind == "missing_field":
                one.pop(field, None)
            else:
                one[field] = rule.params.get("value", "reticulating")
    return json.dumps(body).encode()


def _status(status: int) -> int:
    return status if 200 <= status <= 599 else 500


def _header(value: object) -> str:
    return str(value).replace("\r", "").replace("\n", "")


def _marked(rule: Rule, response: Response) -> Response:
    response.headers["X-Muxsim-Fault"] = rule.kind
    return response
