"""Who a token is, signing keys (current and deprecated route), and every path that does not exist."""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Blueprint, request

from muxsim import checks
from muxsim.access.permissions import WHOAMI
from muxsim.errors import not_found
from muxsim.store import Doc
from muxsim.web.context import sim
from muxsim.web.every_call import caller, data, env, guard
from muxsim.webhooks.events import environment_id

blueprint = guard(Blueprint("system", __name__))
ORGANIZATION = "muxsim"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def new_signing_key(environment: str) -> Doc:
    """The private half is in this answer and nowhere else: base64 of a PKCS#1 PEM, as Mux gives it."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    key_id = sim().ids.new("signing_key")
    created = sim().signing_keys.add(key_id, environment, private.public_key())
    return {"id": key_id, "created_at": str(int(created)), "private_key": base64.b64encode(pem).decode()}


def _key(key_id: str) -> Doc:
    checks.an_id(key_id, sim().switches["bad_id_status"])
    created = sim().signing_keys.created_at(key_id, env())
    if created is None:
        raise not_found()
    return {"id": key_id, "created_at": str(int(created))}


@blueprint.post("/system/v1/signing-keys")
@blueprint.post("/video/v1/signing-keys")
def create_signing_key() -> tuple[Doc, int]:
    checks.json_body(request, optional=True)
    return data(new_signing_key(env()), 201)


@blueprint.get("/system/v1/signing-keys")
@blueprint.get("/video/v1/signing-keys")
def list_signing_keys() -> tuple[Doc, int]:
    limit = checks.whole(
        request.args.get("limit"), "limit", least=1, most=100, default=sim().switches["default_page_size"]
    )
    page = checks.whole(request.args.get("page"), "page", least=1, most=10_000_000, default=1)
    rows = sim().signing_keys.page(env(), limit, (page - 1) * limit)
    return data([{"id": key_id, "created_at": str(int(created))} for key_id, created in rows])


@blueprint.get("/system/v1/signing-keys/<key_id>")
@blueprint.get("/video/v1/signing-keys/<key_id>")
def get_signing_key(key_id: str) -> tuple[Doc, int]:
    return data(_key(key_id))


@blueprint.delete("/system/v1/signing-keys/<key_id>")
@blueprint.delete("/video/v1/signing-keys/<key_id>")
def delete_signing_key(key_id: str) -> tuple[str, int]:
    sim().signing_keys.remove(_key(key_id)["id"])
    return "", 204


@blueprint.get(WHOAMI)
def whoami() -> tuple[Doc, int]:
    """The one call that needs no permission; ``environment_id`` is the one in the events' envelope."""
    token = caller()
    kind = "production" if token.env.lower().startswith("prod") else "development"
    return data({
        "permissions": sim().permissions.of(token), "access_token_name": token.id,
        "environment_id": environment_id(token.env), "environment_name": token.env, "environment_type": kind,
        "organization_id": environment_id(ORGANIZATION), "organization_name": ORGANIZATION,
    })  # fmt: skip


@blueprint.route("/<any(video, system, data):_area>", methods=METHODS)
@blueprint.route("/<any(video, system, data):_area>/<path:_rest>", methods=METHODS)
def unknown(_area: str, _rest: str = "") -> tuple[Doc, int]:
    raise not_found()
