"""The operations page and the page of the last reconciliation in Chromium: axe, no sideways scrolling, fresh by themselves."""

import re
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import text

from lessonadmin.db import db
from lessonadmin.domain.models import Difference, ReconcileRun
from tests.factories import in_context, keep, make_lesson, make_playing_lesson, make_tracking, make_user

Good = Callable[[Page], None]
Window = Callable[..., Page]

FIGURES = """
INSERT INTO hourly_figures (hour, figure, label, count)
SELECT date_trunc('hour', clock_timestamp()) - n * interval '1 hour', figure, label, (n * 7 + length(label) * 3) % top
  FROM generate_series(0, 700) n,
       (VALUES ('uploads', '', 40), ('ended', 'ready', 35), ('ended', 'asset_errored', 5), ('ended', 'cancelled', 4),
               ('discovered', 'webhook', 33), ('discovered', 'sweep', 6), ('published', 'by itself', 30),
               ('ready_after', 'short:42', 9), ('ready_after', 'long:71', 4), ('delay', '-7', 90), ('rejected', 'mismatch', 3))
       AS f (figure, label, top)
"""


@pytest.fixture
def busy_school(app: Flask) -> None:
    """A month of figures, alarms that stand, failures with their reasons, a reconciliation with findings."""
    instructor = make_user(name="Ada")
    with in_context():
        db.session.execute(text(FIGURES))
        db.session.execute(
            text(
                "INSERT INTO alarms (id, kind, message) VALUES (gen_random_uuid(), 'no_worker', 'No worker has been seen yet.')"
            )
        )
        db.session.commit()
    for number in range(4):
        failed = make_lesson(creator=instructor, title=f"Broken {number}", video_processing_status="error")
        make_tracking(
            failed, status="error", error_type="asset_errored", error_message="The file is no video."
        )
    lesson = make_playing_lesson(creator=instructor, title="A title that is rather long " * 4)
    run = keep(ReconcileRun(started_by="nightly", pages=12, assets=1100, uploads=80, summary={"foreign": 4}))
    for kind in ("missing", "orphan", "wrong_policy"):
        for _ in range(3):
            keep(Difference(run_id=run.id, kind=kind, mux_id=uuid.uuid4().hex * 2, target_type="lesson",
                       target_id=lesson.id, remark="here: ready, Mux does not have it"))  # fmt: skip
    with in_context():
        db.session.execute(text("UPDATE reconcile_runs SET finished_at = clock_timestamp()"))
        db.session.commit()


@pytest.mark.parametrize("address", ["/admin/", "/admin/reconcile/"])
def test_it_is_accessible_and_fits(window: Window, busy_school: None, accessible: Good, address: str) -> None:
    page = window(signed_in="support")
    page.goto(address)
    for summary in page.get_by_text("The numbers as a table").all():
        summary.click()
    accessible(page)


@pytest.mark.parametrize("address", ["/admin/", "/admin/reconcile/"])
def test_an_empty_database_says_so(window: Window, app: Flask, accessible: Good, address: str) -> None:
    page = window(signed_in="admin")
    page.goto(address)
    accessible(page)


def test_figures_lie_in_even_rows(window: Window, busy_school: None) -> None:
    for width, columns in ((1600, 6), (900, 3), (390, 2)):
        page = window(width=width, signed_in="support")
        page.goto("/admin/")
        tops = [box["y"] for one in page.locator(".figure").all() if (box := one.bounding_box())]
        assert [tops.count(top) for top in sorted(set(tops))] == [columns] * (6 // columns)


def test_it_updates_by_itself_and_what_is_open_stays_open(window: Window, busy_school: None) -> None:
    page = window(signed_in="support")
    page.goto("/admin/")
    table = page.locator("#chart-uploads details")
    table.locator("summary").click()
    picture = page.locator("#chart-uploads svg").element_handle()
    expect(page.get_by_text("No worker has been seen yet.")).to_be_visible()
    with in_context():
        db.session.execute(text("UPDATE alarms SET ended_at = clock_timestamp()"))
        db.session.commit()
    expect(page.get_by_text("No worker has been seen yet.")).to_have_count(0)
    assert table.get_attribute("open") is not None
    assert picture is not None
    assert picture.evaluate("element => element.isConnected"), "an unchanged chart is not drawn anew"


def test_the_keyboard_reaches_spans_tables_and_deletes_only_with_the_word(
    window: Window, busy_school: None
) -> None:
    page = window(signed_in="support")
    page.goto("/admin/")
    page.get_by_role("link", name="7 days").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "page")
    page.locator("#chart-ended summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="How uploads ended as a table")).to_be_visible()
    page.goto("/admin/reconcile/")
    page.get_by_role("button", name="Delete at Mux…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Reason").fill("rubbish")
    dialog.get_by_label("Type delete to confirm").fill("yes")
    dialog.get_by_role("button", name=re.compile(r"^Delete \d+ asset")).click()
    expect(dialog).to_be_visible()
