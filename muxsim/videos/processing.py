"""How an asset gets from preparing to ready or errored: by time, and with ffmpeg by real work as well.

Ready means both: the simulated time has passed and, where there is a file and an ffmpeg, it has been packaged.
"""

import logging
from dataclasses import asdict
from typing import Any

from muxsim.clock import Clock
from muxsim.engine import Engine
from muxsim.store import Doc, Store
from muxsim.switches import Switches
from muxsim.videos.assets import TEST_ASSET_SECONDS, Asset, Assets
from muxsim.videos.file_type import Findings, read_video
from muxsim.videos.lifecycle import Lifecycle
from muxsim.videos.packaging import Interrupted, Packager

log = logging.getLogger("muxsim")


class Processing:
    """Starts, holds, releases and ends the processing of assets."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        switches: Switches,
        assets: Assets,
        lifecycle: Lifecycle,
        packager: Packager | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._switches = switches
        self._assets = assets
        self._lifecycle = lifecycle
        self._packager = packager
        self._packaged: dict[str, float] = {}
        self.engine: Engine

    def begin(self, asset_id: str, _detail: str, due: float) -> None:
        asset = self._assets.get(asset_id)
        if asset is None or asset.status != "preparing":
            return
        asset.work["start"] = due
        asset.work["seconds"] = self._switches["processing_seconds"]
        self._assets.save(asset)
        self._work_on(asset)
        self.engine.at(due + asset.work["seconds"], "finish", asset_id)

    def resume(self) -> None:
        """After a restart: packaging that was interrupted starts again."""
        for asset in self._assets.preparing():
            if asset.work.get("start") is not None and "findings" not in asset.work:
                self._work_on(asset)

    def _work_on(self, asset: Asset) -> None:
        if self._packager is not None and asset.work.get("source"):
            self._packaged[asset.id] = 0.0
            self.engine.in_background(lambda: self._package(asset.id))

    def _package(self, asset_id: str) -> None:
        asset = self._assets.get(asset_id)
        if asset is None or self._packager is None:
            return
        limit = TEST_ASSET_SECONDS if asset.doc.get("test") else None
        try:
            media = self._assets.media(asset_id)
            found = self._packager.package(
                media, limit=limit, on_progress=lambda part: self._moved(asset_id, part)
            )
        except Interrupted:
            return  # it is done again after the next start
        except Exception:
            log.exception("packaging failed")
            found = Findings(error="The input file could not be processed.")
        with self._store.transaction():
            asset = self._assets.get(asset_id)
            if asset is not None:
                asset.work["findings"] = asdict(found)
                asset.work["packaged"] = found.error is None
                self._assets.save(asset)
            self._packaged.pop(asset_id, None)
        self.settle(asset_id)

    def _moved(self, asset_id: str, part: float) -> None:
        self._packaged[asset_id] = part

    def finish(self, asset_id: str, _detail: str, _due: float) -> None:
        self.settle(asset_id)

    def settle(self, asset_id: str) -> None:
        """Ends processing if nothing is missing any more."""
        with self._store.transaction():
            asset = self._assets.get(asset_id)
            if asset is None or asset.status != "preparing" or asset.work.get("start") is None:
                return
            over = self._clock.now() >= asset.work["start"] + asset.work["seconds"] - 1e-6
            if not over or self.frozen_since(asset) is not None or asset_id in self._packaged:
                return
            found = self._findings(asset)
            if found.error:
                self._lifecycle.fail_asset(asset, "invalid_input", [found.error])
            else:
                self._lifecycle.make_ready(asset, found)

    def _findings(self, asset: Asset) -> Findings:
        if "findings" in asset.work:
            return Findings(**asset.work["findings"])
        found = (
            read_video(self._assets.media(asset.id) / "source") if asset.work.get("source") else Findings()
        )
        pretend = asset.work.get("pretend", {})
        for name in ("duration", "width", "height", "fps", "audio"):
            if name in pretend:
                setattr(found, name, pretend[name])
        return found

    def ready_now(self, asset: Asset) -> None:
        """By order, whatever the clock says."""
        found = self._findings(asset)
        found.error = None
        for timer in ("begin", "finish"):
            self.engine.forget(asset.id, timer)
        self._lifecycle.make_ready(asset, found)

    # holding

    def frozen_since(self, asset: Asset) -> float | None:
        moments = [asset.work.get("held_since")]
        if self._switches["hold_processing"]:
            moments.append(self._store.setting("held_since"))
        known = [moment for moment in moments if moment is not None]
        return min(known) if known else None

    def hold(self, asset: Asset, on: bool) -> None:
        with self._store.transaction():
            since = asset.work.get("held_since")
            if on and since is None:
                asset.work["held_since"] = self._clock.now()
                self._assets.save(asset)
            elif not on and since is not None:
                del asset.work["held_since"]
                self._catch_up(asset, since)

    def hold_all(self, on: bool) -> None:
        with self._store.transaction():
            was = self._switches["hold_processing"]
            self._switches.set("hold_processing", on)
            if on and not was:
                self._store.set_setting("held_since", self._clock.now())
            elif was and not on:
                since = self._store.setting("held_since")
                for asset in self._assets.preparing():
                    self._catch_up(asset, since)

    def _catch_up(self, asset: Asset, since: float) -> None:
        """The held time does not count: processing goes on where it stopped."""
        if asset.work.get("start") is not None:
            asset.work["start"] += self._clock.now() - max(since, asset.work["start"])
            self.engine.forget(asset.id, "finish")
            self.engine.at(asset.work["start"] + asset.work["seconds"], "finish", asset.id)
        self._assets.save(asset)

    def progress(self, asset: Asset) -> Doc:
        return asset.progress(self._clock.now(), self.frozen_since(asset), self._packaged.get(asset.id))

    def timers(self) -> dict[str, Any]:
        return {"begin": self.begin, "finish": self.finish}
