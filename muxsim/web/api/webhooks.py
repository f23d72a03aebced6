"""``/system/v1/webhooks``: where an environment's events go. A secret is told once, when its endpoint is made."""

from flask import Blueprint, request

from muxsim import checks
from muxsim.clock import iso
from muxsim.errors import invalid, not_found
from muxsim.options import Endpoint
from muxsim.store import Doc
from muxsim.web.context import sim
from muxsim.web.every_call import data, env, guard

blueprint = guard(Blueprint("webhooks", __name__, url_prefix="/system/v1/webhooks"))


def _shown(endpoint: Doc) -> Doc:
    return {
        "id": endpoint["id"], "address": endpoint["url"], "enabled": bool(endpoint["enabled"]),
        "created_at": iso(endpoint["created_at"]),
    }  # fmt: skip


def _found(endpoint_id: str) -> Doc:
    checks.an_id(endpoint_id, sim().switches["bad_id_status"])
    for one in sim().endpoints(env()):
        if one["id"] == endpoint_id:
            return one
    raise not_found()


def _address(body: Doc, *, own: str | None = None) -> str:
    """Addresses are unique in an environment: who rotates a secret adds a query string."""
    address = checks.text(body.get("address"), "address", most=2000)
    if not address or not address.startswith(("http://", "https://")):
        raise invalid("address must be an http or https address.")
    if any(one["url"] == address and one["id"] != own for one in sim().endpoints(env())):
        raise invalid("A webhook with this address exists already.")
    return address


@blueprint.post("")
def create_webhook() -> tuple[Doc, int]:
    with sim().store.transaction():
        address = _address(checks.json_body(request))
        secret = sim().ids.new_secret("webhook_secret")
        made = _found(sim().add_endpoint(Endpoint(address, secret, env())))
    return data({**_shown(made), "signing_secret": secret}, 201)


@blueprint.get("")
def list_webhooks() -> tuple[Doc, int]:
    return data([_shown(one) for one in sim().endpoints(env())])


@blueprint.get("/<endpoint_id>")
def get_webhook(endpoint_id: str) -> tuple[Doc, int]:
    return data(_shown(_found(endpoint_id)))


@blueprint.patch("/<endpoint_id>")
def update_webhook(endpoint_id: str) -> tuple[Doc, int]:
    body = checks.json_body(request)
    with sim().store.transaction():
        before = _found(endpoint_id)
        address = _address(body, own=endpoint_id) if "address" in body else before["url"]
        enabled = checks.flag(body["enabled"], "enabled") if "enabled" in body else before["enabled"]
        sim().change_endpoint(endpoint_id, address, enabled=bool(enabled))
        return data(_shown(_found(endpoint_id)))


@blueprint.delete("/<endpoint_id>")
def delete_webhook(endpoint_id: str) -> tuple[str, int]:
    sim().remove_endpoint(_found(endpoint_id)["id"])
    return "", 204
