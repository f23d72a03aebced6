"""Everything that Mux has, page by page, in temporary tables; half of it is never taken for all."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.reconciliation import mux_inventory
from lessonadmin.domain.reconciliation.mux_inventory import InventoryFailed
from tests.factories import make_lesson
from tests.mux_sim import MuxSim


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between two tries, none of which is waited for."""
    waited: list[float] = []
    monkeypatch.setattr(mux_inventory.time, "sleep", waited.append)
    monkeypatch.setattr(mux_budget, "wait", lambda **_: True)
    return waited


@pytest.fixture
def connection(app: Flask, session: object) -> Iterator[Connection]:
    with mux_inventory.tables() as connection:
        yield connection


def read(connection: Connection) -> tuple[int, int, int]:
    return mux_inventory.read_all(connection, tell=lambda pages, things: None)


def one_row(connection: Connection, table: str) -> dict[str, Any]:
    return dict(connection.execute(text(f"SELECT * FROM {table}")).mappings().one())  # noqa: S608 - the names below


def test_an_empty_mux_is_two_empty_pages(mux_sim: MuxSim, connection: Connection) -> None:
    assert read(connection) == (2, 0, 0)


@pytest.mark.parametrize(("assets", "pages"), [(99, 2), (100, 2), (101, 3), (250, 4)])
def test_every_asset_is_kept_once_however_many_pages_there_are(
    mux_sim: MuxSim, connection: Connection, assets: int, pages: int
) -> None:
    made = mux_sim.control.seed_assets(assets)
    told: list[tuple[int, int]] = []
    counted = mux_inventory.read_all(connection, tell=lambda *so_far: told.append(so_far))
    assert counted == (pages, assets, 0)
    assert set(connection.scalars(text("SELECT asset_id FROM seen_assets"))) == set(made)
    assert (len(told), told[-1]) == (pages, (pages, assets))


def test_a_full_page_of_uploads_is_not_the_last(
    mux_sim: MuxSim, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mux_inventory, "PAGE_SIZE", 2)
    made = {mux_sim.upload(make_lesson()).upload_id for _ in range(4)}
    assert read(connection) == (4, 0, 4)
    assert set(connection.scalars(text("SELECT upload_id FROM seen_uploads"))) == made


def test_what_is_kept_of_an_asset_and_of_an_upload(mux_sim: MuxSim, connection: Connection) -> None:
    lesson = make_lesson()
    upload_id = mux_sim.uploaded(lesson)
    (row,) = mux_sim.uploads(lesson)
    read(connection)
    at_mux = mux_sim.control.assets()[0]
    asset = one_row(connection, "seen_assets")
    assert asset.pop("made_at") is not None
    named = {"lesson_id": lesson.id, "course_id": None, "tracking_id": row.id}
    assert asset == {
        "asset_id": at_mux["id"], "status": "ready", "upload_id": upload_id, "foreign_name": False, **named,
        "playback_ids": [one["id"] for one in at_mux["playback_ids"]], "policies": ["public"],
    }  # fmt: skip
    assert one_row(connection, "seen_uploads") == {
        "upload_id": upload_id, "status": "asset_created", "asset_id": at_mux["id"], **named,
    }  # fmt: skip


def test_an_asset_with_the_name_of_another_application_is_marked(
    mux_sim: MuxSim, connection: Connection
) -> None:
    mux_sim.control.seed_assets(1, passthrough="of-another-application")
    read(connection)
    asset = one_row(connection, "seen_assets")
    assert (asset["foreign_name"], asset["lesson_id"], asset["course_id"]) == (True, None, None)


def test_an_asset_that_two_pages_show_is_kept_once(
    mux_sim: MuxSim, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video that is made while the pages are read moves the others."""
    asset = mux.Asset(id="a", status="ready")
    monkeypatch.setattr(mux_inventory, "_assets", lambda: iter([(asset,), (asset,)]))
    assert read(connection)[1] == 2
    assert one_row(connection, "seen_assets")["asset_id"] == "a"


def test_a_page_that_fails_is_asked_for_again_after_a_pause_that_doubles(
    mux_sim: MuxSim, connection: Connection, pauses: list[float]
) -> None:
    mux_sim.control.seed_assets(150)
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, skip=1, times=3, status=503)
    assert read(connection) == (3, 150, 0)
    assert pauses == [2, 4, 8]


@pytest.mark.parametrize(("asked", "waited"), [(1, 1), (900, 2)])
def test_no_pause_is_longer_than_usual_since_the_lock_is_held_meanwhile(
    mux_sim: MuxSim, connection: Connection, pauses: list[float], asked: int, waited: float
) -> None:
    mux_sim.control.fault("api", "rate_limited", times=1, retry_after=asked)
    read(connection)
    assert pauses == [waited]


def test_after_five_tries_the_reading_has_failed(
    mux_sim: MuxSim, connection: Connection, pauses: list[float]
) -> None:
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, status=503)
    with pytest.raises(InventoryFailed, match="server_error"):
        read(connection)
    assert len(mux_sim.calls("list_assets")) == mux_inventory.MAX_ATTEMPTS == 5


def test_what_mux_refuses_is_not_asked_again(
    mux_sim: MuxSim, connection: Connection, pauses: list[float]
) -> None:
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, status=401)
    with pytest.raises(InventoryFailed, match="auth_error"):
        read(connection)
    assert (len(mux_sim.calls()), pauses) == (1, [])


def test_without_budget_mux_is_not_asked_and_some_of_it_is_left_for_sweeps(
    mux_sim: MuxSim, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[dict[str, float]] = []
    monkeypatch.setattr(mux_budget, "wait", lambda **limits: wanted.append(limits))
    with pytest.raises(InventoryFailed, match="budget"):
        read(connection)
    assert wanted == [{"max_seconds": 600, "reserve": mux_inventory.RESERVED_CALLS}]
    assert mux_sim.calls() == []


@pytest.mark.usefixtures("session")
def test_the_tables_end_with_the_reading_even_if_it_fails() -> None:
    with pytest.raises(RuntimeError, match="broken"), mux_inventory.tables():
        raise RuntimeError("broken")
    with mux_inventory.tables() as second:
        assert second.scalar(text("SELECT count(*) FROM seen_assets")) == 0
    with db.engine.connect() as other, pytest.raises(ProgrammingError):
        other.execute(text("SELECT * FROM seen_assets"))
