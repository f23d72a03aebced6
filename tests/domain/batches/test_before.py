"""What a row is before an action, written down so that it can be restored exactly."""

from datetime import UTC, datetime

from lessonadmin.db import CLI, db, transaction, transaction_time
from lessonadmin.domain.batches import before
from lessonadmin.domain.models import Course, Lesson
from lessonadmin.domain.videos.publication import Publication
from tests.factories import make_course, make_playing_lesson

LONG_AGO = datetime(2020, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)


def test_a_lesson_has_its_publication_to_the_microsecond_and_its_video(session: object) -> None:
    lesson = make_playing_lesson(status="published", published_at=LONG_AGO, publish_on_ready=False)
    with transaction(CLI):
        found = before.of(db.session.get_one(Lesson, lesson.id))
        assert found["at"] == transaction_time().isoformat()
    assert (found["asset_id"], found["plays"]) == (lesson.mux_asset_id, True)
    assert Publication.from_json(found) == Publication("published", LONG_AGO, False)


def test_a_course_has_no_publication(session: object) -> None:
    course = make_course()
    with transaction(CLI):
        found = before.of(db.session.get_one(Course, course.id))
    assert (found["asset_id"], found["plays"]) == (None, False)
    assert "status" not in found
