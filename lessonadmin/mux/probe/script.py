"""A bounded script that asks a real Mux what its documents leave open, and leaves nothing behind.

It makes at most three uploads of its own, each marked as a test and without any lesson, cancels them or deletes what became of
them also when it is interrupted, and touches nothing else: an asset is only looked at, and only if it was named. Errors of
Mux's are answers like others. It judges nothing; `record` keeps what was said.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lessonadmin import config
from lessonadmin.mux import api, fields, playback_tokens, safe_json, transport
from lessonadmin.mux.errors import MuxError
from lessonadmin.mux.payloads import Upload, WithoutId, upload_from
from lessonadmin.mux.probe import requests, upload_host
from lessonadmin.mux.probe.record import Record
from lessonadmin.mux.probe.requests import PRIORITY, Leftovers
from lessonadmin.outbound import Answer

PART_BYTES = 256 * 1024
FILE_BYTES = 4 * PART_BYTES
UPLOAD_SECONDS = 600  # what could not be cancelled ends by itself after this
MIN_SECONDS = 60
MAX_REQUESTS = 200
MAX_READS_TO_A_LIMIT = 120
PASSTHROUGH = "mux-probe"
JSON_FILE_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """What is asked for besides the ordinary questions."""

    film: bytes | None = None  # sent whole, so that an asset comes of it, which is deleted
    rate_limit: bool = False
    expired: bool = False
    asset_id: str | None = None
    seconds: float = 180.0


class LimitReached(Exception):
    """The probe has used up its requests or its time."""


@dataclass
class Probe:
    """One run. `sleep` is for those who cannot wait."""

    wanted: ProbeOptions
    record: Record
    sleep: Callable[[float], object] = time.sleep
    requests: int = 0
    made: Leftovers = field(default_factory=Leftovers)
    stopped: str | None = None
    _ends_at: float = 0.0

    def run(self) -> None:
        """Ask everything, then take away what was made, whatever happened."""
        self._ends_at = time.monotonic() + self.wanted.seconds
        settings = config.current()
        for token in (transport.token_of("high"), transport.token_of("low")):
            self.record.hide("token", *token)
        self.record.hide("signing key", settings.mux_signing_key_id)
        try:
            self._ask_all()
        except LimitReached as reason:
            self.stopped = str(reason)
        except BaseException as error:
            self.stopped = f"interrupted ({type(error).__name__})"
            raise
        finally:
            self.made.take_away(self.sleep)

    def as_json(self) -> dict[str, Any]:
        """Everything that is known by now."""
        return {
            "program": "flask mux-probe",
            "version": JSON_FILE_VERSION,
            "mux": "real" if config.current().mux_is_real else "simulator",
            "finished": self.stopped is None,
            "stopped": self.stopped,
            "requests": self.requests,
            "uploads_made": len(self.made.uploads),
            "left_behind": len(self.made.left),
            "findings": self.record.findings,
        }

    def _ask_all(self) -> None:
        waiting = self._create("an upload that expires", MIN_SECONDS) if self.wanted.expired else None
        self._resuming()
        if self.wanted.film is not None:
            self._whole(self.wanted.film)
        if self.wanted.asset_id is not None:
            self._playback(self.wanted.asset_id)
        if waiting is not None:
            self._expired(waiting)
        if self.wanted.rate_limit:
            self._rate_limit()  # last: after it nothing is answered for a while

    # the questions

    def _resuming(self) -> None:
        upload = self._create("an upload", UPLOAD_SECONDS)
        if upload is None:
            return
        again = self._look("GET of a waiting upload", upload.id)
        self.record.note("does GET of a waiting upload give its url?", _has_url(again))
        self._preflight(upload)
        self._where("bytes */N before any byte", upload)
        self._put("the first part", upload, 0, PART_BYTES)
        self._where("bytes */N after the first part", upload)
        self._put("a part beyond a gap", upload, 2 * PART_BYTES, 3 * PART_BYTES)
        self._where("bytes */N after the gap", upload)
        self._put("the first part again with other bytes, and the second", upload, 0, 2 * PART_BYTES)
        self._where("bytes */N after the overlap", upload)
        self._cancel("cancel a waiting upload that has bytes", upload.id)
        self._where("bytes */N to a cancelled upload", upload)
        self._put("the next part to a cancelled upload", upload, 2 * PART_BYTES, 3 * PART_BYTES)
        self._cancel("cancel again", upload.id)

    def _whole(self, film: bytes) -> None:
        upload = self._create("an upload that is sent whole", UPLOAD_SECONDS)
        if upload is None or upload.url is None:
            return
        address = upload.url
        headers = {"Content-Type": "video/mp4"}
        self._ask(
            "the whole file in one PUT",
            lambda: upload_host.ask("PUT", address, headers=headers, body=film),
            sent="PUT without Content-Range",
        )
        asset_id = self._asset_of(upload.id)
        if asset_id is not None:
            self._delete("delete an asset as early as can be", asset_id)
        size = len(film)
        self._where("bytes */N to a completed upload", upload, size=size)
        self._put("the first part to a completed upload", upload, 0, min(PART_BYTES, size), size=size)
        self._cancel("cancel a completed upload", upload.id)

    def _expired(self, upload: Upload) -> None:
        for _ in range(MIN_SECONDS + 10):
            self._spend(0)
            self.sleep(1.0)
        self._where("bytes */N to an expired upload", upload)
        self._put("the first part to an expired upload", upload, 0, PART_BYTES)
        self._look("GET of an expired upload", upload.id)

    def _rate_limit(self) -> None:
        for number in range(1, MAX_READS_TO_A_LIMIT + 1):
            self._spend()
            answer = requests.read()
            if answer.status == 429:
                self.record.note("reads until 429", number)
                self.record.keep("an answer to too many reads", answer)
                return
        self.record.note("reads until 429", f"none within {MAX_READS_TO_A_LIMIT}")

    def _playback(self, asset_id: str) -> None:
        self.record.hide("asset", asset_id)
        self._spend(1)
        try:
            asset = api.get_asset(asset_id, priority=PRIORITY)
        except MuxError as error:
            self.record.note("the asset that was named", self.record.masked(error.message))
            return
        playback_id = asset.playback_id_for("public")
        if playback_id is None:
            self.record.note("a token on a public playback id", "not asked: the asset has no public one")
            return
        self.record.hide("playback id", playback_id)
        token = playback_tokens.playback_token(playback_id, audience="v", seconds=300)
        if token is None:
            self.record.note("a token on a public playback id", "not asked: no signing key is set")
            return
        self.record.hide("playback token", token)
        address = f"{config.current().mux_stream_url}/{playback_id}.m3u8"
        self._ask("a public playback id without a token", lambda: upload_host.ask("GET", address))
        self._ask(
            "a public playback id with a token", lambda: upload_host.ask("GET", f"{address}?token={token}")
        )

    # one request each

    def _spend(self, number: int = 1) -> None:
        self.requests += number
        if self.requests > MAX_REQUESTS:
            raise LimitReached(f"{MAX_REQUESTS} requests were made")
        if time.monotonic() > self._ends_at:
            raise LimitReached(f"{self.wanted.seconds:g} seconds were over")

    def _ask(self, question: str, request: Callable[[], Answer], *, sent: str = "") -> Answer | None:
        self._spend()
        return self.record.ask(question, request, sent=sent)

    def _create(self, question: str, seconds: int) -> Upload | None:
        body = {
            "cors_origin": config.current().public_url,
            "timeout": seconds,
            "test": True,
            "new_asset_settings": {"passthrough": PASSTHROUGH, "playback_policies": ["public"]},
        }
        self._spend()
        try:
            upload = requests.create(body)
        except MuxError as error:
            self.record.note(f"making {question}", self.record.masked(f"{error.category}: {error.message}"))
            return None
        self.made.uploads[upload.id] = False
        self.record.hide("upload", upload.id)
        self.record.hide_address("upload url", upload.url or "")
        self.record.note(f"making {question}", f"status {upload.status}, timeout {upload.timeout}")
        return upload

    def _preflight(self, upload: Upload) -> None:
        headers = {
            "Origin": config.current().public_url,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-range,content-type",
        }
        self._ask(
            "a browser's preflight",
            lambda: upload_host.ask("OPTIONS", upload.url or "", headers=headers),
            sent="OPTIONS with Origin",
        )

    def _where(self, question: str, upload: Upload, *, size: int = FILE_BYTES) -> None:
        self._send(question, upload, f"bytes */{size}", b"")

    def _put(self, question: str, upload: Upload, start: int, end: int, *, size: int = FILE_BYTES) -> None:
        self._send(question, upload, f"bytes {start}-{end - 1}/{size}", secrets.token_bytes(end - start))

    def _send(self, question: str, upload: Upload, content_range: str, body: bytes) -> None:
        headers = {
            "Origin": config.current().public_url,
            "Content-Type": "video/mp4",
            "Content-Range": content_range,
        }
        self._ask(
            question,
            lambda: upload_host.ask("PUT", upload.url or "", headers=headers, body=body),
            sent=f"PUT with Origin, Content-Range: {content_range}",
        )

    def _look(self, question: str, upload_id: str) -> Answer | None:
        return self._ask(question, lambda: requests.look(upload_id))

    def _cancel(self, question: str, upload_id: str) -> None:
        answer = self._ask(question, lambda: requests.cancel(upload_id))
        if answer is not None and answer.status == 200:
            self.made.uploads[upload_id] = True

    def _delete(self, question: str, asset_id: str) -> None:
        answer = self._ask(question, lambda: requests.delete(asset_id))
        if answer is not None and answer.status == 204:
            self.made.assets.discard(asset_id)

    def _asset_of(self, upload_id: str) -> str | None:
        """The asset that came of an upload; it belongs to the probe, which deletes it."""
        for _ in range(10):
            self._spend()
            try:
                asset_id = api.get_upload(upload_id, priority=PRIORITY).asset_id
            except MuxError as error:
                self.record.note("the asset of the upload", self.record.masked(error.message))
                return None
            if asset_id is not None:
                self.record.hide("asset", asset_id)
                self.made.assets.add(asset_id)
                self.made.uploads[upload_id] = True
                return asset_id
            self.sleep(1.0)
        self.record.note("the asset of the upload", "none came within ten looks")
        return None


def _has_url(answer: Answer | None) -> bool | None:
    """None where no upload was shown at all."""
    try:
        value = safe_json.load((answer.body if answer is not None else b"").decode())
        return upload_from(fields.mapping(value).get("data")).url is not None
    except (ValueError, WithoutId, json.JSONDecodeError):
        return None
