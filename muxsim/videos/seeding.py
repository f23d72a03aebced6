"""Makes assets out of nothing: bulk rows for reconcile and paging tests, and events of assets that are not known here."""

from typing import Any

from muxsim import checks
from muxsim.core import Core
from muxsim.options import ENVIRONMENT
from muxsim.store import Doc
from muxsim.videos.assets import Asset, describe, new_doc
from muxsim.videos.file_type import Findings

AT_A_TIME = 5000
STATUSES = ("ready", "preparing", "errored")
FOREIGN = "muxsim-foreign"


def seed_assets(core: Core, wanted: list[Doc]) -> list[str]:
    """One asset for each of the settings; all in one transaction, without any event."""
    made: list[str] = []
    with core.store.transaction():
        for start in range(0, len(wanted), AT_A_TIME):
            part = wanted[start : start + AT_A_TIME]
            ids = core.ids.new_many("asset", len(part))
            playback = core.ids.new_many("playback", len(part))
            assets = [_asset(core, *both) for both in zip(part, ids, playback, strict=True)]
            core.assets.insert_many(assets)
            made += [asset.id for asset in assets]
    return made


def expand(body: Doc) -> list[Doc]:
    """``{"count": n, ...}`` becomes n settings; ``{n}`` in passthrough, upload_id and meta stands for the number."""
    if "assets" in body:
        return checks.objects(body["assets"], "assets", most=200_000)
    count = checks.whole(body.get("count"), "count", least=1, most=1_000_000, default=1)
    common = {name: value for name, value in body.items() if name not in ("count", "spread_seconds")}
    spread = checks.number(body.get("spread_seconds"), "spread_seconds")
    all_settings = []
    for number in range(count):
        settings = {name: _numbered(value, number) for name, value in common.items()}
        if spread:
            oldest = checks.number(common.get("age_seconds"), "age_seconds")
            settings["age_seconds"] = oldest + spread * (count - number) / count
        all_settings.append(settings)
    return all_settings


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {name: _numbered(inner, number) for name, inner in value.items()}
    return value


def _asset(core: Core, settings: Doc, asset_id: str, playback_id: str) -> Asset:
    asset_settings = checks.asset_settings(
        {name: settings[name] for name in ("passthrough", "meta", "video_quality") if name in settings}
    )
    status = checks.choice(settings.get("status"), "status", STATUSES) or "ready"
    upload_id = checks.text(settings.get("upload_id"), "upload_id", most=64)
    by_age = core.clock.now() - checks.number(settings.get("age_seconds"), "age_seconds")
    created = checks.number(settings.get("created_at"), "created_at", default=by_age)
    ingest = "on_demand_direct_upload" if upload_id else "on_demand_url"
    doc = new_doc(asset_settings, test=checks.flag(settings.get("test"), "test"), ingest_type=ingest)
    policy = settings.get("policy", "public")
    if policy is not None:
        given = checks.text(settings.get("playback_id"), "playback_id", most=64)
        doc["playback_ids"] = [{"id": given or playback_id, "policy": checks.policies(policy)[0]}]
    work: Doc = {
        "pretend": {"duration": checks.number(settings.get("duration"), "duration", default=60.0)},
        "captions": [],
    }
    asset = Asset(
        str(settings.get("id") or asset_id),
        str(settings.get("env") or ENVIRONMENT),
        created,
        upload_id,
        status,
        doc,
        work,
    )
    if status == "ready":
        describe(asset, Findings(width=1280, height=720))
    elif status == "errored":
        doc["errors"] = {
            "type": "invalid_input",
            "messages": [str(settings.get("message") or "Seeded as errored.")],
        }
    return asset


def foreign_event(core: Core, kind: str, changes: Doc) -> str:
    """An event of another application's asset in the same environment: it never was in this simulator's list."""
    asset_id = core.ids.new("asset")
    settings = {"upload_id": core.ids.new("upload"), "passthrough": FOREIGN}
    asset = _asset(core, settings, asset_id, core.ids.new("playback"))
    data = asset.shown({"state": "completed", "progress": 100}, webhook=True)
    data.update(changes)
    object_type = (
        "asset"
        if kind.startswith("video.asset.")
        else kind.split(".")[1]
        if kind.count(".") > 1
        else "unknown"
    )
    return core.events.emit(kind, data, env=ENVIRONMENT, lane=asset_id, object_type=object_type)
