"""``/_sim/api/``: the simulator's own controls, for tests and for the page. Loopback only, and only same-origin.

A browser page from elsewhere cannot use them: a foreign Host (DNS rebinding), a foreign Origin and a body that is
not JSON (which a form could send) are all refused.
"""

import ipaddress
import time
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from muxsim import checks
from muxsim.errors import MuxError, invalid, not_found
from muxsim.faults import parse_rule
from muxsim.options import DEFAULT_SECRET, ENVIRONMENT, Endpoint
from muxsim.store import Doc
from muxsim.videos import seeding
from muxsim.web import images, overview
from muxsim.web.api.data import MAX_AT_ONCE, note_views
from muxsim.web.api.system import new_signing_key
from muxsim.web.api.usage import note_playback
from muxsim.web.context import sim

blueprint = Blueprint("control", __name__, url_prefix="/_sim/api")
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]", "::1")
MAX_BULK = 200_000_000


def local_only() -> None:
    """Refuses clients that are not on this machine, and pages that are not the simulator's own."""
    try:
        near = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        near = False
    host = request.host or ""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not near or name not in LOCAL_NAMES:
        raise MuxError(403, "The controls of the simulator are for this machine only.")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise MuxError(403, "The controls of the simulator take no requests from other sites.")
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and request.method != "GET":
        raise MuxError(403, "The controls of the simulator take no requests from other sites.")
    if request.method == "POST" and request.mimetype != "application/json":
        raise MuxError(415, "The controls of the simulator take JSON.")


blueprint.before_request(local_only)


@blueprint.errorhandler(ValueError)
def _bad_value(error: ValueError) -> Response:
    return MuxError(400, str(error)).response()


@blueprint.after_request
def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _body() -> Doc:
    return checks.json_body(request, optional=True)


def _asset(asset_id: str) -> Any:
    asset = sim().assets.get(asset_id)
    if asset is None:
        raise not_found()
    return asset


@blueprint.get("/state")
def state() -> Doc:
    return overview.everything(rows=min(request.args.get("rows", 50, type=int), 500))


@blueprint.get("/uploads")
def uploads() -> Doc:
    return {"uploads": overview.uploads(_rows())}


@blueprint.get("/uploads/<upload_id>")
def upload(upload_id: str) -> Doc:
    found = sim().uploads.get(upload_id)
    if found is None:
        raise not_found()
    return overview.upload(found)


@blueprint.get("/assets")
def assets() -> Doc:
    return {"assets": overview.assets(_rows())}


@blueprint.get("/assets/<asset_id>")
def asset(asset_id: str) -> Doc:
    return overview.asset(_asset(asset_id))


@blueprint.get("/events")
def events() -> Doc:
    return {"events": overview.events(_rows(), since=request.args.get("since", 0, type=int))}


@blueprint.get("/calls")
def calls() -> Doc:
    return {"calls": overview.calls(_rows(), since=request.args.get("since", 0, type=int))}


def _rows() -> int:
    return max(1, min(request.args.get("rows", 1000, type=int), 100_000))


@blueprint.post("/uploads/<upload_id>/<action>")
def change_upload(upload_id: str, action: str) -> Doc:
    body, life = _body(), sim().lifecycle
    if sim().uploads.get(upload_id) is None:
        raise not_found()
    if action == "complete":
        made = life.finish_upload(upload_id, has_file=False, pretend=body)
        if made is None:
            raise MuxError(409, "The upload is not waiting any more.")
        return overview.asset(made)
    if action == "cancel":
        life.cancel_upload(upload_id)
        return {"ok": True}
    if action == "error":
        message = str(body.get("message") or "The upload failed.")
        return {"ok": life.fail_upload(upload_id, str(body.get("type") or "invalid_input"), message)}
    if action == "time-out":
        return {"ok": life.expire_upload(upload_id)}
    raise not_found()


@blueprint.post("/assets/<asset_id>/<action>")
def change_asset(asset_id: str, action: str) -> Doc:
    body, found, life = _body(), _asset(asset_id), sim().lifecycle
    if action == "ready":
        sim().processing.ready_now(found)
    elif action == "error":
        messages = body.get("messages") or [
            str(body.get("message") or "The input file could not be processed.")
        ]
        life.fail_asset(found, str(body.get("type") or "invalid_input"), [str(one) for one in messages])
    elif action in ("hold", "release"):
        sim().processing.hold(found, action == "hold")
    elif action == "delete":
        life.delete_asset(asset_id)
        return {"ok": True}
    else:
        raise not_found()
    return overview.asset(_asset(asset_id))


@blueprint.post("/events")
def send_event() -> Doc:
    """An event out of turn, about an asset or upload as it is now, with ``data`` laid over it."""
    body = _body()
    kind, changes = str(body.get("type") or "video.asset.ready"), body.get("data") or {}
    if body.get("foreign"):
        return {"id": seeding.foreign_event(sim(), kind, changes)}
    if body.get("asset_id"):
        found = _asset(str(body["asset_id"]))
        data = found.shown(sim().processing.progress(found), webhook=True)
        object_type, lane, env = "asset", found.lane, found.env
    else:
        waiting = sim().uploads.get(str(body.get("upload_id")))
        if waiting is None:
            raise not_found()
        data, object_type, lane, env = waiting.shown(), "upload", waiting.id, waiting.env
    event_id = sim().events.emit(kind, {**data, **changes}, env=env, lane=lane, object_type=object_type)
    return {"id": event_id}


@blueprint.post("/events/<event_id>/again")
def send_again(event_id: str) -> Doc:
    if not sim().events.send_again(event_id):
        raise not_found()
    return {"ok": True}


@blueprint.post("/faults")
def add_fault() -> Doc:
    return {"id": sim().faults.add(parse_rule(_body())).id}


@blueprint.delete("/faults")
def clear_faults() -> Doc:
    sim().faults.clear()
    return {"ok": True}


@blueprint.delete("/faults/<fault_id>")
def remove_fault(fault_id: str) -> Doc:
    return {"ok": sim().faults.remove(fault_id)}


@blueprint.post("/clock")
def advance_clock() -> Doc:
    seconds = _body().get("advance")
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 <= seconds <= 10 * 366 * 86400
    ):
        raise invalid("advance is a number of seconds, from 0 to ten years")
    now = sim().clock.advance(seconds)
    sim().remember_clock()
    return {"now": now, "ahead": sim().clock.ahead}


@blueprint.post("/switches")
def set_switches() -> Doc:
    for name, value in _body().items():
        if name == "hold_processing" and isinstance(value, bool):
            sim().processing.hold_all(value)
        else:
            sim().switches.set(name, value)
    sim().engine.wake()
    return sim().switches.all()


@blueprint.post("/endpoints")
def add_endpoint() -> Doc:
    body = _body()
    url = str(body.get("url") or "")
    if not url.startswith(("http://", "https://")):
        raise invalid("url is an http or https address")
    secret, env = str(body.get("secret") or DEFAULT_SECRET), str(body.get("env") or ENVIRONMENT)
    return {"id": sim().add_endpoint(Endpoint(url, secret, env))}


@blueprint.post("/endpoints/<endpoint_id>/rotate")
def rotate_endpoint(endpoint_id: str) -> Doc:
    """A new secret in place; the present one becomes the old one, which the fault ``old_secret`` signs with."""
    secret = str(_body().get("secret") or sim().ids.new_secret("webhook_secret"))
    changed = sim().store.run(
        "UPDATE endpoints SET old_secret = secret, secret = ? WHERE id = ?", secret, endpoint_id
    )
    if not changed:
        raise not_found()
    return {"secret": secret}


@blueprint.post("/tokens/<token_id>")
def change_token(token_id: str) -> Doc:
    """What an access token may do from now on; a reset gives it back what it was made with."""
    wanted = _body().get("permissions")
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise invalid("permissions is a list of names")
    if all(one.id != token_id for one in sim().options.tokens):
        raise not_found()
    sim().permissions.set(token_id, wanted)
    return {"ok": True}


@blueprint.delete("/endpoints/<endpoint_id>")
def remove_endpoint(endpoint_id: str) -> Doc:
    return {"ok": sim().remove_endpoint(endpoint_id)}


@blueprint.post("/signing-keys")
def create_signing_key() -> Doc:
    return new_signing_key(str(_body().get("env") or ENVIRONMENT))


@blueprint.post("/seed")
def seed() -> Doc:
    body = checks.json_body(request, largest=MAX_BULK)
    return {"ids": seeding.seed_assets(sim(), seeding.expand(body))}


@blueprint.post("/played")
def played() -> Doc:
    body = _body()
    at = body.get("at")
    note_playback(
        _asset(str(body.get("asset_id"))).id,
        checks.number(body.get("seconds"), "seconds"),
        sim().clock.now() if at is None else at,
    )
    return {"ok": True}


@blueprint.post("/viewed")
def viewed() -> Doc:
    """Finished views, as players report them to Mux Data."""
    body = _body()
    seen = _asset(str(body.get("asset_id")))
    count = checks.whole(body.get("views"), "views", least=1, most=MAX_AT_ONCE, default=1)
    at = checks.number(body.get("at"), "at", default=sim().clock.now())
    note_views(seen.id, seen.env, at, count, checks.number(body.get("seconds"), "seconds"))
    return {"ok": True}


@blueprint.post("/flush")
def flush() -> Doc:
    """Waits until nothing is due or under way."""
    until = time.monotonic() + min(checks.number(_body().get("timeout"), "timeout", default=10), 120)
    while time.monotonic() < until and not sim().stopping.is_set():
        if sim().engine.idle():
            return {"idle": True}
        time.sleep(0.005)
    return {"idle": False}


@blueprint.post("/reset")
def reset() -> Doc:
    sim().reset()
    return {"ok": True}


@blueprint.get("/assets/<asset_id>/poster")
def poster(asset_id: str) -> Response:
    """A picture of any asset that has one, for the page: no token, whatever the policy."""
    return images.poster(_asset(asset_id))
