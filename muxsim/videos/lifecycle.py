"""What happens to uploads and assets, and which events tell of it. The one place that changes their status."""

import secrets
import shutil
from typing import Any

from muxsim.clock import Clock
from muxsim.engine import Engine
from muxsim.errors import FREE_PLAN, MuxError
from muxsim.ids import Ids
from muxsim.store import Doc, Store
from muxsim.switches import Switches
from muxsim.videos.assets import Asset, Assets, describe, new_doc
from muxsim.videos.file_type import Findings
from muxsim.videos.tracks import Tracks
from muxsim.videos.uploads import Upload, Uploads
from muxsim.webhooks.event_data import EventSender

TEST_ASSET_LIVES = 24 * 3600.0
FREE_PLAN_ASSETS = 10
NO_CANCEL = "The upload has already completed"
NO_DELETE = "Can't delete a preparing asset."


class Lifecycle:
    """Births, changes and deaths. Every method is one transaction."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        switches: Switches,
        uploads: Uploads,
        assets: Assets,
        sender: EventSender,
        tracks: Tracks,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._switches = switches
        self._uploads = uploads
        self._assets = assets
        self._send = sender
        self.tracks = tracks
        self.engine: Engine

    # uploads

    def create_upload(self, env: str, *, timeout: int, doc: Doc, url_of: Any) -> Upload:
        with self._store.transaction():
            if self._switches["free_plan"] and self._assets.count(env) >= FREE_PLAN_ASSETS:
                raise MuxError(400, FREE_PLAN)
            now = self._clock.now()
            upload = Upload(
                self._ids.new("upload"),
                env,
                now,
                now + timeout,
                "waiting",
                secrets.token_urlsafe(24),
                None,
                doc,
            )
            self._uploads.insert(upload)
            self.engine.at(upload.deadline, "expire_upload", upload.id)
            url = url_of(upload) if self._switches["upload_created_carries_url"] else None
            self._send.upload("video.upload.created", upload, url)
        return upload

    def cancel_upload(self, upload_id: str) -> Upload:
        with self._store.transaction():
            upload = self._uploads.get(upload_id)
            if upload is None or upload.status != "waiting":
                raise MuxError(403, NO_CANCEL)
            self._end_upload(upload, "cancelled")
            self._send.upload("video.upload.cancelled", upload)
        return upload

    def expire_upload(self, upload_id: str) -> bool:
        """There is no event of a time-out."""
        with self._store.transaction():
            upload = self._uploads.get(upload_id)
            if upload is None or upload.status != "waiting":
                return False
            self._end_upload(upload, "timed_out")
            self._uploads.drop_file(upload_id)
        return True

    def fail_upload(self, upload_id: str, kind: str, message: str) -> bool:
        with self._store.transaction():
            upload = self._uploads.get(upload_id)
            if upload is None or upload.status not in ("waiting", "asset_created"):
                return False
            upload.doc["error"] = {"type": kind, "message": message}
            self._end_upload(upload, "errored")
            self._send.upload("video.upload.errored", upload)
        return True

    def finish_upload(self, upload_id: str, *, has_file: bool, pretend: Doc | None = None) -> Asset | None:
        """All bytes are in: the asset is created. ``None`` if the upload was cancelled or timed out meanwhile."""
        with self._store.transaction():
            upload = self._uploads.get(upload_id)
            if upload is None or upload.status != "waiting":
                self._uploads.drop_file(upload_id)
                return None
            test = bool(upload.doc.get("test") or upload.settings.get("test"))
            asset = self._new_asset(
                upload.env, upload.settings, test=test, upload_id=upload_id, pretend=pretend
            )
            if has_file:
                media = self._assets.media(asset.id)
                media.mkdir(parents=True, exist_ok=True)
                shutil.move(self._uploads.file_of(upload_id), media / "source")
                asset.work["source"] = True
                self._assets.save(asset)
            upload.doc["asset_id"] = asset.id
            self._end_upload(upload, "asset_created")
            self._tell_of_birth(upload, asset)
        return asset

    def _tell_of_birth(self, upload: Upload, asset: Asset) -> None:
        """Mux usually tells of the asset first, and of the upload a second later; whatever the order, before ready."""
        if self._switches["event_order"] == "upload_first":
            self._send.upload("video.upload.asset_created", upload)
            self._send.asset("video.asset.created", asset)
            return
        lag = min(self._switches["event_lag_seconds"], self._switches["processing_seconds"])
        self._send.asset("video.asset.created", asset)
        self._send.upload("video.upload.asset_created", upload, after=lag)

    def _end_upload(self, upload: Upload, status: str) -> None:
        upload.status = status
        self._uploads.save(upload)
        self.engine.forget(upload.id, "expire_upload")

    # assets

    def create_asset(self, env: str, settings: Doc) -> Asset:
        with self._store.transaction():
            asset = self._new_asset(
                env, settings, test=bool(settings.get("test")), upload_id=None, pretend=None
            )
            self._send.asset("video.asset.created", asset)
        return asset

    def _new_asset(
        self, env: str, settings: Doc, *, test: bool, upload_id: str | None, pretend: Doc | None
    ) -> Asset:
        ingest = "on_demand_direct_upload" if upload_id else "on_demand_url"
        doc = new_doc(settings, test=test, ingest_type=ingest)
        captions = [
            one for entry in settings.get("inputs") or [] for one in entry.get("generated_subtitles") or []
        ]
        work: Doc = {"settings": settings, "captions": captions, "pretend": pretend or {}}
        now = self._clock.now()
        asset = Asset(self._ids.new("asset"), env, now, upload_id, "preparing", doc, work)
        policies = _policies(settings, self._switches["playback_ids"])
        if policies is not None:
            doc["playback_ids"] = [{"id": self._ids.new("playback"), "policy": policy} for policy in policies]
        self._assets.insert(asset)
        self.engine.at(now, "begin", asset.id)
        if test:
            self.engine.at(now + TEST_ASSET_LIVES, "delete_asset", asset.id)
        return asset

    def make_ready(self, asset: Asset, findings: Findings) -> None:
        with self._store.transaction():
            describe(asset, findings)
            if findings.audio or findings.width:
                asset.doc["tracks"] = self.tracks.of_media(findings, asset.doc["duration"])
            captions = [self.tracks.caption(one) for one in asset.work.get("captions", [])]
            asset.tracks.extend(captions)
            renditions = self.tracks.finish_renditions(asset)
            asset.status = "ready"
            asset.work.pop("held_since", None)
            asset.doc.pop("errors", None)
            self._assets.save(asset)
            if findings.unusual:
                self._send.asset("video.asset.non_standard_input_detected", asset)
            self._send.asset("video.asset.ready", asset)
            for rendition in renditions:
                self._send.rendition("ready", asset, rendition)
            for track in captions:
                self._send.track("video.asset.track.created", asset, track)
                wait = 0.25 * self._switches["processing_seconds"]
                self.engine.after(wait, "caption", asset.id, track["id"])

    def fail_asset(self, asset: Asset, kind: str, messages: list[str]) -> None:
        with self._store.transaction():
            asset.status = "errored"
            asset.work.pop("held_since", None)
            asset.doc["errors"] = {"type": kind, "messages": messages}
            self._assets.save(asset)
            for timer in ("begin", "finish", "caption"):
                self.engine.forget(asset.id, timer)
            self._send.asset("video.asset.errored", asset)
            if asset.upload_id:
                self.fail_upload(asset.upload_id, kind, " ".join(messages))

    def delete_asset(self, asset_id: str, *, asked_by_api: bool = False) -> bool:
        with self._store.transaction():
            asset = self._assets.get(asset_id)
            if asset is None:
                return False
            if asked_by_api and asset.status == "preparing" and not self._switches["delete_while_preparing"]:
                raise MuxError(400, NO_DELETE)
            self._assets.delete(asset_id)
            self.engine.forget(asset_id)
            self._send.asset("video.asset.deleted", asset)
        shutil.rmtree(self._assets.media(asset_id), ignore_errors=True)
        return True

    def update_asset(self, asset: Asset, changes: Doc) -> None:
        with self._store.transaction():
            for key, value in changes.items():
                if value is None:
                    asset.doc.pop(key, None)
                else:
                    asset.doc[key] = value
            self._assets.save(asset)
            self._send.asset("video.asset.updated", asset)


def _policies(settings: Doc, switch: str) -> list[str] | None:
    wanted = list(settings.get("playback_policies") or [])
    wanted += [one["policy"] for one in settings.get("advanced_playback_policies") or []]
    if not wanted or switch == "missing":
        return None
    if switch == "empty":
        return []
    if switch == "other_policy":
        return ["signed" if policy == "public" else "public" for policy in wanted]
    return wanted
