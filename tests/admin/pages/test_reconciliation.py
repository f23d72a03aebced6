"""The page of the last walk: who may see it, what it shows, and what its buttons ask a worker to do."""

import re
import uuid

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from lessonadmin import queue
from lessonadmin.db import CLI, db
from lessonadmin.domain.models import AssetDeletion, Difference, ReconcileRun
from lessonadmin.domain.reconciliation import reconcile
from lessonadmin.jobs import reconciling
from tests.factories import make_lesson, make_playing_lesson, make_user, signed_in
from tests.mux_sim import MuxSim
from tests.pages import page_of

PAGE = "/admin/reconcile/"


@pytest.fixture(autouse=True)
def plenty(enough_calls: None) -> None:
    """These tests ask Mux a lot."""


def reconciled() -> reconcile.Report:
    report = reconcile.run(actor=CLI, started_by="command line", fix=False)
    db.session.rollback()
    return report


def drifted(mux_sim: MuxSim) -> None:
    """One missing asset, and one orphan."""
    make_playing_lesson(title="Tides")
    note = f'{{"lesson_id":"{uuid.uuid4()}","app":"lessonadmin"}}'
    mux_sim.control.seed_assets(1, passthrough=note, created_at=0)


def press(browser: object, path: str, **fields: str) -> str:
    """Send the form as the page would; what the toast says."""
    page = browser.get(PAGE).get_data(as_text=True)  # type: ignore[attr-defined]
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    answer = browser.post(  # type: ignore[attr-defined]
        PAGE + path, data={"csrf_token": token[1], **fields}, follow_redirects=True
    )
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def jobs() -> list[tuple[str, list[str]]]:
    found = [(job.func_name.rsplit(".", 1)[1], list(job.args)) for job in queue.queue("bulk").jobs]
    queue.queue("bulk").empty()
    return found


def run_jobs() -> None:
    for name, arguments in jobs():
        getattr(reconciling, name)(*arguments)
    db.session.rollback()


def test_only_staff_see_it(app: Flask) -> None:
    for role, status in (("support", 200), ("admin", 200), ("instructor", 404), ("student", 404)):
        browser = signed_in(make_user(role=role))
        assert browser.get(PAGE).status_code == status, role
        assert browser.post(PAGE + "walk").status_code in ((400, 403) if status == 200 else (404,)), role


def test_before_the_first_walk_there_is_only_the_button(mux_sim: MuxSim) -> None:
    page = signed_in(make_user(role="support")).get(PAGE).get_data(as_text=True)
    assert "Not checked yet" in page
    assert "Check now" in page


def test_walk_mend_and_delete_by_buttons(mux_sim: MuxSim, redis_url: str) -> None:
    drifted(mux_sim)
    support = make_user(role="support")
    browser = signed_in(support)
    assert "The sync check was started" in press(browser, "walk")
    run_jobs()
    page = browser.get(PAGE).get_data(as_text=True)
    assert "Missing at Mux" in page
    assert "Tides" in page
    assert support.email in page
    run_id = str(db.session.scalars(select(ReconcileRun.id)).one())
    press(browser, "mend", kind="missing", run=run_id)
    run_jobs()
    assert (
        db.session.scalars(select(Difference.mended_at).where(Difference.kind == "missing")).one() is not None
    )
    assert "Type “delete”" in press(browser, "mend", kind="orphan", run=run_id, reason="old")
    assert "Give a reason" in press(browser, "mend", kind="orphan", run=run_id, typed="delete")
    assert jobs() == []
    press(browser, "mend", kind="orphan", run=run_id, reason="old rubbish", typed="delete")
    run_jobs()
    promise = db.session.scalars(select(AssetDeletion)).one()
    assert (promise.reason, promise.requested_by) == ("old rubbish", support.id)
    assert "In sync with Mux" not in browser.get(PAGE).get_data(as_text=True)
    reconciled()
    assert "In sync with Mux" in browser.get(PAGE).get_data(as_text=True)


def test_a_fix_is_confirmed_with_its_count_what_it_does_and_a_reason(mux_sim: MuxSim, redis_url: str) -> None:
    drifted(mux_sim)
    reconciled()
    support = make_user(role="support")
    page = page_of(signed_in(support).get(PAGE))
    words = page.text("dialog")
    assert "Clear 1 missing video?" in words
    assert "1 published lesson becomes a draft, unless Mux has the video after all." in words
    assert "Delete 1 asset at Mux?" in words
    reasons = page.all("input", name="reason")
    assert [(one["id"], "required" in one) for one in reasons] == [
        ("reason-orphan", True),
        ("reason-missing", True),
    ]
    assert [one["data-dialog"] for one in page.all("button") if "data-dialog" in one] == [
        "mend-orphan",
        "mend-missing",
    ]
    assert page.faults() == []


def test_who_mended_and_why_is_in_the_audit_trail(mux_sim: MuxSim, redis_url: str) -> None:
    lesson = make_playing_lesson()
    run_id = str(reconciled().run_id)
    support = make_user(role="support")
    reconciling.mend_kind(run_id, "missing", str(support.id), "told by the school")
    row = db.session.execute(
        text(
            "SELECT actor_type, actor_id, detail FROM audit_log WHERE target_id = :id AND action = 'video.deleted'"
        ),
        {"id": lesson.id},
    ).one()
    assert (row.actor_type, row.actor_id, row.detail["reason"]) == ("user", support.id, "told by the school")


def test_an_old_report_is_not_acted_on(mux_sim: MuxSim, redis_url: str) -> None:
    drifted(mux_sim)
    old = str(reconciled().run_id)
    reconciled()
    browser = signed_in(make_user(role="support"))
    assert "newer report" in press(browser, "mend", kind="missing", run=old)
    for kind, run in (("nonsense", old), ("missing", "nonsense"), ("", "")):
        press(browser, "mend", kind=kind, run=run)
    assert jobs() == []


def test_an_implausible_report_offers_no_clearing(mux_sim: MuxSim, redis_url: str) -> None:
    for _ in range(21):
        make_playing_lesson()
    run_id = reconciled().run_id
    browser = signed_in(make_user(role="support"))
    page = press(browser, "mend", kind="missing", run=str(run_id))
    assert "another Mux environment" in page
    assert jobs() == []
    assert reconcile.fix_kind(run_id, "missing", actor=CLI).fixed == {}


def test_findings_are_paged_and_odd_pages_answered(mux_sim: MuxSim) -> None:
    reconciled()
    run_id = db.session.scalars(select(ReconcileRun.id)).one()
    lesson = make_lesson(title="<script>alert(1)</script>")
    db.session.execute(
        text(
            "INSERT INTO reconcile_findings (id, run_id, kind, mux_id, target_type, target_id, remark)"
            " SELECT gen_random_uuid(), :run, 'stale', 'asset' || n, 'lesson', :lesson, 'we say <b>' FROM generate_series(1, 120) n"
        ),
        {"run": run_id, "lesson": lesson.id},
    )
    db.session.commit()
    browser = signed_in(make_user(role="support"))
    first = browser.get(PAGE + "?kind=stale").get_data(as_text=True)
    assert "alert(1)</script>" not in first
    assert first.count("&lt;script&gt;") >= 50
    for query in ("?page=3", "?page=9999999", "?page=-1", "?page=x", "?kind=nonsense&page=2"):
        assert browser.get(PAGE + query).status_code == 200, query


def test_a_walk_without_an_end_is_told(mux_sim: MuxSim) -> None:
    reconciled()
    db.session.execute(update(ReconcileRun).values(finished_at=None))
    db.session.commit()
    page = signed_in(make_user(role="support")).get(PAGE).get_data(as_text=True)
    assert "did not finish" in page


@pytest.mark.parametrize(("attempt", "next_ms"), [("", "2000"), ("2", "2000"), ("3", "30000"), ("x", "2000")])
def test_a_young_page_asks_often_for_a_worker_may_not_have_begun(
    mux_sim: MuxSim, attempt: str, next_ms: str
) -> None:
    page = page_of(signed_in(make_user(role="support")).get(f"{PAGE}?attempt={attempt}"))
    assert [one["data-next"] for one in page.all("div") if "data-next" in one] == [next_ms]
