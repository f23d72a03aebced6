"""Drift between us and Mux: a walk, a plan (the findings, kept as rows), and mending what can be mended safely.

Each finding is looked at once more when it is mended, since Mux may have changed its mind meanwhile. Assets are only
deleted when somebody asked for it, through promises that a worker keeps.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select, update

from lessonadmin import mux
from lessonadmin.db import Actor, db, new_id, transaction
from lessonadmin.domain import budget, deletions, drift, looking, removal, repolicing, videos, walking
from lessonadmin.domain.drift import Found
from lessonadmin.domain.models import Drift, ReconcileRun, Tracking
from lessonadmin.domain.reading import asset_news, gone_news

log = logging.getLogger(__name__)

LOCK = 0x1E550B
NIGHTLY = timedelta(hours=23)
# With a token of another environment every asset seems to be missing: so many at once are believed of no walk.
MOST_MISSING = 20
MOST_MISSING_SHARE = 0.1
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
    young_orphans: int = 0
    foreign: int = 0
    pages: int = 0
    assets: int = 0
    uploads: int = 0
    used: int = 0

    @property
    def implausible(self) -> bool:
        """So much is missing that our access is the likelier culprit."""
        return self.found["missing"] > max(MOST_MISSING, self.used * MOST_MISSING_SHARE)

    def summary(self) -> dict[str, object]:
        return {
            "found": dict(self.found),
            "mended": dict(self.mended),
            "failed": dict(self.failed),
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
    progress: walking.Progress = lambda pages, things: None,
) -> Report:
    """Walk, compare, keep the findings; then mend what is asked for."""
    with walking.tables() as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
            raise AlreadyRunning
        connection.commit()
        report = Report(_begin(started_by))
        started_at = db.session.get_one(ReconcileRun, report.run_id).started_at
        db.session.rollback()
        try:
            report.pages, report.assets, report.uploads = walking.walk(connection, tell=progress)
            drift.prepare(connection)
            report.used = drift.used(connection)
            _keep(report, drift.findings(connection, started_at=started_at), tell)
            report.young_orphans, report.foreign = drift.young_and_foreign(connection)
        except walking.WalkFailed as error:
            _end(report, error=str(error))
            raise
    if mend or delete_orphans:
        kinds = _kinds(mend, delete_orphans) - ({"missing"} if report.implausible else set())
        mend_all(report, actor=actor, kinds=kinds)
    _end(report, error=None)
    return report


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


def mend_all(report: Report, *, actor: Actor, kinds: set[str]) -> None:
    """Mend the findings of these kinds, one at a time; one that fails stands in the way of none."""
    last: uuid.UUID | None = None
    while True:
        page = (
            select(Drift)
            .where(Drift.run_id == report.run_id, Drift.kind.in_(kinds), Drift.mended_at.is_(None))
            .order_by(Drift.id)
            .limit(100)
        )
        findings = db.session.scalars(page if last is None else page.where(Drift.id > last)).all()
        db.session.rollback()
        if not findings:
            return
        for finding in findings:
            last = finding.id
            _mend_one(report, finding, actor)


def _mend_one(report: Report, finding: Drift, actor: Actor) -> None:
    try:
        done = mend_finding(finding, actor=actor)
    except mux.MuxError as error:
        budget.went_wrong(error)
        log.warning("%s %s could not be mended: %s", finding.kind, finding.mux_id, error.category)
        report.failed[finding.kind] += 1
        return
    if done:
        report.mended[finding.kind] += 1


def mend_finding(finding: Drift, *, actor: Actor) -> bool:
    """Look once more and do what this kind of drift needs; False if there is nothing to do (any more)."""
    done = MENDERS[finding.kind](finding, actor)
    if done:
        db.session.execute(
            update(Drift).where(Drift.id == finding.id).values(mended_at=func.clock_timestamp())
        )
        db.session.commit()
    return done


def _look_again(finding: Drift, actor: Actor) -> bool:
    """Missing or stale: what Mux says about this very asset now is what counts."""
    if finding.target_type not in ("lesson", "course") or finding.target_id is None:
        return False
    budget.wait()
    try:
        asset: mux.Asset | None = mux.get_asset(finding.mux_id, priority="low")
    except mux.Gone:
        asset = None
    except mux.Refused as error:
        if error.category != "not_found":
            raise
        asset = None  # not even an id of Mux's, and the whole list did not show it either
    budget.went_well()
    with transaction(actor):
        kind: videos.Kind = "lesson" if finding.target_type == "lesson" else "course"
        desk = videos.open_desk(kind, finding.target_id)
        if desk is None:
            return False
        videos.ensure_tracked(desk)
        row = desk.of_asset(finding.mux_id)
        if row is None:
            return False
        if asset is None:
            news = gone_news(finding.mux_id, found_by="sweep")
        else:
            news = asset_news(asset, wanted_policy=row.wanted_policy, found_by="sweep", seen=True)
        return looking.let_happen(looking.Subject.of(row), news) == "applied"


def _delete(finding: Drift, actor: Actor) -> bool:
    with transaction(actor):
        if removal.owners_of(finding.mux_id):
            return False
        deletions.promise_asset(finding.mux_id, why=f"reconcile: {finding.kind}", target=_target(finding))
    return True


def _target(finding: Drift) -> tuple[str, uuid.UUID] | None:
    if finding.target_type is None or finding.target_id is None:
        return None
    return finding.target_type, finding.target_id


def _cancel(finding: Drift, actor: Actor) -> bool:
    target = _target(finding)
    if target is None:
        return False
    with transaction(actor):
        deletions.promise_cancellation_of(finding.mux_id, target)
    return True


MENDERS: dict[str, Callable[[Drift, Actor], bool]] = {
    "missing": _look_again,
    "stale": _look_again,
    "wrong_policy": lambda finding, actor: repolicing.mend(finding.mux_id, actor=actor),
    "orphan": _delete,
    "duplicate": _delete,
    "unknown_upload": _cancel,
}


def is_due() -> bool:
    """Nobody began a walk within a day, and there is something older than a day to compare."""
    now = func.clock_timestamp()
    recent = select(ReconcileRun.id).where(ReconcileRun.started_at > now - NIGHTLY).limit(1)
    old = select(Tracking.id).where(Tracking.created_at < now - timedelta(days=1)).limit(1)
    return db.session.scalar(recent) is None and db.session.scalar(old) is not None


def last_report() -> ReconcileRun | None:
    """The newest finished walk."""
    return db.session.scalar(
        select(ReconcileRun)
        .where(ReconcileRun.finished_at.is_not(None))
        .order_by(ReconcileRun.started_at.desc())
        .limit(1)
    )
