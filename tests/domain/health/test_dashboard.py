"""The figures of the operations page: shares, causes of failures, and what waits at this moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from lessonadmin import queue
from lessonadmin.db import db
from lessonadmin.domain import hourly_statistics
from lessonadmin.domain.health import alarms, dashboard
from lessonadmin.domain.models import Alarm, AssetDeletion, Course, Lesson
from tests.factories import keep, make_course, make_event, make_lesson, make_tracking
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session", "redis_url")
DAY = timedelta(hours=24)
NOW = datetime.now(UTC)


def fail(
    owner: Lesson | Course, message: str = "", *, error: str | None = "asset_errored", hours: int = 1
) -> None:
    """An upload of it failed so many hours ago."""
    at = datetime.now(UTC) - timedelta(hours=hours)
    make_tracking(owner, status="error", error_type=error, error_message=message, updated_at=at)


def figure(name: str, counts: dict[str, int], *, hours_ago: int = 0) -> None:
    hour = hourly_statistics.hour_of(datetime.now(UTC)) - timedelta(hours=hours_ago)
    rows = [
        {"hour": hour, "figure": name, "label": label, "count": count, "value": 0.0}
        for label, count in counts.items()
    ]
    hourly_statistics._write(rows)
    db.session.commit()


# the shares


@pytest.mark.parametrize(
    ("ended", "share"),
    [
        ({}, None),
        ({"cancelled": 3}, None),
        ({"ready": 3, "cancelled": 9}, 1.0),
        ({"ready": 3, "asset_errored": 1}, 0.75),
        ({"upload_errored": 2}, 0.0),
    ],
)
def test_who_gave_up_by_hand_does_not_count_as_a_failure(ended: dict[str, int], share: float | None) -> None:
    assert replace(dashboard.overview("24h"), ended=ended).success == share


@pytest.mark.parametrize(
    ("discovered", "share"), [({}, None), ({"webhook": 3, "sweep": 1}, 0.75), ({"sweep": 2}, 0.0)]
)
def test_the_share_of_webhooks(discovered: dict[str, int], share: float | None) -> None:
    assert replace(dashboard.overview("24h"), discovered=discovered).by_webhook == share


# the whole page


@pytest.mark.parametrize(
    ("span", "uploads", "rejected", "steps"), [("24h", 5, 2, 24), ("7d", 12, 2, 28), ("30d", 20, 2, 30)]
)
def test_the_figures_of_a_span_are_the_sums_of_its_charts(
    span: str, uploads: int, rejected: int, steps: int
) -> None:
    for hours_ago, count in ((1, 5), (48, 7), (24 * 20, 8), (24 * 40, 100)):
        figure("uploads", {"": count}, hours_ago=hours_ago)
    figure("rejected", {"bad signature": 1, "too old": 1})
    figure("published", {"by itself": 4, "by hand": 1})
    shown = dashboard.overview(span)
    assert (shown.span, shown.uploads, shown.rejected) == (span, uploads, rejected)
    assert shown.published == {"by itself": 4, "by hand": 1}
    assert {len(chart.steps) for chart in shown.charts.values()} == {steps}
    assert sum(shown.charts["uploads"].sums) == uploads


def test_an_unknown_span_is_no_page() -> None:
    with pytest.raises(KeyError):
        dashboard.overview("1h")


def test_of_an_empty_school_everything_is_nothing() -> None:
    shown = dashboard.overview("24h")
    assert (shown.uploads, shown.stuck, shown.failed, shown.deletions, shown.workers) == (0, 0, 0, 0, 0)
    assert set(shown.needing.values()) == {0}
    assert (shown.reasons, shown.alarms, shown.last_event, shown.success) == ([], [], None, None)


def test_what_needs_attention_and_the_last_event_are_on_the_page() -> None:
    make_lesson(video_processing_status="error", video_error_type="deleted_at_mux")
    make_lesson()
    for hours in (5, 2, 9):
        make_event(received_at=NOW - timedelta(hours=hours))
    shown = dashboard.overview("24h")
    assert (shown.needing["deleted_at_mux"], shown.failed, shown.last_event) == (
        1,
        1,
        NOW - timedelta(hours=2),
    )


# why videos failed


def told(found: Sequence[dashboard.Reason]) -> list[tuple[str, int]]:
    return [(one.error_type, one.count) for one in found]


def test_the_commonest_cause_stands_first_with_its_newest_example() -> None:
    older, newer, course = make_lesson(), make_lesson(), make_course()
    fail(newer, "Bad codec.", hours=1)
    fail(older, "Bad codec.", hours=2)
    fail(course, error="upload_timed_out")
    first, second = dashboard.reasons(DAY)
    assert told([first, second]) == [("asset_errored", 2), ("upload_timed_out", 1)]
    assert (first.target_type, first.target_id) == ("lesson", newer.id)
    assert "Bad codec." in first.words
    assert (second.target_type, second.target_id) == ("course", course.id)


def test_the_same_kind_in_other_words_of_mux_is_another_cause() -> None:
    for message in ("Bad codec.", "No video track."):
        fail(make_lesson(), message)
    assert told(dashboard.reasons(DAY)) == [("asset_errored", 1)] * 2


def test_a_failure_without_a_kind_is_one_of_the_asset() -> None:
    fail(make_lesson(), error=None)
    assert told(dashboard.reasons(DAY)) == [("asset_errored", 1)]


def test_what_a_person_replaced_and_mux_cancelled_is_no_cause() -> None:
    lesson = make_lesson()
    make_tracking(lesson, status="error", error_type="upload_cancelled", superseded_at=NOW)
    assert dashboard.reasons(DAY) == []
    make_tracking(lesson, status="error", error_type="upload_cancelled")
    assert told(dashboard.reasons(DAY)) == [("upload_cancelled", 1)]


def test_an_upload_that_could_not_begin_blames_no_file() -> None:
    fail(make_lesson(), "Our access token is refused.", error="upload_not_created")
    (reason,) = dashboard.reasons(DAY)
    assert reason.words.startswith("The upload could not begin")
    assert reason.words.endswith("Our access token is refused.")


def test_only_failures_of_the_span_are_told() -> None:
    fail(make_lesson(), hours=25)
    make_tracking(make_lesson(), status="processing")
    assert dashboard.reasons(DAY) == []
    assert told(dashboard.reasons(timedelta(days=7))) == [("asset_errored", 1)]


def test_no_more_than_five_causes_of_the_newest_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(dashboard.TOP_REASONS + 1):
        fail(make_lesson(), f"Cause {number}.", hours=number + 1)
    assert len(dashboard.reasons(DAY)) == dashboard.TOP_REASONS
    monkeypatch.setattr(dashboard, "NEWEST_FAILURES", 2)
    assert ["Cause 0." in one.words or "Cause 1." in one.words for one in dashboard.reasons(DAY)] == [
        True,
        True,
    ]


# what waits at this moment


def test_lessons_that_are_stuck_are_counted_by_the_setting() -> None:
    for minutes in (1, 20, 40):
        lesson = make_lesson(video_processing_status="processing")
        make_tracking(lesson, status="processing", created_at=datetime.now(UTC) - timedelta(minutes=minutes))
    make_tracking(make_course(), created_at=NOW - timedelta(days=1))
    for limit, stuck in ((1800, 1), (600, 2), (7200, 0)):
        with overridden(stuck_after_seconds=limit):
            assert dashboard.lessons_stuck() == stuck


@pytest.mark.parametrize(
    ("columns", "pending"),
    [({}, 1), ({"due_at": NOW + DAY}, 1), ({"attempts": 9, "last_error": "x"}, 1), ({"done_at": NOW}, 0)],
)
def test_deletions_that_are_not_done_are_pending(columns: dict[str, Any], pending: int) -> None:
    keep(AssetDeletion(mux_asset_id="a", **columns))
    assert dashboard.deletions_pending() == pending == dashboard.overview("24h").deletions


def test_every_kind_of_alarm_is_named_whether_it_stands_or_not() -> None:
    stands, over = list(alarms.BY_NAME)[:2]
    keep(Alarm(kind=stands, message="It is so."))
    keep(Alarm(kind=over, message="It was so.", ended_at=NOW))
    by_kind = dashboard.alarms_by_kind()
    assert set(by_kind) == set(alarms.BY_NAME)
    assert [kind for kind, it_stands in by_kind.items() if it_stands] == [stands]
    assert [one.kind for one in dashboard.overview("24h").alarms] == [stands]


def test_jobs_are_counted_by_queue_and_state_and_not_at_all_without_redis(session: Session) -> None:
    queue.queue("bulk").enqueue("lessonadmin.jobs.batches.run_batch_item", "no id")
    jobs = dashboard.queue_jobs()
    assert jobs["bulk"] == {"queued": 1, "started": 0, "failed": 0, "scheduled": 0}
    assert set(jobs) >= {"bulk"}
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        assert dashboard.queue_jobs() == {}
