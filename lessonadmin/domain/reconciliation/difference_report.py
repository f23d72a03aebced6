"""The last reconciliation as the panel shows it, and what staff may request there. Never asks Mux."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from lessonadmin import queue
from lessonadmin.db import db, is_locked
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid, Unavailable
from lessonadmin.domain.models import Course, Difference, Lesson, ReconcileRun, User
from lessonadmin.domain.models.reconciliation import DIFFERENCE_KINDS
from lessonadmin.domain.reconciliation import reconcile
from lessonadmin.text.ids import as_id

PER_PAGE = 50
LAST_PAGE = 100_000
DELETING_KINDS = ("orphan", "duplicate")
CONFIRMATION = "delete"
MAX_REASON_LENGTH = 500


@dataclass(frozen=True)
class Kind:
    """How many differences of a kind there are, and how many of them were fixed."""

    name: str
    found: int
    fixed: int

    @property
    def open(self) -> int:
        return self.found - self.fixed


@dataclass(frozen=True)
class Finding:
    """One difference, with the title of its lesson or course while that exists."""

    difference: Difference
    title: str | None


@dataclass(frozen=True)
class DifferenceReport:
    """What the page shows."""

    run: ReconcileRun | None
    by: str
    kinds: list[Kind]
    findings: list[Finding]
    kind: str | None
    page: int
    total: int
    busy: bool
    running: ReconcileRun | None
    implausible: bool

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def show(*, kind: str | None, page: int) -> DifferenceReport:
    """The last report, one page of its differences, and whether a run is under way."""
    run = reconcile.last_report()
    kinds = _kinds(run) if run is not None else []
    chosen = kind if kind in DIFFERENCE_KINDS else None
    total = sum(one.found for one in kinds if chosen in (None, one.name))
    page = min(max(1, page), max(1, -(-total // PER_PAGE)), LAST_PAGE)
    busy = _busy()
    return DifferenceReport(
        run=run,
        by=_who(run.started_by) if run is not None else "",
        kinds=kinds,
        findings=_findings(run, chosen, page) if run is not None else [],
        kind=chosen,
        page=page,
        total=total,
        busy=busy,
        running=_under_way() if busy else None,
        implausible=run is not None and bool(run.summary.get("implausible")),
    )


def _kinds(run: ReconcileRun) -> list[Kind]:
    counted = {
        kind: (found, fixed)
        for kind, found, fixed in db.session.execute(
            select(Difference.kind, func.count(), func.count(Difference.mended_at))
            .where(Difference.run_id == run.id)
            .group_by(Difference.kind)
        )
    }
    return [Kind(name, *counted.get(name, (0, 0))) for name in DIFFERENCE_KINDS]


def _findings(run: ReconcileRun, kind: str | None, page: int) -> list[Finding]:
    rows = select(Difference).where(Difference.run_id == run.id)
    if kind is not None:
        rows = rows.where(Difference.kind == kind)
    found = db.session.scalars(
        rows.order_by(Difference.kind, Difference.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    )
    differences = list(found)
    titles = _titles([one.target_id for one in differences if one.target_id is not None])
    return [Finding(one, titles.get(one.target_id) if one.target_id else None) for one in differences]


def _titles(ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    found: dict[uuid.UUID, str] = {}
    for model in (Lesson, Course):
        rows = db.session.execute(select(model.id, model.title).where(model.id.in_(ids)))
        found |= {row_id: str(title) for row_id, title in rows}
    return found


def _who(started_by: str) -> str:
    user_id = as_id(started_by)
    if user_id is None:
        return started_by
    name = db.session.scalar(select(User.email).where(User.id == user_id))
    return name or "a removed account"


def _busy() -> bool:
    """Is a reconciliation under way? The lock says so; it ends with the process that holds it."""
    return is_locked(reconcile.LOCK)


def _under_way() -> ReconcileRun | None:
    """The run that has not ended yet, if it is a run that holds the lock."""
    newest = db.session.scalar(select(ReconcileRun).order_by(ReconcileRun.started_at.desc()).limit(1))
    return newest if newest is not None and newest.finished_at is None else None


def unfinished(report: DifferenceReport) -> tuple[datetime, str] | None:
    """The newest run did not finish: when it began and why, so that an older report is not taken for today's."""
    newest = db.session.scalar(select(ReconcileRun).order_by(ReconcileRun.started_at.desc()).limit(1))
    if newest is None or newest.error:
        return (newest.started_at, newest.error or "") if newest is not None else None
    return (
        None if newest.finished_at is not None or report.busy else (newest.started_at, "It was interrupted.")
    )


def request_run(user_id: uuid.UUID) -> None:
    """Enqueue a run now; it fixes nothing."""
    if _busy():
        raise Conflict("busy", "A sync check or a fix is already running.")
    if not queue.enqueue("lessonadmin.jobs.reconciling.walk_now", str(user_id)):
        raise Unavailable(
            "queue_away", "The job queue does not answer, so nothing was started. Try again in a moment."
        )


def request_fix(kind: str, *, run_id: uuid.UUID | None, user_id: uuid.UUID, reason: str, typed: str) -> None:
    """Enqueue the fix of one kind of the last report's differences. Deleting needs the word and a reason.

    In the open transaction of staff: the audit row says how many were to be fixed and why, also where a fix leaves no
    row of its own, as that of an upload which no lesson knows.
    """
    reason = reason.strip()[:MAX_REASON_LENGTH]
    if kind not in DIFFERENCE_KINDS:
        raise Invalid.field("kind", "There is no such kind of mismatch.")
    if kind in DELETING_KINDS and typed.strip() != CONFIRMATION:
        raise Invalid.field("typed", f"Type “{CONFIRMATION}” to confirm.")
    if kind in DELETING_KINDS and not reason:
        raise Invalid.field("reason", "Give a reason for deleting these assets.")
    run = reconcile.last_report()
    if run is None or run.id != run_id:
        raise Conflict("old_report", "There is a newer report. Read it first.")
    if not reconcile.may_fix(kind):
        raise Conflict(
            "implausible", "So many assets are missing that the token may belong to another Mux environment."
        )
    if _busy():
        raise Conflict("busy", "A sync check or a fix is already running.")
    count = next(one.open for one in _kinds(run) if one.name == kind)
    audit_log.record_for(
        "sync_check.fix_requested", "sync_check", run.id, mismatch=kind, count=count, reason=reason or None
    )
    if not queue.enqueue("lessonadmin.jobs.reconciling.mend_kind", str(run.id), kind, str(user_id), reason):
        raise Unavailable(
            "queue_away", "The job queue does not answer, so nothing was started. Try again in a moment."
        )
