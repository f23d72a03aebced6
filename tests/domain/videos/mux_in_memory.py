"""Mux in a few dictionaries, faithful to what its API promises and to how it fails: for tests that make thousands of calls.

It takes the place of the functions of `lessonadmin.mux` (see `installed`), answers with the objects that the real module
would have read from Mux's JSON, and writes the webhooks that Mux would send, unsent, into `said`.
"""

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.mux.payloads import asset_from, upload_from

Doc = dict[str, Any]
TROUBLES = ("server_error", "rate_limit", "auth_error", "network", "nonsense")


class Killed(BaseException):
    """The process died here: nothing of Python's tidying up may be relied on."""


class MuxInMemory:
    """Uploads, assets, and what was said about them."""

    def __init__(self) -> None:
        self.uploads: dict[str, Doc] = {}
        self.assets: dict[str, Doc] = {}
        self.buried: dict[str, Doc] = {}
        self.said: list[Doc] = []
        self.calls: list[str] = []
        self.trouble: str | None = None
        self.once: str | None = (
            None  # "late": it is done, but no answer comes; "dead": it is done, and the process dies
        )
        self.refuse_delete_while_preparing = False
        self.may_delete: Callable[[str], None] = lambda _: None
        self._numbers = itertools.count(1)

    # what happens at Mux

    def file_in(self, upload_id: str) -> str | None:
        """All bytes have come; the asset, or nothing if the upload is no longer waiting."""
        upload = self.uploads[upload_id]
        if upload["status"] != "waiting":
            return None
        settings = upload["new_asset_settings"]
        asset_id = f"asset{next(self._numbers)}"
        policy = settings["playback_policies"][0]
        self.assets[asset_id] = {
            "id": asset_id,
            "status": "preparing",
            "created_at": int(time.time()),
            "upload_id": upload_id,
            "passthrough": settings["passthrough"],
            "meta": settings["meta"],
            "playback_ids": [{"id": f"play-{asset_id}", "policy": policy}],
        }
        upload |= {"status": "asset_created", "asset_id": asset_id}
        self._say_upload("video.upload.asset_created", upload)
        self._say_asset("video.asset.created", asset_id)
        return asset_id

    def ready(self, asset_id: str, *, playable: bool = True) -> None:
        asset = self.assets[asset_id]
        asset |= {"status": "ready", "duration": 61.5}
        if not playable:
            asset["playback_ids"] = []
        self._say_asset("video.asset.ready", asset_id)

    def errored(self, asset_id: str) -> None:
        problem = {"type": "invalid_input", "messages": ["The file is no video."]}
        self.assets[asset_id] |= {"status": "errored", "errors": problem}
        self._say_asset("video.asset.errored", asset_id)
        upload = self.uploads.get(self.assets[asset_id]["upload_id"])
        if upload is not None:
            upload["status"] = "errored"
            self._say_upload("video.upload.errored", upload)

    def end_upload(self, upload_id: str, status: str) -> None:
        """An upload that is waiting comes to nothing; of a time-out Mux sends no event."""
        upload = self.uploads[upload_id]
        upload["status"] = status
        if status != "timed_out":
            self._say_upload(f"video.upload.{status}", upload)

    def delete(self, asset_id: str) -> None:
        """Gone, by Lessonadmin's own call or in Mux's dashboard."""
        self._say_asset("video.asset.deleted", asset_id)
        self.buried[asset_id] = self.assets.pop(asset_id)

    def time_passes(self, seconds: float) -> None:
        for thing in (*self.assets.values(), *self.uploads.values()):
            thing["created_at"] -= int(seconds)
        for upload_id, upload in self.uploads.items():
            if upload["status"] == "waiting" and time.time() - upload["created_at"] > upload["timeout"]:
                self.end_upload(upload_id, "timed_out")

    def issue(self, passthrough: str, external_id: str, policy: str) -> Doc:
        upload_id = f"upload{next(self._numbers)}"
        self.uploads[upload_id] = {
            "id": upload_id,
            "status": "waiting",
            "timeout": 86400,
            "created_at": int(time.time()),
            "new_asset_settings": {
                "playback_policies": [policy],
                "passthrough": passthrough,
                "meta": {"external_id": external_id},
            },
        }
        self._say_upload("video.upload.created", self.uploads[upload_id])
        return self.uploads[upload_id]

    def ever_ready(self, playback_id: str | None) -> bool:
        """Did Mux ever say of an asset with this playback id that it is ready?"""
        found = (*self.assets.values(), *self.buried.values())
        return any(
            asset["status"] == "ready" and playback_id in [one["id"] for one in asset["playback_ids"]]
            for asset in found
        )

    def _say_asset(self, kind: str, asset_id: str) -> None:
        self._say(kind, "asset", self.assets[asset_id])

    def _say_upload(self, kind: str, upload: Doc) -> None:
        self._say(kind, "upload", {key: value for key, value in upload.items() if key != "created_at"})

    def _say(self, kind: str, about: str, data: Doc) -> None:
        event = {
            "type": kind,
            "id": str(uuid.UUID(int=next(self._numbers))),
            "created_at": datetime.now(UTC).isoformat(),
            "object": {"type": about, "id": data["id"]},
            "environment": {"name": "Test", "id": "test"},
            "data": data,
            "attempts": [],
        }
        self.said.append(json.loads(json.dumps(event)))

    # the calls of `lessonadmin.mux`

    def create_upload(
        self, *, passthrough: mux.Passthrough, external_id: str, policy: str, **_: object
    ) -> mux.Upload:
        with self._asked("create_upload"):
            upload = self.issue(passthrough.text(), external_id, policy)
        return upload_from({**upload, "url": f"https://upload.example/{upload['id']}"})

    def get_upload(self, upload_id: str, *, priority: str) -> mux.Upload:
        with self._asked("get_upload"):
            self._must_exist(upload_id, self.uploads)
        return upload_from(self.uploads[upload_id])

    def cancel_upload(self, upload_id: str, *, priority: str) -> mux.Upload:
        with self._asked("cancel_upload"):
            self._must_exist(upload_id, self.uploads)
            if self.uploads[upload_id]["status"] != "waiting":
                raise mux.Refused("This upload can no longer be cancelled.", category="unknown", status=403)
            self.end_upload(upload_id, "cancelled")
        return upload_from(self.uploads[upload_id])

    def list_uploads(self, *, page: int, limit: int = 100, priority: str) -> tuple[mux.Upload, ...]:
        with self._asked("list_uploads"):
            newest = list(reversed(self.uploads.values()))
        return tuple(upload_from(one) for one in newest[(page - 1) * limit : page * limit])

    def get_asset(self, asset_id: str, *, priority: str) -> mux.Asset:
        with self._asked("get_asset"):
            self._must_exist(asset_id, self.assets)
        return asset_from(self.assets[asset_id])

    def list_assets(
        self, *, cursor: str | None = None, upload_id: str | None = None, limit: int = 100, priority: str
    ) -> mux.AssetPage:
        with self._asked("list_assets"):
            newest = [one for one in reversed(self.assets.values()) if upload_id in (None, one["upload_id"])]
        start = int(cursor or 0)
        page = tuple(asset_from(one) for one in newest[start : start + limit])
        return mux.AssetPage(page, str(start + limit) if len(newest) > start + limit else None)

    def delete_asset(self, asset_id: str, *, priority: str) -> None:
        self.may_delete(asset_id)
        with self._asked("delete_asset"):
            self._must_exist(asset_id, self.assets)
            if self.refuse_delete_while_preparing and self.assets[asset_id]["status"] == "preparing":
                raise mux.Later("Mux cannot delete this asset yet.", category="preparing", status=400)
            self.delete(asset_id)

    def _must_exist(self, id_: str, among: dict[str, Doc]) -> None:
        if id_ not in among:
            raise mux.Gone("Mux has no such thing.", status=404)

    @contextmanager
    def _asked(self, operation: str) -> Iterator[None]:
        assert not db.session().in_transaction(), f"{operation} was asked for with a transaction open"
        self.calls.append(operation)
        self._fail()
        yield
        once, self.once = self.once, None
        if once == "late":
            raise mux.Later("Mux did not answer in time.", category="timeout")
        if once == "dead":
            raise Killed

    def _fail(self) -> None:
        if self.trouble == "rate_limit":
            raise mux.Later("Mux asks for fewer calls.", category="rate_limit", status=429, retry_after=7.0)
        if self.trouble == "auth_error":
            raise mux.Refused("Mux does not accept our access token.", category="auth_error", status=401)
        if self.trouble == "nonsense":
            raise mux.Nonsense("Mux's answer could not be understood: it was not JSON.", status=200)
        if self.trouble is not None:
            raise mux.Later("Mux does not answer.", category=self.trouble)  # type: ignore[arg-type]


CALLS = (
    "create_upload",
    "get_upload",
    "cancel_upload",
    "list_uploads",
    "get_asset",
    "list_assets",
    "delete_asset",
)


@contextmanager
def installed(fake: MuxInMemory) -> Iterator[MuxInMemory]:
    """While the block lasts, the product speaks to this Mux."""
    real = {name: getattr(mux, name) for name in CALLS}
    try:
        for name in CALLS:
            setattr(mux, name, getattr(fake, name))
        yield fake
    finally:
        for name, function in real.items():
            setattr(mux, name, function)
