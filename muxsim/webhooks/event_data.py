"""Events about uploads, assets and their parts, with the data that Mux puts in them."""

from muxsim.clock import Clock
from muxsim.store import Doc
from muxsim.videos.assets import Asset
from muxsim.videos.uploads import Upload
from muxsim.webhooks.events import Events


class EventSender:
    """Sends what happened as an event. To whom, and when, is decided in ``events``."""

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    def upload(self, kind: str, upload: Upload, url: str | None = None, *, after: float = 0.0) -> None:
        data = upload.shown(url=url)
        data.pop("error", None)
        self._events.emit(kind, data, env=upload.env, lane=upload.id, object_type="upload", after=after)

    def asset(self, kind: str, asset: Asset) -> None:
        data = asset.shown(asset.progress(self._clock.now(), None, None), webhook=True)
        self._events.emit(kind, data, env=asset.env, lane=asset.lane, object_type="asset")

    def track(self, kind: str, asset: Asset, track: Doc) -> None:
        data = {**track, "asset_id": asset.id}
        self._events.emit(kind, data, env=asset.env, lane=asset.lane, object_type="track")

    def rendition(self, happened: str, asset: Asset, rendition: Doc) -> None:
        data = {**rendition, "asset_id": asset.id}
        kind = f"video.asset.static_rendition.{happened}"
        self._events.emit(kind, data, env=asset.env, lane=asset.lane, object_type="static-rendition")
