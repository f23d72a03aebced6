"""Rules that are written for Python and for queries: both say the same, and say it as the partial indexes have it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from lessonadmin.domain.models import Course, Lesson, Tracking, owners
from lessonadmin.domain.models.content import VIDEO_STATUSES
from lessonadmin.domain.models.video import TRACKING_STATUSES
from tests.factories import make_course, make_lesson, make_tracking


@pytest.mark.parametrize("superseded", [True, False])
@pytest.mark.parametrize("status", TRACKING_STATUSES)
def test_an_upload_is_open_current_or_playing_by_both_rules(
    session: Session, status: str, superseded: bool
) -> None:
    at = datetime.now(UTC) if superseded else None
    row = make_tracking(make_lesson(), status=status, mux_asset_id="a", superseded_at=at)
    said = session.execute(select(Tracking.is_open, Tracking.is_current, Tracking.plays)).one()
    assert tuple(said) == (row.is_open, row.is_current, row.plays)
    assert said.is_open == (status in ("uploading", "processing"))
    assert said.is_current == (not superseded)
    assert said.plays == (status == "ready" and not superseded)


@pytest.mark.parametrize("status", VIDEO_STATUSES)
def test_the_video_of_an_owner_is_open_by_both_rules(session: Session, status: str) -> None:
    for row, model in (
        (make_lesson(video_processing_status=status), Lesson),
        (make_course(video_processing_status=status), Course),
    ):
        said = session.scalar(select(model.video_is_open).where(model.id == row.id))
        assert said == row.video_is_open == (status in ("uploading", "processing"))


def test_every_owner_is_found_by_its_kind(session: Session) -> None:
    for owner in (make_lesson(), make_course()):
        row = make_tracking(owner)
        assert (row.target_type, row.target_id) == (owner.kind, owner.id)
        assert owners.MODELS[owner.kind] is type(owner)
        assert session.scalar(select(Tracking.id).where(owners.COLUMNS[owner.kind] == owner.id)) == row.id


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (
            select(Tracking.id).where(Tracking.is_current, Tracking.is_open),
            "uq_mux_asset_tracking_on_its_way",
        ),
        (select(Tracking.id).where(Tracking.plays), "uq_mux_asset_tracking_playing"),
        (select(Lesson.id).where(Lesson.video_is_open), "ix_lessons_open_video"),
    ],
    ids=["open", "playing", "video_is_open"],
)
def test_a_partial_index_serves_a_statement_that_was_planned_without_its_values(
    session: Session, asked: object, index: str
) -> None:
    """The words stand in the statement itself: parameters would hide from a generic plan that the index fits."""
    sent = asked.compile(dialect=postgresql.psycopg.dialect())  # type: ignore[attr-defined]  # three kinds of select
    assert not sent.params
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = "\n".join(session.connection().exec_driver_sql(f"EXPLAIN {sent}").scalars())
    assert index in plan
    session.rollback()
