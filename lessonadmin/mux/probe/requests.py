"""The probe's calls to Mux's API, whose answers it wants as they are, and what it made by them, to be taken away.

Nothing in here touches an upload or an asset that the probe did not make.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import mux_python

from lessonadmin.mux import api
from lessonadmin.mux.errors import Gone, Later, MuxError, Refused
from lessonadmin.mux.payloads import Upload
from lessonadmin.mux.request import RAW_ANSWER, mux_request
from lessonadmin.mux.transport import Priority
from lessonadmin.outbound import Answer

PRIORITY: Priority = "low"  # so that no person's upload waits for it
MAX_TRIES = 60


@dataclass
class Leftovers:
    """What a probe has made at Mux, so that it can be taken away at any moment."""

    uploads: dict[str, bool] = field(default_factory=dict)
    """Upload id -> has it ended?"""
    assets: set[str] = field(default_factory=set)

    @property
    def left(self) -> list[str]:
        """What was made and is not known to be gone."""
        open_ones = [f"upload {one}" for one, ended in self.uploads.items() if not ended]
        return open_ones + [f"asset {one}" for one in sorted(self.assets)]

    def take_away(self, sleep: Callable[[float], object]) -> None:
        """Cancel and delete it all. An upload that cannot be cancelled may have become an asset: that goes."""
        for upload_id in [one for one, ended in self.uploads.items() if not ended]:
            self.uploads[upload_id] = _try_until_done(partial(self._end, upload_id), sleep)
        for asset_id in sorted(self.assets):
            if _try_until_done(partial(api.delete_asset, asset_id, priority=PRIORITY), sleep):
                self.assets.discard(asset_id)

    def _end(self, upload_id: str) -> None:
        try:
            api.cancel_upload(upload_id, priority=PRIORITY)
        except Refused:
            upload = api.get_upload(upload_id, priority=PRIORITY)
            if upload.asset_id is not None:
                self.assets.add(upload.asset_id)
            elif upload.status == "waiting":
                raise


def _try_until_done(act: Callable[[], object], sleep: Callable[[float], object]) -> bool:
    """Did it come to its end? Too many calls, a fault at Mux, an asset that it still works on: tried again for a minute."""
    for _ in range(MAX_TRIES):
        try:
            act()
        except Gone:
            return True
        except Later:
            sleep(1.0)
        except MuxError:
            return False
        else:
            return True
    return False


def create(body: Mapping[str, Any]) -> Upload:
    with mux_request("create_upload", priority=PRIORITY) as ask:
        return ask.upload(
            lambda sdk: mux_python.DirectUploadsApi(sdk).create_direct_upload(dict(body), **RAW_ANSWER)
        )


def look(upload_id: str) -> Answer:
    with mux_request("get_upload", "upload", upload_id, priority=PRIORITY) as ask:
        return ask.send(
            lambda sdk: mux_python.DirectUploadsApi(sdk).get_direct_upload(upload_id, **RAW_ANSWER)
        )


def cancel(upload_id: str) -> Answer:
    with mux_request("cancel_upload", "upload", upload_id, priority=PRIORITY) as ask:
        return ask.send(
            lambda sdk: mux_python.DirectUploadsApi(sdk).cancel_direct_upload(upload_id, **RAW_ANSWER)
        )


def delete(asset_id: str) -> Answer:
    with mux_request("delete_asset", "asset", asset_id, priority=PRIORITY) as ask:
        return ask.send(lambda sdk: mux_python.AssetsApi(sdk).delete_asset(asset_id, **RAW_ANSWER))


def read() -> Answer:
    """The cheapest read there is."""
    with mux_request("list_uploads", priority=PRIORITY) as ask:
        return ask.send(
            lambda sdk: mux_python.DirectUploadsApi(sdk).list_direct_uploads(limit=1, page=1, **RAW_ANSWER)
        )
