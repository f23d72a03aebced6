"""What every API call passes: faults, authentication, rate limits, and the record of calls."""

import hmac
import time

from flask import Blueprint, Response, g, request
from werkzeug.datastructures import Authorization

from muxsim.access.rate_limits import bucket_of, bucket_size
from muxsim.errors import UNAUTHORIZED, error_response
from muxsim.options import ENVIRONMENT, Token
from muxsim.store import Doc
from muxsim.web import broken_answers
from muxsim.web.context import sim

KEPT_CALLS = 20_000


def guard(blueprint: Blueprint) -> Blueprint:
    """Puts the gate before every route of an API blueprint."""
    blueprint.before_request(_enter)
    blueprint.after_request(_leave)
    return blueprint


def _enter() -> Response | None:
    g.began = time.monotonic()
    g.operation = (request.endpoint or "unknown").rpartition(".")[2]
    given = _authorization()
    g.token_id = given.username if given else None
    g.rule = sim().faults.pick(
        "api",
        {"operation": g.operation, "method": request.method, "path": request.path, "token_id": g.token_id},
    )
    broken = broken_answers.before(g.rule)
    token = _token()
    if broken is not None:
        if token is not None and broken.status_code == 429:
            g.limit = (bucket_size(token.priority, bucket_of(request.method, request.path)), 0)
        return broken
    if token is None or not sim().permissions.allow(token, request.method, request.path):
        return _unauthorized()
    g.token, g.env = token, token.env
    return _limit(token)


def _authorization() -> Authorization | None:
    """Werkzeug raises on Basic credentials that are not ASCII."""
    try:
        return request.authorization
    except ValueError:
        return None


def _token() -> Token | None:
    given = _authorization()
    if given is None or given.type != "basic":
        return None
    for token in sim().options.tokens:
        same_id = hmac.compare_digest(token.id.encode(), (given.username or "").encode("utf-8", "replace"))
        same_secret = hmac.compare_digest(
            token.secret.encode(), (given.password or "").encode("utf-8", "replace")
        )
        if same_id and same_secret:
            return token
    return None


def _unauthorized() -> Response:
    """The same for a wrong secret and for a token that lacks a permission: Mux does not say which it was."""
    style = sim().switches["unauthorized_body"]
    if style == "json":
        return error_response(401, [UNAUTHORIZED])
    bodies = {
        "empty": "",
        "text": "Unauthorized",
        "html": "<html><body><h1>401 Unauthorized</h1></body></html>",
    }
    return Response(bodies[style], status=401, content_type="text/html" if style == "html" else "text/plain")


def _limit(token: Token) -> Response | None:
    bucket = bucket_of(request.method, request.path)
    granted, size, left, wait = sim().limits.take(token.env, token.priority, bucket)
    limited = sim().switches["rate_limits"]
    g.limit = (size, left if limited else size)
    if granted or not limited:
        return None
    style = sim().switches["retry_after"]
    if style == "seconds":
        return broken_answers.rate_limited(max(1, round(wait + 0.5)))
    if style == "date":
        return broken_answers.rate_limited(broken_answers.http_date(time.time() + wait + 1))
    return broken_answers.rate_limited()


def _leave(response: Response) -> Response:
    size, left = g.get("limit", (0, 0))
    if size:
        response.headers["X-RateLimit-Limit"] = str(size)
        response.headers["X-RateLimit-Remaining"] = str(left)
    rule = g.get("rule")
    response = broken_answers.after(rule, response)
    record("api", response, operation=g.get("operation", "unknown"), token_id=g.get("token_id"))
    return response


def record(target: str, response: Response, *, operation: str, token_id: str | None = None) -> None:
    """Notes a call; the oldest are forgotten, and one that a reset has overtaken is forgotten with the others."""
    fault = response.headers.pop("X-Muxsim-Fault", None)
    rule = g.get("rule")
    began = g.get("began", time.monotonic())
    store, spent = sim().store, (time.monotonic() - began) * 1000
    cut = fault in ("reset", "hang")
    with store.lock:
        if began < sim().emptied_at:
            return
        store.run(
            "INSERT INTO calls (at, target, operation, method, path, status, token_id, ms, fault)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            sim().clock.now(), target, operation, request.method, _path(), None if cut else response.status_code, token_id,
            spent, rule.kind if rule else fault,
        )  # fmt: skip
        newest = int(store.number("SELECT max(seq) FROM calls"))
        if newest % 1000 == 0:
            store.run("DELETE FROM calls WHERE seq <= ?", newest - KEPT_CALLS)


def _path() -> str:
    """The path and query without secrets: tokens are for the caller alone."""
    query = "&".join(
        f"{key}={'...' if key == 'token' else value}" for key, value in request.args.items(multi=True)
    )
    path = request.path + ("?" + query if query else "")
    return path[:500].encode("utf-8", "replace").decode()


def caller() -> Token:
    token: Token = g.token
    return token


def env() -> str:
    return str(g.get("env", ENVIRONMENT))


def data(body: object, status: int = 200, **more: object) -> tuple[Doc, int]:
    return {"data": body, **more}, status
