"""What stands before every playback and image request: faults, the id, the token, readiness, CORS, the record."""

import io
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, g, request, send_file

from muxsim import checks
from muxsim.access.playback_tokens import DENIED, check_restriction, claims_of
from muxsim.errors import MuxError, not_found
from muxsim.store import Doc
from muxsim.videos.assets import Asset
from muxsim.web import broken_answers
from muxsim.web.context import sim
from muxsim.web.every_call import record

VIDEO, THUMBNAIL, STORYBOARD, GIF = "v", "t", "s", "g"


@dataclass(frozen=True)
class View:
    """A request that may see something: the asset, its options, and the token to pass on."""

    asset: Asset
    playback_id: str
    options: Doc
    token: str | None

    def link(self, path: str) -> str:
        return f"/{self.playback_id}/{path}" + (f"?token={self.token}" if self.token else "")

    def number(self, name: str, default: float, *, most: float) -> float:
        """An option from the query or, for signed ids, from the claims."""
        value = self.options.get(name, default)
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise MuxError(400, f"{name} is not a number.") from error
        if not 0 <= number <= most:
            raise MuxError(400, f"{name} must be between 0 and {most:g}.")
        return number


def watch(blueprint: Blueprint) -> Blueprint:
    blueprint.before_request(_enter)
    blueprint.after_request(_leave)
    return blueprint


def _enter() -> Response | None:
    g.began = time.monotonic()
    g.operation = (request.endpoint or "unknown").rpartition(".")[2]
    arguments = request.view_args or {}
    facts = {"operation": g.operation, "method": request.method, "path": request.path}
    g.rule = sim().faults.pick("playback", {**facts, "playback_id": arguments.get("playback_id")})
    return broken_answers.before(g.rule)


def _leave(response: Response) -> Response:
    response = broken_answers.after(g.get("rule"), response)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    record("playback", response, operation=g.get("operation", "unknown"))
    return response


def view(playback_id: str, audience: str, *, need_ready: bool = True) -> View:
    """400 malformed, 404 unknown, 403 token, 412 not ready: in this order."""
    checks.an_id(playback_id)
    known = sim().assets.playback(playback_id)
    if known is None:
        raise not_found()
    asset, policy = known
    token = request.args.get("token")
    options: Doc = dict(request.args)
    if policy == "public":
        if token is not None:
            raise MuxError(
                sim().switches["public_token_status"], "This playback id is public: a token is not accepted."
            )
    elif token is None:
        raise MuxError(403, DENIED)
    else:
        options = _claims(asset, playback_id, token, audience)
        if set(request.args) - {"token"}:
            raise MuxError(400, "With a token every option must be one of its claims.")
    if need_ready and asset.status != "ready":
        raise MuxError(412, "The asset is not ready to be played.")
    return View(asset, playback_id, options, token)


def _claims(asset: Asset, playback_id: str, token: str, audience: str) -> Doc:
    now = sim().clock.now() if sim().switches["tokens_follow_clock"] else sim().clock.wall()
    claims = claims_of(
        token, playback_id=playback_id, audience=audience, now=now,
        public_pem_of=lambda key_id: sim().signing_keys.public_pem(key_id, asset.env),
    )  # fmt: skip
    restriction = claims.get("playback_restriction_id")
    if restriction is not None:
        row = sim().store.one(
            "SELECT doc FROM restrictions WHERE id = ? AND env = ?", str(restriction), asset.env
        )
        rules: Any = None if row is None else json.loads(row["doc"])["rules"]
        check_restriction(rules, referrer=request.referrer, user_agent=request.headers.get("User-Agent"))
    return claims


def whole_file(path: Path, kind: str) -> Response:
    """A file out of memory: werkzeug's server leaves an open one to the collector when its client has gone away."""
    return send_file(io.BytesIO(path.read_bytes()), mimetype=kind, conditional=True)
