"""The publication of before comes back exactly, and never with another video."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain.batches.actions import restore_publication
from lessonadmin.domain.batches.before import BEFORE
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.videos.publication import Publication
from tests.factories import make_lesson, make_playing_lesson

LONG_AGO = datetime(2020, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
OUT = Publication("published", LONG_AGO, False)


def restored(lesson: Lesson, before: Publication, **more: object) -> tuple[str, Lesson]:
    """The code of the result, and the lesson afterwards."""
    options: Mapping[str, object] = {
        BEFORE: before.as_json() | {"asset_id": lesson.mux_asset_id, "plays": True} | more
    }
    with transaction(CLI):
        result = restore_publication.restore(lesson.id, options)
    db.session.expire_all()
    return result.code, db.session.get_one(Lesson, lesson.id)


def state(lesson: Lesson) -> Publication:
    return Publication(lesson.status, lesson.published_at, lesson.publish_on_ready)


@pytest.mark.parametrize("before", [OUT, Publication("draft", None, True), Publication("draft", None, False)])
def test_what_was_comes_back_to_the_microsecond(session: object, before: Publication) -> None:
    now = {"status": "draft", "publish_on_ready": False} if before.status == "published" else {"status": "published", "published_at": LONG_AGO, "publish_on_ready": False}  # fmt: skip
    code, lesson = restored(make_playing_lesson(**now), before)
    assert (code, state(lesson)) == ("restores_publication", before)


def test_what_is_as_before_is_left_alone(session: object) -> None:
    lesson = make_playing_lesson(status="published", published_at=LONG_AGO, publish_on_ready=False)
    assert restored(lesson, OUT)[0] == "as_before"


def test_a_lesson_whose_video_is_gone_stays_a_draft(session: object) -> None:
    code, lesson = restored(make_lesson(publish_on_ready=False), OUT, asset_id="was-there")
    assert (code, lesson.status) == ("video_gone", "draft")


def test_a_lesson_with_another_video_is_not_published_by_an_undo(session: object) -> None:
    code, lesson = restored(
        make_playing_lesson(status="draft", publish_on_ready=False), OUT, asset_id="other"
    )
    assert (code, lesson.status) == ("other_video", "draft")


def test_a_video_that_was_ready_meanwhile_publishes_what_waits_for_it(session: object) -> None:
    lesson = make_playing_lesson(status="draft", publish_on_ready=False)
    code, after = restored(lesson, Publication("draft", None, True), plays=False)
    assert (code, after.status, after.publish_on_ready) == ("publishes_after_all", "published", False)


def test_without_a_record_nothing_is_done(session: object) -> None:
    lesson = make_playing_lesson(status="draft", publish_on_ready=False)
    with transaction(CLI):
        assert restore_publication.restore(lesson.id, {}).code == "not_recorded"
        assert restore_publication.restore(uuid.uuid4(), {}).code == "missing"
