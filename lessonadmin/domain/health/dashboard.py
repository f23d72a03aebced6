"""Is the pipeline healthy? Everything that the operations page shows, gathered from rolled-up rows and indexes.

Nothing here scans a large table and Mux is not asked; the page stays quick at a million lessons.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select

from lessonadmin import queue
from lessonadmin.db import db
from lessonadmin.domain import attention, heartbeats, hourly_statistics, mux_budget
from lessonadmin.domain.audit import security_counts
from lessonadmin.domain.health import alarms, mux_usage
from lessonadmin.domain.models import Alarm, AssetDeletion, Lesson, MuxEvent, Tracking
from lessonadmin.domain.videos import conditions, wording
from lessonadmin.domain.webhooks import waiting_events

SPANS = {
    "24h": (timedelta(hours=24), timedelta(hours=1)),
    "7d": (timedelta(days=7), timedelta(hours=6)),
    "30d": (timedelta(days=30), timedelta(days=1)),
}
NEWEST_FAILURES = 500
TOP_REASONS = 5


@dataclass(frozen=True)
class Reason:
    """One cause of failed videos, with the newest lesson that has it."""

    error_type: str
    words: str
    count: int
    target_type: str
    target_id: uuid.UUID


@dataclass(frozen=True)
class Overview:
    span: str
    signs: dict[str, bool]
    alarms: list[Alarm]
    uploads: int
    ended: dict[str, int]
    published: dict[str, int]
    ready_after: dict[str, tuple[float, float, int]]
    reasons: list[Reason]
    stuck: int
    needing: dict[attention.Cause, int]
    failed: int
    last_event: datetime | None
    events_waiting: waiting_events.Backlog
    event_delay: tuple[float, float] | None
    discovered: dict[str, int]
    rejected: int
    refused_lately: int
    refused: list[security_counts.Total]
    queues: dict[str, dict[str, int]]
    workers: int
    deletions: int
    budget_left: float
    budget_pause: float
    stored: tuple[float, int]
    delivered: float
    forecast: tuple[float, float]
    charts: dict[str, hourly_statistics.Chart]

    @property
    def success(self) -> float | None:
        """The share of finished uploads that became a playable video; who gave up by hand does not count."""
        finished = sum(count for label, count in self.ended.items() if label != "cancelled")
        return self.ended.get("ready", 0) / finished if finished else None

    @property
    def by_webhook(self) -> float | None:
        """The share of ready videos that a webhook reported."""
        found = sum(self.discovered.values())
        return self.discovered.get("webhook", 0) / found if found else None


def overview(span: str) -> Overview:
    """The whole page for one span: `24h`, `7d` or `30d`."""
    since, step = SPANS[span]
    left, pause = mux_budget.left()
    charts = {
        figure: hourly_statistics.chart(figure, since=since, step=step)
        for figure in ("uploads", "ended", "discovered", "published", "rejected")
    }
    # The figures are the sums of the charts, so that both always agree.
    totals = {figure: {one.label: one.total for one in chart.series} for figure, chart in charts.items()}
    return Overview(
        span=span,
        signs=heartbeats.check(),
        alarms=alarms.standing(),
        uploads=sum(totals["uploads"].values()),
        ended=totals["ended"],
        published=totals["published"],
        ready_after=hourly_statistics.time_to_ready(since=since),
        reasons=reasons(since),
        stuck=lessons_stuck(),
        needing=lessons_needing_attention(),
        failed=_count(attention.ids_with("failed", Lesson)),
        last_event=db.session.scalar(select(func.max(MuxEvent.received_at))),
        events_waiting=waiting_events.backlog(),
        event_delay=hourly_statistics.event_delay(since=since),
        discovered=totals["discovered"],
        rejected=sum(totals["rejected"].values()),
        refused_lately=alarms.refused_signatures(),
        refused=security_counts.last_day(),
        queues=queue_jobs(),
        workers=len(heartbeats.alive(heartbeats.ages(heartbeats.WORKER), heartbeats.WORKER)),
        deletions=deletions_pending(),
        budget_left=left,
        budget_pause=pause,
        stored=mux_usage.stored_minutes(),
        delivered=mux_usage.delivered_minutes(since=since),
        forecast=mux_usage.forecast(),
        charts=charts,
    )


def reasons(since: timedelta) -> list[Reason]:
    """The commonest causes among the newest failures of the span."""
    newest = (
        select(
            Tracking.error_type,
            Tracking.error_message,
            Tracking.lesson_id,
            Tracking.course_id,
            Tracking.updated_at,
        )
        # Not clock_timestamp: an index is only searched for what stands still while the query runs.
        .where(Tracking.status == "error", Tracking.updated_at > func.now() - since, _not_replaced())
        .order_by(Tracking.updated_at.desc())
        .limit(NEWEST_FAILURES)
    )
    found: dict[tuple[str, str], list[tuple[uuid.UUID | None, uuid.UUID | None]]] = {}
    for error_type, message, lesson_id, course_id, _ in db.session.execute(newest):
        found.setdefault((error_type or "asset_errored", message or ""), []).append((lesson_id, course_id))
    ranked = sorted(found.items(), key=lambda item: -len(item[1]))[:TOP_REASONS]
    return [
        Reason(
            error_type=error_type,
            words=wording.why_failed(error_type, message),
            count=len(examples),
            target_type="lesson" if examples[0][0] else "course",
            target_id=_example(examples[0]),
        )
        for (error_type, message), examples in ranked
    ]


def _not_replaced() -> ColumnElement[bool]:
    """What was cancelled at Mux after another upload had replaced it was ended by a person: it is no failure."""
    return or_(Tracking.is_current, func.coalesce(Tracking.error_type, "") != "upload_cancelled")


def _example(ids: tuple[uuid.UUID | None, uuid.UUID | None]) -> uuid.UUID:
    found = ids[0] or ids[1]
    if found is None:
        raise ValueError("an upload belongs to a lesson or a course")
    return found


# What `/metrics` and the dashboard show of this moment: counted from rows and queues at each request.


def lessons_stuck() -> int:
    """Lessons whose videos take longer than they should; they are still watched."""
    return _count(conditions.stuck_ids(Lesson))


def lessons_needing_attention() -> dict[attention.Cause, int]:
    """Lessons that need a person, each counted by its first cause."""
    return attention.count_by_cause()


def deletions_pending() -> int:
    return _count(select(AssetDeletion.id).where(AssetDeletion.done_at.is_(None)))


def _count(rows: Select[uuid.UUID]) -> int:
    return db.session.execute(select(func.count()).select_from(rows.subquery())).scalar_one()


def queue_jobs() -> dict[str, dict[str, int]]:
    """How many jobs each queue has in each state."""
    return queue.counts()


def alarms_by_kind() -> dict[str, bool]:
    """Every kind of alarm, and whether it stands."""
    standing = {one.kind for one in alarms.standing()}
    return {kind: kind in standing for kind in alarms.BY_NAME}
