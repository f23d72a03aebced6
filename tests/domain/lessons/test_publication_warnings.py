"""A lesson that will hardly be ready at its time: its instructor is told beforehand, once, and not while it is too early to say."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.lessons import publication_warnings
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AuditLog, Lesson, Notification
from tests import owner
from tests.factories import make_lesson, make_playing_lesson, make_tracking

pytestmark = pytest.mark.usefixtures("session")

MINUTES = 60


def planned(minutes: float, *, untouched: float = 120, **columns: object) -> Lesson:
    """A lesson whose time comes in so many minutes, and that was saved last so many minutes ago."""
    lesson = make_lesson(publish_not_before=datetime.now(UTC) + timedelta(minutes=minutes), **columns)
    age(lesson, untouched)
    return lesson


def age(lesson: Lesson, minutes: float) -> None:
    owner.execute(
        f"UPDATE lessons SET updated_at = clock_timestamp() - interval '{minutes} minutes' WHERE id = '{lesson.id}'"  # noqa: S608 - a number of this file
    )
    db.session.expire_all()


def processing(minutes: float, *, usual: float, so_far: float) -> Lesson:
    """A lesson whose video is being processed, where videos take `usual` minutes."""
    now = datetime.now(UTC)
    for _ in range(3):
        done = make_playing_lesson()
        owner.execute(
            f"UPDATE mux_asset_tracking SET bytes_in_at = ready_at - interval '{usual} minutes' WHERE lesson_id = '{done.id}'"  # noqa: S608 - a number of this file
        )
    lesson = planned(minutes, video_processing_status="processing")
    make_tracking(lesson, status="processing", bytes_in_at=now - timedelta(minutes=so_far))
    return lesson


def warned(lesson: Lesson) -> list[str]:
    """What its instructor was told by two sweeps."""
    for _ in range(2):
        assert sweep.sweep().failed == {}
    query = select(Notification.message).where(
        Notification.lesson_id == lesson.id, Notification.cause == "publication_at_risk"
    )
    return list(db.session.scalars(query))


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({}, "it has no video yet."),
        ({"video_processing_status": "error", "video_error_type": "asset_errored"}, "its video failed."),
        ({"video_processing_status": "uploading"}, "its video is not uploaded completely."),
    ],
)
def test_a_day_before_its_time_a_lesson_without_a_video_is_told_of_once(
    columns: dict[str, object], why: str
) -> None:
    lesson = planned(23 * MINUTES, **columns)
    (said,) = warned(lesson)
    assert why in said
    assert said.endswith("Upload it now, or choose another time.")
    actions = db.session.scalars(select(AuditLog.action).where(AuditLog.target_id == lesson.id)).all()
    assert actions.count("lesson.publication_at_risk") == 1


@pytest.mark.parametrize(
    ("minutes", "untouched", "columns"),
    [
        (25 * MINUTES, 120, {}),  # there is a day to go
        (10 * MINUTES, 5, {}),  # the time was set a moment ago
        (10 * MINUTES, 120, {"publish_on_ready": False}),
        (10 * MINUTES, 120, {"video_processing_status": "processing"}),  # nothing to estimate by
    ],
)
def test_no_instructor_is_warned_too_early(
    minutes: float, untouched: float, columns: dict[str, object]
) -> None:
    assert warned(planned(minutes, untouched=untouched, **columns)) == []


def test_a_short_time_is_warned_of_before_it_is_over() -> None:
    assert len(warned(planned(10, untouched=11))) == 1


def test_a_video_is_late_by_our_own_estimate() -> None:
    (said,) = warned(processing(20, usual=60, so_far=10))
    assert "it is published as soon as it is ready" in said


def test_a_video_that_will_be_ready_in_time_is_not_told_of() -> None:
    assert warned(processing(60, usual=60, so_far=10)) == []


def test_another_time_is_another_promise() -> None:
    lesson = planned(10)
    assert len(warned(lesson)) == 1
    db.session.refresh(lesson)
    lesson.publish_not_before, lesson.publication_warned_at = datetime.now(UTC) + timedelta(minutes=30), None
    db.session.commit()
    age(lesson, 120)
    assert len(warned(lesson)) == 2


def test_what_plays_is_not_looked_at() -> None:
    make_playing_lesson(
        status="draft",
        published_at=None,
        publish_on_ready=True,
        publish_not_before=datetime.now(UTC) + timedelta(hours=1),
    )
    assert publication_warnings.due() == []
