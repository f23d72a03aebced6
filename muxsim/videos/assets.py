"""Assets as records: made from settings, searched, paged, and shown as REST and as webhooks show them.

``doc`` is what Mux would tell; ``work`` is what only the simulator knows (how processing goes, whether there are bytes).
"""

import json
import math
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muxsim.store import Doc, Store
from muxsim.videos.file_type import Findings

ECHOED = (
    "passthrough",
    "meta",
    "video_quality",
    "max_resolution_tier",
    "normalize_audio",
    "master_access",
    "mp4_support",
)
TEST_ASSET_SECONDS = 10.0
ENCODING_TIERS = {"basic": "baseline", "plus": "smart", "premium": "premium"}


@dataclass
class Asset:
    """A row of the assets table."""

    id: str
    env: str
    created_at: float
    upload_id: str | None
    status: str
    doc: Doc
    work: Doc = field(default_factory=dict)

    @property
    def lane(self) -> str:
        """Events of one upload and its asset stay in line."""
        return self.upload_id or self.id

    @property
    def tracks(self) -> list[Doc]:
        found: list[Doc] = self.doc.setdefault("tracks", [])
        return found

    def progress(self, now: float, frozen_since: float | None, packaged: float | None) -> Doc:
        if self.status == "ready":
            return {"state": "completed", "progress": 100}
        if self.status == "errored":
            return {"state": "errored", "progress": -1}
        start = self.work.get("start")
        if start is None:
            return {"state": "ingesting", "progress": 0}
        until = min(
            moment for moment in (now, frozen_since, self.work.get("held_since")) if moment is not None
        )
        seconds = self.work.get("seconds") or 0
        done = (until - start) / seconds if seconds > 0 else 1.0
        percent = max(0, min(99, int(100 * min(done, 1.0 if packaged is None else packaged))))
        return {"state": "ingesting" if percent < 15 else "transcoding", "progress": percent}

    def shown(self, progress: Doc, *, webhook: bool = False) -> Doc:
        """As the API shows it. In webhooks ``created_at`` is a number, over REST a string of digits."""
        body: Doc = {"id": self.id, "status": self.status}
        body.update(self.doc)
        if not body.get("tracks"):
            body.pop("tracks", None)
        seconds = int(self.created_at)
        body["created_at"] = seconds if webhook else str(seconds)
        if self.upload_id:
            body["upload_id"] = self.upload_id
        body["progress"] = progress
        return body


def new_doc(settings: Doc, *, test: bool, ingest_type: str) -> Doc:
    """What is known of an asset at its birth."""
    quality = settings.get("video_quality", "basic")
    doc: Doc = {
        "video_quality": quality,
        "encoding_tier": ENCODING_TIERS[quality],
        "max_resolution_tier": "1080p",
        "master_access": "none",
        "mp4_support": "none",
        "normalize_audio": False,
        "ingest_type": ingest_type,
    }
    doc.update({key: settings[key] for key in ECHOED if settings.get(key) is not None})
    if settings.get("static_renditions"):
        files = [
            {"resolution": one["resolution"], "status": "preparing"} for one in settings["static_renditions"]
        ]
        doc["static_renditions"] = {"status": "preparing", "files": files}
    if test:
        doc["test"] = True
    return doc


def describe(asset: Asset, found: Findings) -> None:
    """Writes what processing found into the asset, in Mux's terms."""
    duration = found.duration or asset.work.get("pretend", {}).get("duration") or 12.5
    asset.doc["duration"] = min(duration, TEST_ASSET_SECONDS) if asset.doc.get("test") else duration
    if found.width and found.height:
        common = math.gcd(found.width, found.height)
        asset.doc["aspect_ratio"] = f"{found.width // common}:{found.height // common}"
        short = min(found.width, found.height)
        tier = "720p" if short <= 720 else "1080p" if short <= 1080 else "1440p" if short <= 1440 else "2160p"
        tiers = ("720p", "1080p", "1440p", "2160p")
        highest = max("1080p", asset.doc["max_resolution_tier"], key=tiers.index)
        asset.doc["resolution_tier"] = min(tier, highest, key=tiers.index)
        asset.doc["max_stored_resolution"] = {"720p": "HD", "1080p": "FHD"}.get(
            asset.doc["resolution_tier"], "UHD"
        )
        asset.doc["max_stored_frame_rate"] = found.fps
    else:
        asset.doc.update(
            resolution_tier="audio-only", max_stored_resolution="Audio only", max_stored_frame_rate=-1
        )
    if found.unusual:
        asset.doc["non_standard_input_reasons"] = found.unusual


class Assets:
    """The assets table, the playback ids, and the media directory of each asset."""

    def __init__(self, store: Store, directory: Path) -> None:
        self._store = store
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def media(self, asset_id: str) -> Path:
        return self._directory / asset_id

    def insert(self, asset: Asset) -> None:
        self.insert_many([asset])

    def insert_many(self, assets: Iterable[Asset]) -> None:
        rows, playback = [], []
        for asset in assets:
            rows.append(
                (asset.id, asset.env, asset.created_at, asset.upload_id, asset.status, *_documents(asset))
            )
            playback += [(one["id"], asset.id, one["policy"]) for one in asset.doc.get("playback_ids", [])]
        self._store.run_many(
            "INSERT INTO assets (id, env, created_at, upload_id, status, doc, work) VALUES (?,?,?,?,?,?,?)",
            rows,
        )
        self._store.run_many("INSERT INTO playback_ids VALUES (?,?,?)", playback)

    def save(self, asset: Asset) -> None:
        self._store.run(
            "UPDATE assets SET status = ?, doc = ?, work = ? WHERE id = ?",
            asset.status,
            *_documents(asset),
            asset.id,
        )

    def delete(self, asset_id: str) -> None:
        self._store.run("DELETE FROM playback_ids WHERE asset_id = ?", asset_id)
        self._store.run("DELETE FROM assets WHERE id = ?", asset_id)

    def get(self, asset_id: str, env: str | None = None) -> Asset | None:
        row = self._store.one("SELECT * FROM assets WHERE id = ?", asset_id)
        return None if row is None or (env is not None and row["env"] != env) else _asset(row)

    def preparing(self) -> list[Asset]:
        return [
            _asset(row)
            for row in self._store.all("SELECT * FROM assets WHERE status = 'preparing' ORDER BY seq")
        ]

    def count(self, env: str | None = None) -> int:
        return int(self._store.number("SELECT count(*) FROM assets WHERE (?1 IS NULL OR env = ?1)", env))

    def page(
        self, env: str | None, *, limit: int, offset: int = 0, after: tuple[float, int] | None = None,
        upload_id: str | None = None,
    ) -> list[tuple[Asset, tuple[float, int]]]:  # fmt: skip
        """Newest first, each with its place, which the cursor of the next page is made of."""
        clauses: list[str] = ["1 = 1"]
        values: list[Any] = []
        for column, value in (("env", env), ("upload_id", upload_id)):
            if value is not None:
                clauses.append(f"{column} = ?")
                values.append(value)
        if after is not None:
            clauses.append("(created_at, seq) < (?, ?)")
            values += after
        where = " AND ".join(clauses)
        sql = f"SELECT * FROM assets WHERE {where} ORDER BY created_at DESC, seq DESC LIMIT ? OFFSET ?"  # noqa: S608 - conditions of this module, values as parameters # nosec B608
        return [
            (_asset(row), (row["created_at"], row["seq"]))
            for row in self._store.all(sql, *values, limit, offset)
        ]

    def playback(self, playback_id: str) -> tuple[Asset, str] | None:
        row = self._store.one("SELECT * FROM playback_ids WHERE id = ?", playback_id)
        asset = None if row is None else self.get(row["asset_id"])
        return None if row is None or asset is None else (asset, row["policy"])

    def add_playback_id(self, asset: Asset, playback_id: str, policy: str) -> Doc:
        entry = {"id": playback_id, "policy": policy}
        asset.doc.setdefault("playback_ids", []).append(entry)
        self._store.run("INSERT INTO playback_ids VALUES (?,?,?)", playback_id, asset.id, policy)
        self.save(asset)
        return entry

    def remove_playback_id(self, asset: Asset, playback_id: str) -> None:
        asset.doc["playback_ids"] = [
            one for one in asset.doc.get("playback_ids", []) if one["id"] != playback_id
        ]
        self._store.run("DELETE FROM playback_ids WHERE id = ?", playback_id)
        self.save(asset)


def _documents(asset: Asset) -> tuple[str, str]:
    return json.dumps(asset.doc), json.dumps(asset.work)


def _asset(row: sqlite3.Row) -> Asset:
    doc: dict[str, Any] = json.loads(row["doc"])
    return Asset(
        row["id"],
        row["env"],
        row["created_at"],
        row["upload_id"],
        row["status"],
        doc,
        json.loads(row["work"]),
    )
