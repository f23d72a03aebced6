"""Who is told when an upload makes a step: the audit trail, the owner or staff, and the figures, once it is safe."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lessonadmin import metrics
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.models import AuditLog, Course, Lesson, Notification, Tracking
from lessonadmin.domain.videos import side_effects
from lessonadmin.domain.videos.state_machine import State
from tests.factories import make_course, make_lesson, make_tracking, make_user

pytestmark = pytest.mark.usefixtures("session")
PLAYED = {"mux_asset_id": "a1", "mux_playback_id": "p1", "upload_id": "u1"}
Steps = list[tuple[str, dict[str, Any]]]


def step(
    owner: Lesson | Course,
    upload: Tracking,
    after: State,
    *,
    before: State = State.PROCESSING,
    replaced: Tracking | None = None,
) -> None:
    with transaction(JOB):
        side_effects.after_transition(owner, upload, before, after, found_by="sweep", replaced=replaced)


def trail() -> Steps:
    """What was written down, oldest first."""
    rows = db.session.scalars(select(AuditLog).order_by(AuditLog.at, AuditLog.id))
    return [(row.action, row.detail) for row in rows]


def told() -> list[Notification]:
    return list(db.session.scalars(select(Notification).order_by(Notification.id)))


@pytest.fixture
def lesson(session: Session) -> Lesson:
    return make_lesson(title="Fractions", publish_on_ready=False)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (State.PROCESSING, [("video.processing", {"asset_id": "a1", "upload_id": "u1"})]),
        (State.CANCELLED, [("video.upload_cancelled", {"upload_id": "u1"})]),
        (State.DELETING, [("video.delete_requested", {"asset_id": "a1"})]),
        (State.DELETED, [("video.deleted", {"asset_id": "a1", "at_mux": True})]),
        (State.WITHDRAWN, []),
        (State.UPLOADING, []),
    ],
)
def test_a_step_that_tells_no_person_is_written_down(lesson: Lesson, after: State, expected: Steps) -> None:
    step(lesson, make_tracking(lesson, status="processing", **PLAYED), after)
    assert trail() == expected
    assert told() == []


@pytest.mark.parametrize("kind", ["lesson", "course"])
def test_a_video_that_is_ready_is_told_to_its_owner(kind: str) -> None:
    owner = make_lesson(publish_on_ready=False) if kind == "lesson" else make_course()
    upload = make_tracking(owner, status="ready", **PLAYED)
    step(owner, upload, State.READY)
    assert trail() == [("video.ready", {"asset_id": "a1", "playback_id": "p1", "found_by": "sweep"})]
    (notice,) = told()
    assert (notice.user_id, notice.kind, notice.tracking_id) == (owner.owner_id, "video_ready", upload.id)
    assert notice.message == f"The video of “{owner.title}” is ready."
    assert getattr(notice, f"{kind}_id") == owner.id


@pytest.mark.parametrize(
    ("status", "wanted", "notices"),
    [("draft", True, 0), ("draft", False, 1), ("published", True, 1), ("published", False, 1)],
)
def test_a_lesson_that_publishes_itself_is_told_of_by_its_publication(
    status: str, wanted: bool, notices: int
) -> None:
    lesson = make_lesson(status=status, publish_on_ready=wanted)
    step(lesson, make_tracking(lesson, status="ready", **PLAYED), State.READY)
    assert len(told()) == notices
    assert [action for action, _ in trail()] == ["video.ready"]


def test_a_replacement_says_what_it_replaced(lesson: Lesson) -> None:
    old = make_tracking(lesson, status="ready", mux_asset_id="a0", superseded_at=datetime.now(UTC))
    step(lesson, make_tracking(lesson, status="ready", **PLAYED), State.READY, replaced=old)
    assert trail()[1] == ("video.replaced", {"before": "a0", "after": "a1"})
    assert [notice.message for notice in told()] == ["The new video of “Fractions” is ready."]


@pytest.mark.parametrize("after", [State.UPLOAD_FAILED, State.ASSET_FAILED])
@pytest.mark.parametrize(
    ("superseded", "said"),
    [
        (None, "The video of “Fractions” failed. Mux could not process this video: No sound."),
        (
            datetime.now(UTC),
            "The new video of “Fractions” failed, the old one still plays. Mux could not process this video: No sound.",
        ),
    ],
    ids=["alone", "beside one that plays"],
)
def test_a_failure_is_told_with_its_reason(
    lesson: Lesson, after: State, superseded: datetime | None, said: str
) -> None:
    why = {"error_type": "asset_errored", "error_message": "No sound."}
    step(lesson, make_tracking(lesson, status="error", superseded_at=superseded, **why, **PLAYED), after)
    assert trail() == [
        (
            "video.failed",
            {"error_type": "asset_errored", "message": "No sound.", "asset_id": "a1", "upload_id": "u1"},
        )
    ]
    (notice,) = told()
    assert notice.message.startswith(said)
    assert (notice.kind, notice.cause) == ("video_failed", "asset_errored")


@pytest.mark.parametrize(
    ("superseded", "said"),
    [
        (None, "The video of “Fractions” was deleted at Mux. Please upload it again."),
        (datetime.now(UTC), "The new video of “Fractions” was deleted at Mux, the old one still plays."),
    ],
    ids=["alone", "beside one that plays"],
)
def test_a_deletion_by_another_program_is_told(
    lesson: Lesson, superseded: datetime | None, said: str
) -> None:
    upload = make_tracking(
        lesson, status="error", error_type="deleted_at_mux", superseded_at=superseded, **PLAYED
    )
    step(lesson, upload, State.DELETED, before=State.READY)
    assert [(one.kind, one.cause, one.message) for one in told()] == [
        ("video_deleted", "deleted_at_mux", said)
    ]


def test_a_deletion_that_was_asked_for_is_not(lesson: Lesson) -> None:
    upload = make_tracking(lesson, status="deleted", error_type="deleted_at_mux", **PLAYED)
    step(lesson, upload, State.DELETED, before=State.DELETING)
    assert trail() == [("video.deleted", {"asset_id": "a1"})]
    assert told() == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (State.DELETING, [("video.delete_requested", {"asset_id": "a1", "superseded": True})]),
        (State.DELETED, [("video.deleted", {"asset_id": "a1", "superseded": True})]),
        (State.READY, []),
        (State.ASSET_FAILED, []),
    ],
)
def test_a_step_of_an_upload_that_counts_no_more_tells_no_person(
    lesson: Lesson, after: State, expected: Steps
) -> None:
    upload = make_tracking(lesson, status="ready", superseded_at=datetime.now(UTC), **PLAYED)
    with transaction(JOB):
        side_effects.after_superseded_transition(lesson, upload, after)
    assert trail() == expected
    assert told() == []


@pytest.mark.parametrize("kind", ["lesson", "course"])
def test_what_is_held_is_told_to_every_active_member_of_staff(kind: str) -> None:
    owner = make_lesson() if kind == "lesson" else make_course()
    staff = {make_user(role=role).id for role in ("support", "admin")}
    for role, active in (("support", False), ("student", True), ("instructor", True)):
        make_user(role=role, active=active)
    upload = make_tracking(owner, status="cancelled", superseded_at=datetime.now(UTC), **PLAYED)
    with transaction(JOB):
        side_effects.after_superseded_transition(owner, upload, State.HELD)
    assert trail() == [("video.held", {"asset_id": "a1", "upload_id": "u1"})]
    notices = told()
    assert {one.user_id for one in notices} == staff
    assert {(one.kind, one.cause, getattr(one, f"{kind}_id")) for one in notices} == {
        ("needs_attention", "held", owner.id)
    }
    assert f"open the {kind} in the panel" in notices[0].message


@pytest.mark.parametrize(
    ("superseded", "detail"),
    [
        (None, {"asset_id": "a1"}),
        (datetime.now(UTC), {"asset_id": "a1", "superseded": True}),
    ],
    ids=["current", "superseded"],
)
def test_an_asset_that_was_let_go_is_written_down(
    lesson: Lesson, superseded: datetime | None, detail: dict[str, Any]
) -> None:
    upload = make_tracking(lesson, status="ready", superseded_at=superseded, **PLAYED)
    with transaction(JOB):
        side_effects.after_let_go(lesson, upload)
    assert trail() == [("video.let_go", detail)]


def counted(outcome: str) -> float:
    return float(metrics.uploads.labels(outcome)._value.get())


@pytest.mark.parametrize(
    ("after", "error_type", "outcome"),
    [
        (State.READY, None, "ready"),
        (State.CANCELLED, None, "cancelled"),
        (State.WITHDRAWN, None, "cancelled"),
        (State.ASSET_FAILED, "wrong_policy", "wrong_policy"),
        (State.UPLOAD_FAILED, "upload_timed_out", "upload_timed_out"),
        (State.ASSET_FAILED, None, "asset_errored"),
    ],
)
def test_an_end_is_counted_once_it_is_safe(
    lesson: Lesson, after: State, error_type: str | None, outcome: str
) -> None:
    upload = make_tracking(lesson, status="processing", error_type=error_type, **PLAYED)
    before = counted(outcome)
    with suppress(ZeroDivisionError), transaction(JOB):
        side_effects.after_transition(
            lesson, upload, State.PROCESSING, after, found_by="sweep", replaced=None
        )
        raise ZeroDivisionError
    assert counted(outcome) == before
    step(lesson, upload, after)
    assert counted(outcome) == before + 1


@pytest.mark.parametrize("after", [State.PROCESSING, State.DELETING, State.DELETED])
def test_what_is_no_end_of_an_upload_is_not_counted(lesson: Lesson, after: State) -> None:
    outcomes = ("ready", "cancelled", "asset_errored")
    before = [counted(outcome) for outcome in outcomes]
    step(lesson, make_tracking(lesson, status="processing", **PLAYED), after)
    assert [counted(outcome) for outcome in outcomes] == before


@pytest.mark.parametrize(("age", "seconds"), [(90, 90), (-90, 0)])
def test_the_time_to_ready_is_counted_from_the_upload_and_never_below_zero(
    lesson: Lesson, age: float, seconds: float
) -> None:
    upload = make_tracking(
        lesson, status="ready", created_at=datetime.now(UTC) - timedelta(seconds=age), **PLAYED
    )
    found_by = metrics.ready_discovered.labels("sweep")._value
    before = metrics.time_to_ready._sum.get(), found_by.get()
    step(lesson, upload, State.READY)
    assert metrics.time_to_ready._sum.get() - before[0] == pytest.approx(seconds, abs=20)
    assert metrics.time_to_ready._sum.get() >= before[0]
    assert found_by.get() - before[1] == 1
