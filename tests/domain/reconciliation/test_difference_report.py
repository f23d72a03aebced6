"""The last report as staff see it, and which fixes may be requested of it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin import queue
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Invalid, Problem, Unavailable
from lessonadmin.domain.models import AuditLog, Difference, ReconcileRun
from lessonadmin.domain.models.reconciliation import DIFFERENCE_KINDS
from lessonadmin.domain.reconciliation import difference_report, reconcile
from lessonadmin.domain.reconciliation.difference_report import DifferenceReport
from tests.factories import keep, make_course, make_lesson, make_user
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


def run(minutes_ago: float = 10, **columns: Any) -> ReconcileRun:
    """A run that has finished, unless `finished_at` says otherwise."""
    began = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return keep(ReconcileRun(started_at=began, **{"finished_at": began, "started_by": "test", **columns}))


def differences(of: ReconcileRun, kind: str, count: int = 1, **columns: Any) -> None:
    for number in range(count):
        keep(Difference(run_id=of.id, kind=kind, mux_id=f"{kind}-{number:03}", **columns))


def show(kind: str | None = None, page: int = 1) -> DifferenceReport:
    return difference_report.show(kind=kind, page=page)


def test_before_the_first_run_there_is_nothing_to_show() -> None:
    report = show(page=7)
    assert (report.run, report.by, report.kinds, report.findings) == (None, "", [], [])
    assert (report.page, report.pages, report.total, report.busy, report.running) == (1, 1, 0, False, None)
    assert difference_report.unfinished(report) is None


def test_each_kind_is_counted_and_so_is_what_was_fixed() -> None:
    older, newest = run(60), run()
    differences(older, "orphan", 5)
    differences(newest, "missing", 3)
    differences(newest, "missing", 2, mended_at=datetime.now(UTC))
    differences(newest, "stale")
    report = show()
    assert report.run is not None
    assert report.run.id == newest.id
    assert [one.name for one in report.kinds] == list(DIFFERENCE_KINDS)
    counts = {one.name: (one.found, one.fixed, one.open) for one in report.kinds}
    assert counts["missing"] == (5, 2, 3)
    assert counts["stale"] == (1, 0, 1)
    assert counts["orphan"] == (0, 0, 0)
    assert report.total == 6


def test_one_kind_is_shown_page_by_page_and_every_page_that_is_not_there_is_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(difference_report, "PER_PAGE", 2)
    newest = run()
    differences(newest, "stale", 5)
    differences(newest, "missing", 1)
    pages = [[one.difference.mux_id for one in show("stale", page).findings] for page in (1, 2, 3)]
    assert pages == [["stale-000", "stale-001"], ["stale-002", "stale-003"], ["stale-004"]]
    assert [show("stale", page).page for page in (-1, 0, 4, 10**9)] == [1, 1, 3, 3]
    assert (show("stale").pages, show("stale").total) == (3, 5)
    assert (show("of tomorrow").kind, show("of tomorrow").total) == (None, 6)


def test_a_difference_has_the_title_of_its_lesson_or_course_while_that_exists() -> None:
    newest, lesson, course = run(), make_lesson(title="Tides"), make_course(title="The sea")
    differences(newest, "missing", target_type="lesson", target_id=lesson.id)
    differences(newest, "orphan")
    differences(newest, "stale", target_type="course", target_id=course.id)
    differences(newest, "wrong_policy", target_type="lesson", target_id=uuid.uuid4())
    titles = {one.difference.kind: one.title for one in show().findings}
    assert titles == {"missing": "Tides", "orphan": None, "stale": "The sea", "wrong_policy": None}


def test_who_began_the_run_is_named_while_the_account_exists() -> None:
    run(30, started_by="command line")
    assert show().by == "command line"
    user = make_user(role="support")
    run(20, started_by=str(user.id))
    assert show().by == user.email
    run(10, started_by=str(uuid.uuid4()))
    assert show().by == "a removed account"


@pytest.mark.parametrize("summary", [{}, {"implausible": False}, {"implausible": True}])
def test_an_implausible_report_says_so(summary: dict[str, object]) -> None:
    run(summary=summary)
    assert show().implausible is bool(summary.get("implausible"))


def test_while_a_run_is_under_way_the_last_report_is_shown_with_it() -> None:
    last = run(60)
    with reconcile.exclusive():
        assert (show().busy, show().running) == (True, None), "a fix is under way, not a run"
    now = run(1, finished_at=None)
    assert show().running is None, "it holds no lock: it was killed"
    with reconcile.exclusive():
        report = show()
    assert report.busy
    assert (report.run and report.run.id, report.running and report.running.id) == (last.id, now.id)
    assert difference_report.unfinished(report) is None


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({}, None),
        ({"error": "Mux was away"}, "Mux was away"),
        ({"error": "Mux was away", "finished_at": None}, "Mux was away"),
        ({"finished_at": None}, "It was interrupted."),
    ],
)
def test_a_newer_run_that_did_not_finish_is_told(columns: dict[str, Any], why: str | None) -> None:
    run(60)
    newest = run(**columns)
    told = difference_report.unfinished(show())
    assert told == (None if why is None else (newest.started_at, why))


# What staff may request

USER = uuid.uuid4()


def request(of: ReconcileRun | None, kind: str = "missing", *, reason: str = "", typed: str = "") -> None:
    run_id = of.id if of is not None else None
    with transaction(Actor.user(USER)):
        difference_report.request_fix(kind, run_id=run_id, user_id=USER, reason=reason, typed=typed)


def requested() -> list[tuple[str, list[str]]]:
    return [(job.func_name.rpartition(".")[2], list(job.args)) for job in queue.queue("bulk").jobs]


def test_a_run_is_requested_of_a_worker(redis_url: str) -> None:
    difference_report.request_run(USER)
    assert requested() == [("walk_now", [str(USER)])]


@pytest.mark.parametrize("kind", ["missing", "stale", "wrong_policy", "unknown_upload"])
def test_what_deletes_nothing_needs_no_word_and_no_reason(redis_url: str, kind: str) -> None:
    newest = run()
    request(newest, kind)
    assert requested() == [("mend_kind", [str(newest.id), kind, str(USER), ""])]


@pytest.mark.parametrize("kind", ["orphan", "duplicate"])
@pytest.mark.parametrize(
    ("reason", "typed", "wrong"),
    [("old", "", "typed"), ("old", "Delete", "typed"), ("", "delete", "reason"), (" ", "delete", "reason")],
)
def test_deleting_needs_the_word_and_a_reason(
    redis_url: str, kind: str, reason: str, typed: str, wrong: str
) -> None:
    with pytest.raises(Invalid) as refused:
        request(run(), kind, reason=reason, typed=typed)
    assert set(refused.value.fields or {}) == {wrong}
    assert requested() == []


@pytest.mark.parametrize("kind", ["orphan", "duplicate"])
def test_deleting_is_requested_with_its_reason_which_is_cut(redis_url: str, kind: str) -> None:
    newest = run()
    request(newest, kind, typed=" delete ", reason=" old " + "x" * 600)
    assert requested() == [("mend_kind", [str(newest.id), kind, str(USER), "old " + "x" * 496])]


@pytest.mark.parametrize(("reason", "kept"), [("told by the school", "told by the school"), (" ", None)])
def test_who_requested_a_fix_of_how_many_and_why_is_in_the_audit_log(
    redis_url: str, reason: str, kept: str | None
) -> None:
    newest = run()
    differences(newest, "unknown_upload", 2)
    differences(newest, "unknown_upload", 1, mended_at=datetime.now(UTC))
    request(newest, "unknown_upload", reason=reason)
    row = db.session.scalars(select(AuditLog)).one()
    assert (row.action, row.actor_id, row.target_id) == ("sync_check.fix_requested", USER, newest.id)
    assert (row.detail["mismatch"], row.detail["count"], row.detail.get("reason")) == (
        "unknown_upload",
        2,
        kept,
    )


def refused_as(of: ReconcileRun | None, kind: str = "missing") -> str:
    with pytest.raises(Problem) as refused:
        request(of, kind)
    assert requested() == []
    return refused.value.type


def test_only_the_newest_report_is_acted_on(redis_url: str) -> None:
    assert refused_as(None) == "old_report"
    older = run(60)
    run()
    assert refused_as(older) == "old_report"


def test_a_kind_that_does_not_exist_is_refused(redis_url: str) -> None:
    assert refused_as(run(), "of tomorrow") == "invalid_input"


def test_of_an_implausible_report_only_what_is_missing_is_not_fixed(redis_url: str) -> None:
    newest = run(summary={"implausible": True})
    assert refused_as(newest) == "implausible"
    request(newest, "stale")
    assert len(requested()) == 1


def test_nothing_is_requested_while_a_run_is_under_way(redis_url: str) -> None:
    newest = run()
    with reconcile.exclusive():
        assert refused_as(newest) == "busy"
        with pytest.raises(Conflict):
            difference_report.request_run(USER)
    assert requested() == []


def test_without_redis_no_worker_can_be_asked(session: Session) -> None:
    newest = run()
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        with pytest.raises(Unavailable):
            difference_report.request_run(USER)
        with pytest.raises(Unavailable):
            request(newest)
    assert db.session.scalar(select(AuditLog.id)) is None, "what did not begin was not done"
