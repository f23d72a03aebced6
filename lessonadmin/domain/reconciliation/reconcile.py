"""Drift between us and Mux: a walk, a plan (the findings, kept as rows), and mending what can be mended safely.

Each finding is looked at once more when it is mended, since Mux may have changed its mind meanwhile. Assets are only
deleted when somebody asked for it, through promises that a worker keeps.
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
from lessonadmin.domain.models import Drift, ReconcileRun, Tracking
from lessonadmin.domain.polling import environment
from lessonadmin.domain.reconciliation import differences, fixes, mux_inventory
from lessonadmin.domain.reconciliation.differences import Found

log = logging.getLogger(__name__)

LOCK = 0x1E550B
NIGHTLY = timedelta(hours=23)
TRY_AGAIN = timedelta(hours=1)  # after a walk that failed or was killed
Tell = Callable[[Found], None]


class AlreadyRunning(Exception):
    """Somebody else is walking through Mux right now."""


@dataclass
class Report:
    """What one walk found and what was done about it."""

    run_id: uuid.UUID
    found: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    left: int = 0  # findings that the budget for Mux did not reach; the next run does
    young_orphans: int = 0
    foreign: int = 0
    pages: int = 0
    assets: int = 0
    uploads: int = 0
    used: int = 0

    @property
    def implausible(self) -> bool:
        """So much is missing that our access is the likelier culprit."""
        missing = self.found["missing"]
        return environment.implausible(gone=missing, found=self.used - missing)

    def summary(self) -> dict[str, object]:
        return {
            "found": dict(self.found),
            "mended": dict(self.mended),
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
    mend: bool,
    delete_orphans: bool = False,
    tell: Tell = lambda found: None,
    progress: mux_inventory.Progress = lambda pages, things: None,
) -> Report:
    """Walk, compare, keep the findings; then mend what is asked for."""
    with walker() as connection:
        report = Report(_begin(started_by))
        started_at = db.session.get_one(ReconcileRun, report.run_id).started_at
        db.session.rollback()
        try:
            report.pages, report.assets, report.uploads = mux_inventory.walk(
                connection, tell=_noted(report.run_id, progress)
            )
            differences.prepare(connection)
            report.used = differences.used(connection)
            _keep(report, differences.findings(connection, started_at=started_at), tell)
            report.young_orphans, report.foreign = differences.young_and_foreign(connection)
        except mux_inventory.WalkFailed as error:
            _end(report, error=str(error))
            raise
        kinds = _kinds(mend, delete_orphans) - ({"missing"} if report.implausible else set())
        _mend_all(report, actor=actor, kinds=kinds)
        _end(report, error=None)
    return report


def _noted(run_id: uuid.UUID, progress: mux_inventory.Progress) -> mux_inventory.Progress:
    """How far the walk is, for whoever looks at the panel meanwhile."""

    def note(pages: int, things: int) -> None:
        db.session.execute(
            update(ReconcileRun).where(ReconcileRun.id == run_id).values(pages=pages, assets=things)
        )
        db.session.commit()
        progress(pages, things)

    return note


def _kinds(mend: bool, delete_orphans: bool) -> set[str]:
    safe = {"missing", "stale", "unknown_upload", "wrong_policy"} if mend else set()
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
        db.session.execute(Drift.__table__.insert(), chunk)  # type: ignore[attr-defined]  # it is a Table
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


def mend_kind(run_id: uuid.UUID, kind: str, *, actor: Actor) -> Report:
    """Mend the findings of one kind that the last walk has left; nobody walks or mends meanwhile."""
    with walker():
        report = Report(run_id)
        if may_mend(kind):
            _mend_all(report, actor=actor, kinds={kind})
        return report


def may_mend(kind: str) -> bool:
    """Whether the last report is to be believed in this."""
    newest = last_report()
    doubtful = newest is None or (kind == "missing" and bool(newest.summary.get("implausible")))
    db.session.rollback()
    return not doubtful


@contextmanager
def walker() -> Iterator[Connection]:
    """One walk or mending at a time; on the connection are the tables of the walk."""
    with mux_inventory.tables() as connection, alone(LOCK, on=connection) as first:
        if not first:
            raise AlreadyRunning
        yield connection


def _mend_all(report: Report, *, actor: Actor, kinds: set[str]) -> None:
    """Mend the findings of these kinds, one at a time; one that fails stands in the way of none. The run ends where
    Mux must not be asked any more."""
    last: uuid.UUID | None = None
    while kinds:
        page = _unmended(report, kinds, last).order_by(Drift.id).limit(100)
        findings = db.session.scalars(page).all()
        db.session.rollback()
        if not findings:
            return
        for finding in findings:
            try:
                _mend_one(report, finding, actor)
            except mux_budget.Closed as error:
                report.left = _how_many(_unmended(report, kinds, last))
                log.warning("%s findings are left for the next run: %s", report.left, error)
                return
            last = finding.id


def _unmended(report: Report, kinds: set[str], after: uuid.UUID | None) -> Select[Drift]:
    open_ = select(Drift).where(
        Drift.run_id == report.run_id, Drift.kind.in_(kinds), Drift.mended_at.is_(None)
    )
    return open_ if after is None else open_.where(Drift.id > after)


def _how_many(findings: Select[Drift]) -> int:
    count = db.session.scalar(select(func.count()).select_from(findings.subquery())) or 0
    db.session.rollback()
    return count


def _mend_one(report: Report, finding: Drift, actor: Actor) -> None:
    try:
        done = fixes.mend(finding, actor=actor)
    except mux.MuxError as error:
        mux_budget.went_wrong(error)
        log.warning("%s %s could not be mended: %s", finding.kind, finding.mux_id, error.category)
        report.failed[finding.kind] += 1
        return
    if done:
        report.mended[finding.kind] += 1


def is_due() -> bool:
    """No walk came to its end within a day and none was tried within the hour, and something is old enough to compare."""
    now = func.clock_timestamp()
    ended = and_(ReconcileRun.finished_at.is_not(None), ReconcileRun.error.is_(None))
    counts = or_(ended, ReconcileRun.started_at > now - TRY_AGAIN)
    recent = select(ReconcileRun.id).where(ReconcileRun.started_at > now - NIGHTLY, counts).limit(1)
    old = select(Tracking.id).where(Tracking.created_at < now - timedelta(days=1)).limit(1)
    return db.session.scalar(recent) is None and db.session.scalar(old) is not None


def last_report() -> ReconcileRun | None:
    """The newest walk that came to its end."""
    return db.session.scalar(
        select(ReconcileRun)
        .where(ReconcileRun.finished_at.is_not(None), ReconcileRun.error.is_(None))
        .order_by(ReconcileRun.started_at.desc())
        .limit(1)
    )
