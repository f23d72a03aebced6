"""``/video/v1/playback-restrictions``: who may play by referrer and user agent."""

import json
from typing import Any

from flask import Blueprint, request

from muxsim import checks
from muxsim.errors import invalid, not_found
from muxsim.ids import UUID_FORMED
from muxsim.store import Doc
from muxsim.web.context import sim
from muxsim.web.every_call import data, env, guard

blueprint = guard(Blueprint("restrictions", __name__, url_prefix="/video/v1/playback-restrictions"))


def _referrer(given: Any) -> Doc:
    if not isinstance(given, dict):
        raise invalid("referrer must be an object.")
    domains = given.get("allowed_domains", [])
    if (
        not isinstance(domains, list)
        or len(domains) > 100
        or not all(isinstance(one, str) for one in domains)
    ):
        raise invalid("referrer.allowed_domains must be a list of at most 100 domains.")
    return {
        "allowed_domains": domains,
        "allow_no_referrer": checks.flag(given.get("allow_no_referrer"), "allow_no_referrer"),
    }


def _user_agent(given: Any) -> Doc:
    if not isinstance(given, dict):
        raise invalid("user_agent must be an object.")
    return {
        name: True if given.get(name) is None else checks.flag(given[name], name)
        for name in ("allow_no_user_agent", "allow_high_risk_user_agent")
    }


def _found(restriction_id: str) -> tuple[float, Doc]:
    if not UUID_FORMED.match(restriction_id):
        checks.an_id("", sim().switches["bad_id_status"])
    row = sim().store.one("SELECT * FROM restrictions WHERE id = ? AND env = ?", restriction_id, env())
    if row is None:
        raise not_found()
    return row["created_at"], json.loads(row["doc"])


def _shown(restriction_id: str, created_at: float, doc: Doc) -> Doc:
    return {
        "id": restriction_id,
        "created_at": str(int(created_at)),
        "updated_at": str(int(doc["updated_at"])),
        **doc["rules"],
    }


@blueprint.post("")
def create_restriction() -> tuple[Doc, int]:
    body, now = checks.json_body(request), sim().clock.now()
    rules = {
        "referrer": _referrer(body.get("referrer", {})),
        "user_agent": _user_agent(body.get("user_agent", {})),
    }
    doc: Doc = {"updated_at": now, "rules": rules}
    restriction_id = sim().ids.new_uuid("restriction")
    sim().store.run("INSERT INTO restrictions VALUES (?,?,?,?)", restriction_id, env(), now, json.dumps(doc))
    return data(_shown(restriction_id, now, doc), 201)


@blueprint.get("")
def list_restrictions() -> tuple[Doc, int]:
    limit = checks.whole(
        request.args.get("limit"), "limit", least=1, most=100, default=sim().switches["default_page_size"]
    )
    page = checks.whole(request.args.get("page"), "page", least=1, most=10_000_000, default=1)
    rows = sim().store.all(
        "SELECT * FROM restrictions WHERE env = ? ORDER BY created_at DESC, id LIMIT ? OFFSET ?",
        env(), limit, (page - 1) * limit,
    )  # fmt: skip
    return data([_shown(row["id"], row["created_at"], json.loads(row["doc"])) for row in rows])


@blueprint.get("/<restriction_id>")
def get_restriction(restriction_id: str) -> tuple[Doc, int]:
    return data(_shown(restriction_id, *_found(restriction_id)))


@blueprint.delete("/<restriction_id>")
def delete_restriction(restriction_id: str) -> tuple[str, int]:
    _found(restriction_id)
    sim().store.run("DELETE FROM restrictions WHERE id = ?", restriction_id)
    return "", 204


@blueprint.put("/<restriction_id>/referrer")
def update_referrer(restriction_id: str) -> tuple[Doc, int]:
    return _updated(restriction_id, {"referrer": _referrer(checks.json_body(request))})


@blueprint.put("/<restriction_id>/user_agent")
def update_user_agent(restriction_id: str) -> tuple[Doc, int]:
    return _updated(restriction_id, {"user_agent": _user_agent(checks.json_body(request))})


def _updated(restriction_id: str, rules: Doc) -> tuple[Doc, int]:
    created_at, doc = _found(restriction_id)
    doc["rules"].update(rules)
    doc["updated_at"] = sim().clock.now()
    sim().store.run("UPDATE restrictions SET doc = ? WHERE id = ?", json.dumps(doc), restriction_id)
    return data(_shown(restriction_id, created_at, doc))
