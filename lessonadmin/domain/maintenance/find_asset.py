"""Which asset at Mux a temporary id stood for: by upload id (also in its cleaned form), passthrough and external id.

The whole of Mux is paged through once, and only if a direct look does not answer. Nothing is changed in here.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import or_, select

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Owner, Tracking, owners
from lessonadmin.domain.models.videos import MIGRATED
from lessonadmin.domain.videos import withdrawal
from lessonadmin.text.temporary_ids import PREFIX, is_temporary

UNCLEAN = re.compile(r"[^A-Za-z0-9]")


def clean(upload_id: str) -> str:
    """How upload ids were written into temporary ids: everything but letters and digits became `_`."""
    return UNCLEAN.sub("_", upload_id)


def _bare(temporary_id: str | None) -> str:
    """What was made into a temporary id: for a playback id it said so after the prefix."""
    return (temporary_id or "").removeprefix(PREFIX).removeprefix("playback_")


class Finder:
    """Looks things up at Mux for one run, asking for everything at most once."""

    def __init__(self) -> None:
        self._indexed = False
        self._upload_of: dict[str, str] = {}
        self._by_clean_upload: dict[str, set[str]] = defaultdict(set)
        self._by_name: dict[str, set[str]] = defaultdict(set)
        self._waiting: set[str] = set()

    def assets_of(self, owner: Owner) -> set[str]:
        """Every asset that the temporary ids of this lesson or course could stand for, but none that is held."""
        found = self._assets_of(owner)
        held = {
            one for one in found if withdrawal.is_kept_back(asset_id=one, upload_id=self._upload_of.get(one))
        }
        db.session.rollback()
        return found - held

    def _assets_of(self, owner: Owner) -> set[str]:
        wanted = [_bare(one) for one in (owner.mux_asset_id, owner.mux_playback_id) if is_temporary(one)]
        for upload_id in self._upload_ids(owner, wanted):
            upload = self._upload(upload_id)
            if upload is not None and upload.asset_id:
                self._upload_of[upload.asset_id] = upload_id
                return {upload.asset_id}
            if upload is not None and upload.status == "waiting":
                self._waiting.add(str(owner.id))
                return set()
        self._index()
        by_upload = {one for text in wanted if text for one in self._by_clean_upload.get(clean(text), ())}
        return by_upload or self._by_name.get(str(owner.id), set())

    def is_waiting(self, owner: Owner) -> bool:
        """The upload is known and Mux still waits for its file."""
        return str(owner.id) in self._waiting

    def _upload_ids(self, owner: Owner, wanted: list[str]) -> list[str]:
        stands_for = [Tracking.temp_asset_id == owner.mux_asset_id] if owner.mux_asset_id else []
        upload_ids = db.session.scalars(
            select(Tracking.upload_id).where(
                owners.COLUMNS[owner.kind] == owner.id,
                or_(Tracking.has_temporary_id, *stands_for),
                Tracking.upload_id.is_not(None),
                Tracking.upload_id != MIGRATED,
            )
        ).all()
        db.session.rollback()
        possible = [text.strip() for text in wanted if text.strip() and " " not in text.strip()]
        return [one for one in upload_ids if one] or list(dict.fromkeys(possible))

    def _upload(self, upload_id: str) -> mux.Upload | None:
        mux_budget.wait_or_stop()
        try:
            upload = mux.get_upload(upload_id, priority="low")
        except mux.Gone:
            return None
        except mux.Refused as error:
            if error.category != "not_found":
                raise
            return None
        mux_budget.went_well()
        return upload

    def _index(self) -> None:
        if self._indexed:
            return
        for asset in self._all_assets():
            if asset.upload_id:
                self._upload_of[asset.id] = asset.upload_id
                self._by_clean_upload[clean(asset.upload_id)].add(asset.id)
            for name in self._names(asset):
                self._by_name[name].add(asset.id)
        self._indexed = True

    def _names(self, asset: mux.Asset) -> set[str]:
        named = asset.passthrough
        by_note = str(named.lesson_id) if named is not None and named.lesson_id is not None else None
        return {one for one in (by_note, asset.raw_passthrough, asset.external_id) if one}

    def _all_assets(self) -> Iterator[mux.Asset]:
        cursor: str | None = None
        while True:
            mux_budget.wait_or_stop()
            page = mux.list_assets(cursor=cursor, limit=100, priority="low")
            mux_budget.went_well()
            yield from page.assets
            cursor = page.next_cursor
            if cursor is None:
                return
