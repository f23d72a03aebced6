"""Mux's errors: one exception, one body shape. Whatever goes wrong in a request ends here, never as a traceback."""

import json

from flask import Response

from muxsim.store import Doc

NOT_FOUND = "The requested resource either doesn't exist or you don't have access to it."
PARSE_ID = "Failed to parse ID"
UNAUTHORIZED = "Unauthorized request"
TOO_MANY = "Too many requests, retry later."
FREE_PLAN = "Free plan is limited to 10 assets, you cannot create direct uploads while exceeding this limit"
TYPES = {
    400: "invalid_parameters", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    408: "timeout", 409: "conflict", 410: "gone", 412: "not_ready", 413: "payload_too_large", 415: "unsupported_media_type",
    500: "internal_error", 502: "bad_gateway", 503: "service_unavailable", 504: "gateway_timeout",
}  # fmt: skip


class MuxError(Exception):
    """Ends a request with a status and Mux's error body."""

    def __init__(self, status: int, *messages: str, kind: str | None = None) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = list(messages)
        self.kind = kind or TYPES.get(status, "error")

    def response(self) -> Response:
        return error_response(self.status, self.messages, self.kind)


def error_response(status: int, messages: list[str], kind: str | None = None) -> Response:
    body: Doc = {"error": {"type": kind or TYPES.get(status, "error"), "messages": messages}}
    if status == 429:  # comes from what stands before the API, in a shape of its own
        body = {"errors": messages}
    return Response(json.dumps(body), status=status, content_type="application/json")


def invalid(*messages: str) -> MuxError:
    return MuxError(400, *messages)


def not_found() -> MuxError:
    return MuxError(404, NOT_FOUND)
