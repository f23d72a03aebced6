"""The video that the current one replaced: until when it can be restored."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lessonadmin.db import db
from lessonadmin.domain.models import AssetDeletion, Lesson, Tracking
from lessonadmin.domain.videos import video_status
from tests.factories import keep, make_playing_lesson, make_tracking

pytestmark = pytest.mark.usefixtures("session")
DAY = timedelta(days=1)


def replaced(lesson: Lesson, playing: Tracking, *, newer: bool = False, **deletion: object) -> None:
    moved = DAY if newer else -DAY
    make_tracking(lesson, status="ready", mux_asset_id="asset-kept", ready_at=func.now() - DAY,
                  created_at=playing.created_at + moved, superseded_at=func.now(), superseded_by=playing.id)  # fmt: skip
    keep(AssetDeletion(mux_asset_id="asset-kept", due_at=func.now() + DAY, **deletion))


@pytest.fixture
def lesson() -> Lesson:
    return make_playing_lesson()


@pytest.fixture
def playing(lesson: Lesson) -> Tracking:
    return db.session.scalars(select(Tracking).where(Tracking.lesson_id == lesson.id)).one()


@pytest.mark.parametrize("newer", [False, True])
def test_it_is_kept_until_its_deletion_is_due(lesson: Lesson, playing: Tracking, newer: bool) -> None:
    replaced(lesson, playing, newer=newer)
    found = video_status.kept_beside(lesson)
    assert found is not None
    assert found.is_newer == newer
    assert DAY - timedelta(minutes=5) < found.until - found.replaced_at < DAY + timedelta(minutes=5)


@pytest.mark.parametrize("deletion", [{"done_at": func.now()}, {"lease_token": uuid.uuid4()}])
def test_one_that_is_deleted_at_mux_is_not_offered(
    lesson: Lesson, playing: Tracking, deletion: dict[str, object]
) -> None:
    replaced(lesson, playing, **deletion)
    assert video_status.kept_beside(lesson) is None


def test_without_one_there_is_none(lesson: Lesson, playing: Tracking) -> None:
    assert playing.plays
    assert video_status.kept_beside(lesson) is None
