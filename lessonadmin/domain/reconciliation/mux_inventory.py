"""Read everything that Mux has, page by page, into temporary tables.

Comparing is then a query, and memory stays flat however many assets there are. A page that fails is asked for again a
few times; a reading that cannot be finished raises, so nothing is ever concluded from half of it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, text

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import backoff, mux_budget

PAGE_SIZE = 100
MAX_ATTEMPTS = 5
RESERVED_CALLS = 8.0  # a long reading leaves this much of the bucket to the sweeps
Progress = Callable[[int, int], None]
Answer = TypeVar("Answer")

TABLES = """
CREATE TEMP TABLE seen_assets (
    asset_id text PRIMARY KEY, status text, upload_id text, made_at timestamptz,
    lesson_id uuid, course_id uuid, tracking_id uuid, foreign_name boolean,
    playback_ids text[], policies text[]
);
CREATE TEMP TABLE seen_uploads (
    upload_id text PRIMARY KEY, status text, asset_id text, lesson_id uuid, course_id uuid, tracking_id uuid
);
"""
KEEP_ASSET = text(
    "INSERT INTO seen_assets VALUES (:asset_id, :status, :upload_id, :made_at, :lesson_id, :course_id, :tracking_id,"
    " :foreign_name, :playback_ids, :policies) ON CONFLICT DO NOTHING"
)
KEEP_UPLOAD = text(
    "INSERT INTO seen_uploads VALUES (:upload_id, :status, :asset_id, :lesson_id, :course_id, :tracking_id)"
    " ON CONFLICT DO NOTHING"
)


class InventoryFailed(Exception):
    """Mux stopped answering in the middle of the reading; the message says why."""


@contextmanager
def tables() -> Iterator[Connection]:
    """A connection of its own with the two tables, dropped at the end whatever happens."""
    connection = db.engine.connect()
    try:
        for statement in TABLES.split(";"):
            if statement.strip():
                connection.execute(text(statement))
        connection.commit()
        yield connection
    finally:
        connection.invalidate()  # the temporary tables go with it
        connection.close()


def read_all(connection: Connection, *, tell: Progress) -> tuple[int, int, int]:
    """Fill the tables; how many pages, assets and uploads there were."""
    pages = assets = uploads = 0
    for found in _assets():
        pages, assets = pages + 1, assets + len(found)
        if found:
            connection.execute(KEEP_ASSET, [_asset_row(asset) for asset in found])
            connection.commit()
        tell(pages, assets)
    for listed in _uploads():
        pages, uploads = pages + 1, uploads + len(listed)
        if listed:
            connection.execute(KEEP_UPLOAD, [_upload_row(upload) for upload in listed])
            connection.commit()
        tell(pages, assets + uploads)
    for table in ("seen_assets", "seen_uploads"):
        connection.execute(text(f"ANALYZE {table}"))
    connection.commit()
    return pages, assets, uploads


def _assets() -> Iterator[tuple[mux.Asset, ...]]:
    cursor: str | None = None
    while True:
        page = _ask_with_retries(partial(mux.list_assets, cursor=cursor, limit=PAGE_SIZE, priority="low"))
        yield page.assets
        cursor = page.next_cursor
        if cursor is None:
            return


def _uploads() -> Iterator[tuple[mux.Upload, ...]]:
    number = 1
    while True:
        page = _ask_with_retries(partial(mux.list_uploads, page=number, limit=PAGE_SIZE, priority="low"))
        yield page
        if len(page) < PAGE_SIZE:
            return
        number += 1


def _ask_with_retries(ask: Callable[[], Answer]) -> Answer:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        if not mux_budget.wait(max_seconds=600, reserve=RESERVED_CALLS):
            raise InventoryFailed("the shared budget for Mux stayed empty for ten minutes")
        try:
            answer = ask()
        except mux.MuxError as error:
            mux_budget.went_wrong(error)
            if error.kind == "refused" or attempt == MAX_ATTEMPTS:
                raise InventoryFailed(f"{error.category}: {error.message}") from error
            pause_seconds = backoff.pause(
                attempt, first=2
            )  # it holds the lock all the while, so it waits no longer
            time.sleep(min(pause_seconds, error.retry_after or pause_seconds))
        else:
            mux_budget.went_well()
            return answer
    raise InventoryFailed("unreachable")


def _asset_row(asset: mux.Asset) -> dict[str, object]:
    named = asset.passthrough
    return {
        "asset_id": asset.id,
        "status": asset.status,
        "upload_id": asset.upload_id,
        "made_at": asset.created_at,
        "lesson_id": named.lesson_id if named else None,
        "course_id": named.course_id if named else None,
        "tracking_id": named.tracking_id if named else None,
        "foreign_name": named is None,
        "playback_ids": [one.id for one in asset.playback_ids],
        "policies": [one.policy for one in asset.playback_ids],
    }


def _upload_row(upload: mux.Upload) -> dict[str, object]:
    named = upload.passthrough
    return {
        "upload_id": upload.id,
        "status": upload.status,
        "asset_id": upload.asset_id,
        "lesson_id": named.lesson_id if named else None,
        "course_id": named.course_id if named else None,
        "tracking_id": named.tracking_id if named else None,
    }
