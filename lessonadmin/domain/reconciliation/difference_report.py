"""The last walk through Mux as the panel shows it, and what staff may ask for there. Mux is not asked in here."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from lessonadmin import queue
from lessonadmin.db import db, is_locked
from lessonadmin.domain.errors import Conflict, Invalid, Unavailable
from lessonadmin.domain.models import Course, Drift, Lesson, ReconcileRun, User
from lessonadmin.domain.models.operations import DRIFT_KINDS
from lessonadmin.domain.reconciliation import reconcile
from lessonadmin.text.ids import as_id

PER_PAGE = 50
LAST_PAGE = 100_000
DELETING = ("orphan", "duplicate")
CONFIRMATION = "delete"


@dataclass(frozen=True)
class Kind:
    """How many findings of a kind there are, and how many of them were dealt with."""

    name: str
    found: int
    mended: int

    @property
    def open(self) -> int:
        return self.found - self.mended


@dataclass(frozen=True)
class Finding:
    """One line of the report, with the title of what it is about while that exists."""

    drift: Drift
    title: str | None


@dataclass(frozen=True)
class DriftReport:
    """What the page shows."""

    run: ReconcileRun | None
    by: str
    kinds: list[Kind]
    findings: list[Finding]
    kind: str | None
    page: int
    total: int
    busy: bool
    walk: ReconcileRun | None
    implausible: bool

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def show(*, kind: str | None, page: int) -> DriftReport:
    """The last report, one page of its findings, and whether somebody is at work."""
    run = reconcile.last_report()
    kinds = _kinds(run) if run is not None else []
    chosen = kind if kind in DRIFT_KINDS else None
    total = sum(one.found for one in kinds if chosen in (None, one.name))
    page = min(max(1, page), max(1, -(-total // PER_PAGE)), LAST_PAGE)
    busy = _busy()
    return DriftReport(
        run=run,
        by=_who(run.started_by) if run is not None else "",
        kinds=kinds,
        findings=_findings(run, chosen, page) if run is not None else [],
        kind=chosen,
        page=page,
        total=total,
        busy=busy,
        walk=_under_way() if busy else None,
        implausible=run is not None and bool(run.summary.get("implausible")),
    )


def _kinds(run: ReconcileRun) -> list[Kind]:
    counted = {
        kind: (found, mended)
        for kind, found, mended in db.session.execute(
            select(Drift.kind, func.count(), func.count(Drift.mended_at))
            .where(Drift.run_id == run.id)
            .group_by(Drift.kind)
        )
    }
    return [Kind(name, *counted.get(name, (0, 0))) for name in DRIFT_KINDS]


def _findings(run: ReconcileRun, kind: str | None, page: int) -> list[Finding]:
    rows = select(Drift).where(Drift.run_id == run.id)
    if kind is not None:
        rows = rows.where(Drift.kind == kind)
    found = db.session.scalars(
        rows.order_by(Drift.kind, Drift.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    )
    drifts = list(found)
    titles = _titles([one.target_id for one in drifts if one.target_id is not None])
    return [Finding(one, titles.get(one.target_id) if one.target_id else None) for one in drifts]


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
    """Does somebody walk or mend at this moment? The lock says so, and goes with whoever held it."""
    return is_locked(reconcile.LOCK)


def _under_way() -> ReconcileRun | None:
    """The walk that has not ended yet, if it is a walk that holds the lock."""
    newest = db.session.scalar(select(ReconcileRun).order_by(ReconcileRun.started_at.desc()).limit(1))
    return newest if newest is not None and newest.finished_at is None else None


def unfinished(report: DriftReport) -> tuple[datetime, str] | None:
    """The newest walk came to no end: when it began and why, so that nobody takes an older report for today's."""
    newest = db.session.scalar(select(ReconcileRun).order_by(ReconcileRun.started_at.desc()).limit(1))
    if newest is None or newest.error:
        return (newest.started_at, newest.error or "") if newest is not None else None
    return (
        None if newest.finished_at is not None or report.busy else (newest.started_at, "It was interrupted.")
    )


def ask_walk(user_id: uuid.UUID) -> None:
    """Let a worker walk now; nothing is mended by it."""
    if _busy():
        raise Conflict("busy", "A walk or a mending is under way already.")
    if not queue.enqueue("lessonadmin.jobs.reconciling.walk_now", str(user_id)):
        raise Unavailable(
            "queue_away", "The queue does not answer, so no worker can be asked. Please try again."
        )


def ask_mend(kind: str, *, run_id: uuid.UUID | None, user_id: uuid.UUID, reason: str, typed: str) -> None:
    """Let a worker mend what the last walk found of one kind. Deleting needs the word and a reason."""
    if kind not in DRIFT_KINDS:
        raise Invalid.field("kind", "There is no such kind of finding.")
    if kind in DELETING and typed.strip() != CONFIRMATION:
        raise Invalid.field("typed", f"Type “{CONFIRMATION}” to confirm.")
    if kind in DELETING and not reason.strip():
        raise Invalid.field("reason", "Say why these assets are deleted.")
    run = reconcile.last_report()
    if run is None or run.id != run_id:
        raise Conflict("old_report", "There is a newer report by now. Please look at it first.")
    if not reconcile.may_mend(kind):
        raise Conflict(
            "implausible", "So much is missing that the token may belong to another Mux environment."
        )
    if _busy():
        raise Conflict("busy", "A walk or a mending is under way already.")
    if not queue.enqueue(
        "lessonadmin.jobs.reconciling.mend_kind", str(run.id), kind, str(user_id), reason.strip()[:500]
    ):
        raise Unavailable(
            "queue_away", "The queue does not answer, so no worker can be asked. Please try again."
        )
