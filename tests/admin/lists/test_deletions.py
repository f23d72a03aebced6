"""The list of deletions, the page of one and the button that tries it now, over HTTP."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AssetDeletion, AuditLog
from tests.admin.posting import said
from tests.admin.samples import browser, exported
from tests.factories import keep, make_lesson, make_user
from tests.mux_sim import MuxSim
from tests.pages import page_of, post
from tests.settings import overridden

NOW = datetime.now(UTC)
TARGET = uuid.UUID("01a1fc30-4459-7d2e-be8a-be56dc97f121")


@pytest.fixture
def support(app: Flask, session: object) -> FlaskClient:
    return browser("support")


def make_deletion(asset_id: str = "as1", **columns: object) -> AssetDeletion:
    return keep(AssetDeletion(mux_asset_id=asset_id, **columns))


def make_one_of_each_state() -> None:
    """Deletions whose asset ids are their states."""
    make_deletion("pending", target_type="lesson", target_id=TARGET)
    make_deletion("failing", attempts=3, last_error="Mux said 500.")
    make_deletion("gone", attempts=2, last_error="Mux said 500.", done_at=NOW)


def retry(support: FlaskClient, row_id: object, **more: str) -> Any:
    return post(support, "/admin/deletion/retry", id=str(row_id), **more)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"pending", "failing", "gone"}),
        ("flt0_done_is=yes", {"gone"}),
        ("flt0_done_is=no", {"pending", "failing"}),
        (f"flt0_about_is={TARGET}", {"pending"}),
        ("flt0_since_until=2000-01-01", set()),
        ("view=pending", {"pending", "failing"}),
        ("view=failing", {"failing"}),
        ("search=gone", {"gone"}),
        ("search=gon", set()),
        (f"search={TARGET}", {"pending"}),
    ],
)
def test_a_filter_a_view_and_a_search_find_their_deletions(
    app: Flask, query: str, expected: set[str]
) -> None:
    make_one_of_each_state()
    assert {row["Asset id"] for row in exported(browser(), "deletion", query)} == expected


def test_its_own_id_finds_a_deletion(app: Flask) -> None:
    row, _ = make_deletion("as1"), make_deletion("as2")
    assert [one["Asset id"] for one in exported(browser(), "deletion", f"search={row.id}")] == ["as1"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "Pending"),
        ({"attempts": 1, "last_error": "Mux said 500."}, "Failing"),
        ({"attempts": 3, "last_error": "Mux said 500."}, "Failing3 tries"),
        ({"last_error": "Mux said 500.", "done_at": NOW}, "Gone"),
    ],
)
def test_a_row_says_its_state(app: Flask, columns: dict[str, object], words: str) -> None:
    make_deletion(**columns)
    assert words in page_of(browser().get("/admin/deletion/")).text("tbody")


def test_a_row_says_of_what_by_whom_and_why(app: Flask) -> None:
    lesson, ada = make_lesson(title="Circles"), make_user(email="ada@school.example")
    make_deletion(target_type="lesson", target_id=lesson.id, requested_by=ada.id, reason="replaced")
    make_deletion("as2", target_type="course", target_id=TARGET)
    text = page_of(browser().get("/admin/deletion/")).text("tbody")
    for words in ("Circles", "ada@school.example", "replaced", "deleted course"):
        assert words in text, words


def test_what_is_done_is_due_no_more(app: Flask) -> None:
    make_deletion(due_at=NOW + timedelta(days=3), done_at=NOW)
    assert "days" not in page_of(browser().get("/admin/deletion/")).text("tbody")
    make_deletion("as2", due_at=NOW + timedelta(days=3))
    assert "days" in page_of(browser().get("/admin/deletion/")).text("tbody")


@pytest.mark.parametrize(("done_at", "has_button"), [(None, True), (NOW, False)])
def test_its_page_offers_to_try_what_is_not_done(
    app: Flask, done_at: datetime | None, has_button: bool
) -> None:
    row = make_deletion(last_error="Mux said 500.", done_at=done_at)
    page = page_of(browser().get(f"/admin/deletion/details/?id={row.id}"))
    assert bool(page.all("form", action="/admin/deletion/retry")) == has_button
    assert ("It is tried again automatically." in page.text("main")) == has_button


def test_its_page_leads_to_mux_where_mux_is_asked(app: Flask) -> None:
    row = make_deletion()
    address = f"/admin/deletion/details/?id={row.id}"
    assert "dashboard.mux.com" not in browser().get(address).text
    with overridden(mux_api_url="https://api.mux.com"):
        assert "https://dashboard.mux.com/video/assets/as1/overview" in browser().get(address).text


def test_a_try_deletes_at_mux_and_leads_back(support: FlaskClient, mux_sim: MuxSim) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1, policy="public", duration=30.0)
    row = make_deletion(asset_id)
    page = f"/admin/deletion/details/?id={row.id}"
    assert retry(support, row.id, url=page).location == page
    assert "Deleted at Mux." in said(support)
    assert mux_sim.control.assets() == []
    assert "deletion.retried" in set(db.session.scalars(select(AuditLog.action)))


@pytest.mark.parametrize("url", ["", "https://evil.example/", "//evil.example"])
def test_a_try_leads_to_no_other_site(support: FlaskClient, mux_sim: MuxSim, url: str) -> None:
    assert retry(support, make_deletion().id, url=url).location == "/admin/deletion/"


def test_a_try_that_mux_does_not_answer_says_that_it_goes_on(support: FlaskClient) -> None:
    row = make_deletion()
    assert retry(support, row.id).status_code == 302
    assert "Mux did not delete it: " in (words := said(support))
    assert "It is tried again automatically." in words
    db.session.rollback()
    assert db.session.get_one(AssetDeletion, row.id, populate_existing=True).done_at is None


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"done_at": NOW}, "Mux has deleted this asset already."),
        ({"due_at": NOW + timedelta(hours=3)}, "It is kept for its grace time, so that the change can be undone."),
    ],
)  # fmt: skip
def test_a_try_that_a_rule_refuses_says_why_and_asks_mux_nothing(
    support: FlaskClient, mux_sim: MuxSim, columns: dict[str, object], sentence: str
) -> None:
    row = make_deletion(**columns)
    assert retry(support, row.id).status_code == 302
    assert sentence in said(support)
    assert mux_sim.calls() == []


@pytest.mark.parametrize("row_id", ["", "x", str(TARGET)])
def test_a_try_of_what_is_not_there(support: FlaskClient, row_id: str) -> None:
    assert retry(support, row_id).status_code == 404
