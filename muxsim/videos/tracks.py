"""What an asset consists of besides itself: video and audio tracks, captions, files to download.

Own text is fetched from its address as Mux fetches it: what cannot be had, or is no WebVTT, ends the track with an error.
Nothing here changes the status of an asset.
"""

import urllib3

from muxsim.checks import AUTO
from muxsim.engine import Engine
from muxsim.ids import Ids
from muxsim.store import Doc, Store
from muxsim.switches import Switches
from muxsim.videos.assets import Asset, Assets
from muxsim.videos.file_type import Findings
from muxsim.webhooks.event_data import EventSender

FETCHED_WITHIN = 10.0
MAX_TEXT_BYTES = 10_000_000


class Tracks:
    """Makes and removes them, and has the events told."""

    def __init__(
        self, store: Store, ids: Ids, switches: Switches, assets: Assets, sender: EventSender
    ) -> None:
        self._store = store
        self._ids = ids
        self._switches = switches
        self._assets = assets
        self._send = sender
        self.engine: Engine

    def add_caption(self, asset: Asset, wanted: Doc, *, source: str = "generated_vod") -> Doc:
        with self._store.transaction():
            track = self.caption(wanted, source)
            asset.tracks.append(track)
            if wanted.get("url"):
                asset.work.setdefault("texts", {})[track["id"]] = {"url": wanted["url"]}
            self._assets.save(asset)
            self._send.track("video.asset.track.created", asset, track)
            self.engine.after(0.25 * self._switches["processing_seconds"], "caption", asset.id, track["id"])
        return track

    def finish_caption(self, asset_id: str, track_id: str) -> None:
        with self._store.transaction():
            asset = self._assets.get(asset_id)
            track = (
                None if asset is None else next((one for one in asset.tracks if one["id"] == track_id), None)
            )
            if asset is None or track is None or track["status"] != "preparing":
                return
            if track["text_source"] == "generated_vod":
                self._end_generated(asset, track)
                return
        self.engine.in_background(lambda: self._fetch(asset_id, track_id))

    def _end_generated(self, asset: Asset, track: Doc) -> None:
        heard = any(one["type"] == "audio" for one in asset.tracks)
        track["status"] = (
            self._switches["generated_captions"] if heard else self._switches["captions_without_audio"]
        )
        if track["status"] == "errored":
            words = (
                "The speech could not be recognised." if heard else "Asset has no audio track to transcribe."
            )
            track["error"] = {"type": "generation_failed" if heard else "no_audio", "messages": [words]}
        elif track["status"] == "ready" and track["language_code"] == AUTO:
            track["language_code"] = self._switches["detected_language"]
            sure = self._ids.random(f"language of {track['id']}").uniform(0.6, 1)
            track["auto_language_confidence"] = round(sure, 2)
        self._assets.save(asset)
        self._send.track(f"video.asset.track.{track['status']}", asset, track)

    def _fetch(self, asset_id: str, track_id: str) -> None:
        asset = self._assets.get(asset_id)
        address = asset.work.get("texts", {}).get(track_id, {}).get("url") if asset else None
        text, problem = _text_at(address) if address else ("", "There was no address.")
        with self._store.transaction():
            asset = self._assets.get(asset_id)
            track = next((one for one in asset.tracks if one["id"] == track_id), None) if asset else None
            if asset is None or track is None:
                return  # deleted meanwhile
            track["status"] = "errored" if problem else "ready"
            if problem:
                track["error"] = {"type": "invalid_input", "messages": [problem]}
            else:
                asset.work["texts"][track_id]["text"] = text
            self._assets.save(asset)
            self._send.track(f"video.asset.track.{track['status']}", asset, track)

    def change_track(self, asset: Asset, track: Doc, changes: Doc) -> Doc:
        """No event tells of it."""
        with self._store.transaction():
            for name, value in changes.items():
                if value is None:
                    track.pop(name, None)
                else:
                    track[name] = value
            self._assets.save(asset)
        return track

    def remove_track(self, asset: Asset, track: Doc) -> None:
        with self._store.transaction():
            asset.doc["tracks"] = [one for one in asset.tracks if one["id"] != track["id"]]
            self._assets.save(asset)
            self._send.track("video.asset.track.deleted", asset, track)

    def caption(self, wanted: Doc, source: str = "generated_vod") -> Doc:
        language = wanted.get("language_code") or "en"
        track = {
            "id": self._ids.new("track"), "type": "text", "text_type": "subtitles", "text_source": source,
            "language_code": language, "name": wanted.get("name") or language, "status": "preparing",
        }  # fmt: skip
        track |= {name: wanted[name] for name in ("passthrough", "closed_captions") if wanted.get(name)}
        return track

    def of_media(self, found: Findings, duration: float) -> list[Doc]:
        tracks: list[Doc] = []
        if found.width and found.height:
            tracks.append({
                "id": self._ids.new("track"), "type": "video", "status": "ready", "duration": duration,
                "max_width": found.width, "max_height": found.height, "max_frame_rate": found.fps,
            })  # fmt: skip
        if found.audio:
            tracks.append({
                "id": self._ids.new("track"), "type": "audio", "status": "ready", "duration": duration, "primary": True,
                "max_channels": found.channels, "max_channel_layout": "stereo" if found.channels == 2 else "mono",
            })  # fmt: skip
        return tracks

    # static renditions

    def add_rendition(self, asset: Asset, resolution: str) -> Doc:
        with self._store.transaction():
            rendition = {"id": self._ids.new("rendition"), "resolution": resolution, "status": "preparing"}
            renditions = asset.doc.setdefault("static_renditions", {"status": "preparing", "files": []})
            renditions["files"].append(rendition)
            self._send.rendition("created", asset, dict(rendition))
            if asset.status == "ready":
                for done in self.finish_renditions(asset):
                    self._send.rendition("ready", asset, done)
            self._assets.save(asset)
        return rendition

    def remove_rendition(self, asset: Asset, rendition: Doc) -> None:
        with self._store.transaction():
            renditions = asset.doc["static_renditions"]
            renditions["files"] = [one for one in renditions["files"] if one["id"] != rendition["id"]]
            if not renditions["files"]:
                del asset.doc["static_renditions"]
            self._assets.save(asset)
            self._send.rendition("deleted", asset, rendition)

    def finish_renditions(self, asset: Asset) -> list[Doc]:
        renditions: Doc = asset.doc.get("static_renditions") or {"files": []}
        fresh = [one for one in renditions["files"] if one["status"] == "preparing"]
        for one in fresh:
            extension = "m4a" if one["resolution"] == "audio-only" else "mp4"
            name = "audio" if extension == "m4a" else one["resolution"]
            one.setdefault("id", self._ids.new("rendition"))
            one.update(status="ready", ext=extension, name=f"{name}.{extension}", type="standard")
            renditions["status"] = "ready"
        return fresh


def _text_at(address: str) -> tuple[str, str]:
    """The text behind an address; or why there is none."""
    try:
        answer = urllib3.request("GET", address, timeout=FETCHED_WITHIN, retries=False, preload_content=False)
        body = answer.read(MAX_TEXT_BYTES + 1)
        answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return "", "The input file could not be downloaded."
    if answer.status != 200 or len(body) > MAX_TEXT_BYTES:
        return "", f"The input file could not be downloaded ({answer.status})."
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "", "The input file is not a valid text file."
    if not text.startswith("WEBVTT") or "-->" not in text:
        return "", "The input file is not a valid WebVTT file."
    return text, ""
