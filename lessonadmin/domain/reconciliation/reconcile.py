"""Reconciliation: read everything at Mux, store the differences as rows, fix what can be fixed safely.

Mux is asked once more about each difference before it is fixed, since its answer may have changed. Assets are never
deleted unless staff asked for it, and then through the outbox. One reconciliation runs at a time.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection, Select, and_, func, or_, select, update

from lessonadmin import mux
from lessonadmin.db import Actor, alone, db, new_id
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Difference, ReconcileRun, Tracking
from lessonadmin.domain.polling import environment
from lessonadmin.domain.reconciliation import differences, fixes, mux_inventory
from lessonadmin.domain.reconciliation.differences import Found

log = logging.getLogger(__name__)

LOCK = 0x1E550B
NIGHTLY_INTERVAL = timedelta(hours=23)
RETRY_INTERVAL = timedelta(hours=1)  # after a run that failed or was killed
Tell = Callable[[Found], None]


class AlreadyRunning(Exception):
    """Another reconciliation is under way."""


@dataclass
class Report:
    """What one reconciliation found and what was done about it."""

    run_id: uuid.UUID
    found: Counter[str] = field(default_factory=Counter)
    fixed: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    left: int = 0  # differences that the budget for Mux did not reach; the next run does
    young_orphans: int = 0
    foreign: int = 0
    pages: int = 0
    assets: int = 0
    uploads: int = 0
    used: int = 0

    @property
    def implausible(self) -> bool:
        """So much is missing that a token of another Mux environment is more likely."""
        missing = self.found["missing"]
        return environment.implausible(gone=missing, found=self.used - missing)

    def summary(self) -> dict[str, object]:
        return {
            "found": dict(self.found),
            "mended": dict(self.fixed),
            "failed": dict(self.failed),
            "left": self.left,
            "young_orphans": self.young_orphans,
            "foreign": self.foreign,
            "implausible": self.implausible,
        }


def run(
    *,
    actor: Actor,
    started_by: str,
    fix: bool,
    delete_orphans: bool = False,
    tell: Tell = lambda found: None,
    progress: mux_inventory.Progress = lambda pages, things: None,
) -> Report:
    """Read everything, compare, store the differences; then fix what is asked for."""
    with exclusive() as connection:
        report = Report(_begin(started_by))
        started_at = db.session.get_one(ReconcileRun, report.run_id).started_at
        db.session.rollback()
        try:
            report.pages, report.assets, report.uploads = mux_inventory.read_all(
                connection, tell=_noted(report.run_id, progress)
            )
            differences.prepare(connection)
            report.used = differences.used(connection)
            _keep(report, differences.findings(connection, started_at=started_at), tell)
            report.young_orphans, report.foreign = differences.young_and_foreign(connection)
        except mux_inventory.InventoryFailed as error:
            _end(report, error=str(error))
            raise
        kinds = _kinds(fix, delete_orphans) - ({"missing"} if report.implausible else set())
        _fix_all(report, actor=actor, kinds=kinds)
        _end(report, error=None)
    return report


def _noted(run_id: uuid.UUID, progress: mux_inventory.Progress) -> mux_inventory.Progress:
    """Also store the progress in the row of the run, for the panel."""

    def note(pages: int, things: int) -> None:
        db.session.execute(
            update(ReconcileRun).where(ReconcileRun.id == run_id).values(pages=pages, assets=things)
        )
        db.session.commit()
        progress(pages, things)

    return note


def _kinds(fix: bool, delete_orphans: bool) -> set[str]:
    safe = {"missing", "stale", "unknown_upload", "wrong_policy"} if fix else set()
    return safe | ({"orphan", "duplicate"} if delete_orphans else set())


def _begin(started_by: str) -> uuid.UUID:
    run_row = ReconcileRun(started_by=started_by)
    db.session.add(run_row)
    db.session.commit()
    return run_row.id


def _keep(report: Report, findings: Iterator[Found], tell: Tell) -> None:
    chunk: list[dict[str, object]] = []
    for found in findings:
        report.found[found.kind] += 1
        tell(found)
        chunk.append(
            {
                "id": new_id(),
                "run_id": report.run_id,
                "kind": found.kind,
                "mux_id": found.mux_id,
                "target_type": found.target_type,
                "target_id": found.target_id,
                "remark": found.remark,
            }
        )
        if len(chunk) >= 500:
            _write(chunk)
    _write(chunk)


def _write(chunk: list[dict[str, object]]) -> None:
    if chunk:
        db.session.execute(Difference.__table__.insert(), chunk)  # type: ignore[attr-defined]  # it is a Table
        db.session.commit()
        chunk.clear()


def _end(report: Report, *, error: str | None) -> None:
    db.session.execute(
        update(ReconcileRun)
        .where(ReconcileRun.id == report.run_id)
        .values(
            finished_at=func.clock_timestamp(),
            pages=report.pages,
            assets=report.assets,
            uploads=report.uploads,
            summary=report.summary(),
            error=error,
        )
    )
    db.session.commit()


def fix_kind(run_id: uuid.UUID, kind: str, *, actor: Actor) -> Report:
    """Fix the differences of one kind that the last run has left; nothing else reconciles meanwhile."""
    with exclusive():
        report = Report(run_id)
        if may_fix(kind):
            _fix_all(report, actor=actor, kinds={kind})
        return report


def may_fix(kind: str) -> bool:
    """Is the last report plausible for this kind?"""
    newest = last_report()
    doubtful = newest is None or (kind == "missing" and bool(newest.summary.get("implausible")))
    db.session.rollback()
    return not doubtful


@contextmanager
def exclusive() -> Iterator[Connection]:
    """One reconciliation at a time; the connection has the temporary tables."""
    with mux_inventory.tables() as connection, alone(LOCK, on=connection) as first:
        if not first:
            raise AlreadyRunning
        yield connection


def _fix_all(report: Report, *, actor: Actor, kinds: set[str]) -> None:
    """Fix the differences of these kinds, one at a time; one that fails does not stop the others. The run ends where
    Mux must not be asked any more."""
    last: uuid.UUID | None = None
    while kinds:
        page = _unfixed(report, kinds, last).order_by(Difference.id).limit(100)
        findings = db.session.scalars(page).all()
        db.session.rollback()
        if not findings:
            return
        for finding in findings:
            try:
                _fix_one(report, finding, actor)
            except mux_budget.Closed as error:
                report.left = _how_many(_unfixed(report, kinds, last))
                log.warning("%s findings are left for the next run: %s", report.left, error)
                return
            last = finding.id


def _unfixed(report: Report, kinds: set[str], after: uuid.UUID | None) -> Select[Difference]:
    open_ = select(Difference).where(
        Difference.run_id == report.run_id, Difference.kind.in_(kinds), Difference.mended_at.is_(None)
    )
    return open_ if after is None else open_.where(Difference.id > after)


def _how_many(findings: Select[Difference]) -> int:
    count = db.session.scalar(select(func.count()).select_from(findings.subquery())) or 0
    db.session.rollback()
    return count


def _fix_one(report: Report, finding: Difference, actor: Actor) -> None:
    try:
        done = fixes.fix(finding, actor=actor)
    except mux.MuxError as error:
        mux_budget.went_wrong(error)
        log.warning("%s %s could not be fixed: %s", finding.kind, finding.mux_id, error.category)
        report.failed[finding.kind] += 1
        return
    if done:
        report.fixed[finding.kind] += 1


def is_due() -> bool:
    """No run has finished within a day, none was tried within the hour, and something is old enough to compare."""
    now = func.clock_timestamp()
    ended = and_(ReconcileRun.finished_at.is_not(None), ReconcileRun.error.is_(None))
    counts = or_(ended, ReconcileRun.started_at > now - RETRY_INTERVAL)
    recent = select(ReconcileRun.id).where(ReconcileRun.started_at > now - NIGHTLY_INTERVAL, counts).limit(1)
    old = select(Tracking.id).where(Tracking.created_at < now - timedelta(days=1)).limit(1)
    return db.session.scalar(recent) is None and db.session.scalar(old) is not None


def last_report() -> ReconcileRun | None:
    """The newest run that finished."""
    return db.session.scalar(
        select(ReconcileRun)
        .where(ReconcileRun.finished_at.is_not(None), ReconcileRun.error.is_(None))
        .order_by(ReconcileRun.started_at.desc())
        .limit(1)
    )
