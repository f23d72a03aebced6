"""``/video/v1/delivery-usage``: how much of each asset was played, in whole hours, known twelve hours late."""

from flask import Blueprint, request

from muxsim import checks
from muxsim.errors import invalid
from muxsim.store import Doc
from muxsim.web.context import sim
from muxsim.web.every_call import data, env, guard

blueprint = guard(Blueprint("usage", __name__, url_prefix="/video/v1"))
HOUR = 3600
KNOWN_AFTER = 12 * HOUR
KEPT_FOR = 90 * 24 * HOUR


@blueprint.get("/delivery-usage")
def list_delivery_usage() -> tuple[Doc, int]:
    limit = checks.whole(request.args.get("limit"), "limit", least=1, most=1000, default=100)
    page = checks.whole(request.args.get("page"), "page", least=1, most=10_000_000, default=1)
    asset_id = request.args.get("asset_id") or None
    if asset_id is not None:
        checks.an_id(asset_id)
    start, end = _timeframe()
    rows = [] if request.args.get("live_stream_id") else sim().store.all(
        "SELECT a.id, sum(d.seconds) AS played FROM deliveries_of_video d JOIN assets a ON a.id = d.asset_id"
        " WHERE a.env = ?1 AND d.hour >= ?2 AND d.hour < ?3 AND (?4 IS NULL OR a.id = ?4)"
        " GROUP BY a.id HAVING played > 0 ORDER BY played DESC, a.seq",
        env(), start, end, asset_id,
    )  # fmt: skip
    reports = [_report(row["id"], row["played"]) for row in rows[(page - 1) * limit : page * limit]]
    return data(reports, total_row_count=len(rows), timeframe=[start, end], limit=limit)


def _timeframe() -> tuple[int, int]:
    newest = (int(sim().clock.now()) - KNOWN_AFTER) // HOUR * HOUR
    given = request.args.getlist("timeframe[]")
    if not given:
        return newest - HOUR, newest
    if len(given) != 2:
        raise invalid("timeframe takes a start and an end.")
    start, end = (checks.whole(one, "timeframe", least=0, most=10**11 - 1, default=0) for one in given)
    if start > end:
        raise invalid("timeframe must start before it ends.")
    return max(start // HOUR * HOUR, newest - KEPT_FOR), min(end, newest)


def _report(asset_id: str, played: float) -> Doc:
    asset = sim().assets.get(asset_id)
    assert asset is not None  # noqa: S101 - joined in the query above # nosec B101
    tier = asset.doc.get("resolution_tier", "720p")
    buckets = dict.fromkeys(("tier_audio_only", "tier_720p", "tier_1080p", "tier_1440p", "tier_2160p"), 0.0)
    buckets["tier_" + tier.replace("-", "_")] = played
    report = {
        "asset_id": asset.id, "asset_state": asset.status, "created_at": str(int(asset.created_at)),
        "asset_duration": asset.doc.get("duration", 0.0), "asset_resolution_tier": tier,
        "asset_video_quality": asset.doc["video_quality"], "asset_encoding_tier": asset.doc["encoding_tier"],
        "delivered_seconds": played, "delivered_seconds_by_resolution": buckets,
    }  # fmt: skip
    if asset.doc.get("passthrough"):
        report["passthrough"] = asset.doc["passthrough"]
    return report


def note_playback(asset_id: str, seconds: float, at: float) -> None:
    hour = int(at) // HOUR * HOUR
    sim().store.run(
        "INSERT INTO deliveries_of_video VALUES (?1, ?2, ?3)"
        " ON CONFLICT (asset_id, hour) DO UPDATE SET seconds = seconds + ?3",
        asset_id, hour, seconds,
    )  # fmt: skip
