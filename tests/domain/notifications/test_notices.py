"""Notices in the app: counted, listed with digests, read one by one or all at once, and never those of another user."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Lesson, Notification, User
from lessonadmin.domain.notifications import notices
from tests.factories import keep, make_course, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.queries import counted

pytestmark = pytest.mark.usefixtures("session")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def tell(
    user: User, *, kind: str = "video_failed", lesson: Lesson | None = None, **columns: Any
) -> uuid.UUID:
    time.sleep(0.002)  # ids are in order from one millisecond to the next
    columns = {"message": "It failed.", "lesson_id": lesson.id if lesson else None, **columns}
    return keep(Notification(user_id=user.id, kind=kind, **columns)).id


def told(user: User, **options: Any) -> list[tuple[str, int, bool]]:
    return [(one.kind, one.count, one.unread) for one in notices.page(user, **options).entries]


def mark(user: User, notice_id: uuid.UUID) -> bool:
    with transaction(JOB):
        return notices.mark_read(user, notice_id)


def test_the_newest_stands_first_and_knows_its_lesson() -> None:
    user = make_user()
    lesson = make_lesson(creator=user)
    tell(user, kind="video_ready")
    tell(user, kind="lesson_published", lesson=lesson)
    first, second = notices.page(user).entries
    assert (first.kind, second.kind) == ("lesson_published", "video_ready")
    assert (first.items[0].lesson_id, first.items[0].title) == (lesson.id, lesson.title)
    assert (second.items[0].lesson_id, second.items[0].title) == (None, "")


def test_many_of_one_cause_on_one_day_are_one_entry() -> None:
    user = make_user()
    for n in range(40):
        tell(user, cause="asset_errored", created_at=NOON + timedelta(minutes=n))
    tell(user, cause="upload_timed_out", created_at=NOON)
    tell(user, cause="asset_errored", created_at=NOON + timedelta(days=1))
    tell(user, kind="needs_attention", cause="asset_errored", created_at=NOON)
    tell(user, kind="lesson_published")
    tell(user, kind="lesson_published")
    assert sorted(told(user)) == [
        ("lesson_published", 1, True),
        ("lesson_published", 1, True),
        ("needs_attention", 1, True),
        ("video_failed", 1, True),
        ("video_failed", 1, True),
        ("video_failed", 40, True),
    ]
    digest = next(one for one in notices.page(user).entries if one.count == 40)
    assert len(digest.items) == notices.MAX_SHOWN
    assert digest.hidden == 40 - notices.MAX_SHOWN
    assert digest.id == max(item.id for item in digest.items)
    assert notices.unread_count(user.id) == 45


def test_one_is_marked_and_a_digest_is_marked_whole() -> None:
    user = make_user()
    alone = tell(user, kind="video_ready")
    others = [tell(user, cause="asset_errored", created_at=NOON) for _ in range(3)]
    yesterday = tell(user, cause="asset_errored", created_at=NOON - timedelta(days=1))
    assert mark(user, alone)
    assert notices.unread_count(user.id) == 4
    assert mark(user, others[1]), "a newer one of the same cause came while the page was open"
    assert notices.unread_count(user.id) == 2
    assert mark(user, others[2])
    assert told(user, unread_only=True) == [("video_failed", 1, True)]
    assert notices.page(user, unread_only=True).entries[0].id == yesterday


def test_all_are_marked_but_what_came_after_the_page() -> None:
    user = make_user()
    seen = [tell(user) for _ in range(3)][-1]
    later = tell(user)
    with transaction(JOB):
        assert notices.mark_all_read(user, until=seen) == 3
    assert [one.id for one in notices.page(user, unread_only=True).entries] == [later]
    with transaction(JOB):
        assert notices.mark_all_read(user) == 1
    assert notices.unread_count(user.id) == 0
    assert len(notices.page(user).entries) == 4


def test_no_user_reads_or_marks_what_others_were_told() -> None:
    user, other = make_user(), make_user(role="admin")
    theirs = tell(other, cause="stuck")
    assert told(user) == []
    assert not mark(user, theirs)
    assert not mark(user, uuid.uuid4())
    with transaction(JOB):
        notices.mark_all_read(user)
    assert notices.unread_count(other.id) == 1


def test_there_is_no_link_to_what_is_gone_or_is_not_ones_own_any_more() -> None:
    user = make_user()
    lesson, moved, course = make_lesson(creator=user), make_lesson(creator=user), make_course(instructor=user)
    tell(user, lesson=lesson)
    tell(user, lesson=moved)
    tell(user, course_id=course.id)
    with transaction(JOB):
        db.session.execute(update(Lesson).where(Lesson.id == moved.id).values(creator_id=make_user().id))
        db.session.delete(db.session.get_one(Lesson, lesson.id))
    of_course, of_moved, of_deleted = notices.page(user).entries
    assert of_course.items[0].course_id == course.id
    assert of_moved.items[0].lesson_id is None
    assert of_deleted.items[0].lesson_id is None


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    user = make_user()
    made = [tell(user, kind="video_ready") for _ in range(45)]
    made += [
        tell(user, cause="stuck", created_at=NOON + timedelta(days=n)) for n in range(5) for _ in range(2)
    ]
    seen: list[uuid.UUID] = []
    before = None
    for size in (20, 20, 10):
        page = notices.page(user, before=before)
        assert len(page.entries) == size
        seen += [item.id for one in page.entries for item in one.items]
        before = page.older
    assert before is None
    assert sorted(seen) == sorted(made)


def test_a_page_costs_two_queries_however_long_it_is() -> None:
    user = make_user()
    for number in range(30):
        tell(user, lesson=make_lesson(creator=user), cause=None if number % 2 else f"cause {number}")
    with counted() as asked:
        assert len(notices.page(user).entries) == 20
    assert len(asked) == 2


def test_an_upload_tells_each_thing_once(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    tracking = make_tracking(lesson)
    for _ in range(3):
        with transaction(JOB):
            audit_log.notify("needs_attention", lesson, "Still waiting.", tracking=tracking)
    with transaction(JOB):
        audit_log.notify("video_failed", lesson, "It failed.", tracking=tracking)
    assert sorted(mux_sim.notices(lesson.creator_id)) == ["needs_attention", "video_failed"]
    assert db.session.scalar(select(func.count()).select_from(Notification)) == 2
