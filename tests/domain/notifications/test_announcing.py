"""Students are told in batches, each once, whatever happens between two of them; and of one thing once a day."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from lessonadmin import queue
from lessonadmin.db import CLI, JOB, JOB_QUIETLY, db, new_id, remember_transaction_time, transaction
from lessonadmin.domain.audit import student_notices
from lessonadmin.domain.lessons import trash
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Announcement, Lesson, Notification, User
from lessonadmin.domain.models.notifications import MAY_BE_MUTED, SILENT_SECONDS
from lessonadmin.domain.notifications import announcing
from lessonadmin.domain.videos import locking, publication
from lessonadmin.jobs import notices as jobs
from tests.domain.notifications.students import buyer_of, draft_that_plays, kinds, publish, told, withdraw
from tests.factories import make_course, make_playing_lesson, make_purchase, make_user
from tests.queries import counted
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")
DAYS = [
    # the hour before midnight is there twice: one day of 25 hours, and the next
    ("Asia/Beirut", [(2026, 10, 24, 20, 30), (2026, 10, 24, 21, 30), (2026, 10, 24, 22, 30)], [1, 1, 2]),
    # the hour after midnight is there twice
    ("America/Havana", [(2026, 11, 1, 3, 30), (2026, 11, 1, 4, 30), (2026, 11, 1, 5, 30)], [1, 2, 2]),
    # the control: elsewhere each of these is one day
    ("UTC", [(2026, 10, 24, 20, 30), (2026, 10, 24, 21, 30), (2026, 10, 24, 22, 30)], [1, 1, 1]),
    ("UTC", [(2026, 11, 1, 3, 30), (2026, 11, 1, 4, 30), (2026, 11, 1, 5, 30)], [1, 1, 1]),
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """Batches of three students."""
    monkeypatch.setattr(announcing, "BATCH", 3)
    return 3


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    jobs_of: list[str] = []

    def enqueue(job: str, *_args: str) -> bool:
        jobs_of.append(job)
        return True

    monkeypatch.setattr(queue, "enqueue", enqueue)
    return jobs_of


def open_rows() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Announcement)) or 0


def how_many() -> int:
    """Notices, of which no student has two."""
    db.session.rollback()
    count = func.count(Notification.user_id)
    counts = select(count, func.count(Notification.user_id.distinct()))
    written, students = db.session.execute(counts.where(Notification.kind.in_(MAY_BE_MUTED))).one()
    assert written == students
    return int(written)


def silent() -> None:
    """So much time passes that a job which stands still counts as lost."""
    past = func.make_interval(0, 0, 0, 0, 0, 0, SILENT_SECONDS + 1)
    with transaction(CLI):
        db.session.execute(update(Announcement).values(due_at=Announcement.due_at - past))


def announced(readers: int) -> Lesson:
    lesson = make_playing_lesson(price_cents=900)
    for _ in range(readers):
        buyer_of(lesson)
    with transaction(JOB):
        student_notices.new_video(lesson)
    return lesson


# once each, whatever happens


class Killed(BaseException):
    """As by kill -9: no line after it is carried out."""


@pytest.mark.parametrize("at", range(1, 5))
def test_a_worker_that_is_killed_leaves_none_out_and_tells_none_twice(
    small: int, enqueued: list[str], monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    announced(7)
    real, batches = announcing._tell, 0

    def dies(row: Announcement) -> Any:
        nonlocal batches
        batches += 1
        found = real(row)
        if batches == at:
            raise Killed
        return found

    monkeypatch.setattr(announcing, "_tell", dies)
    if at < 4:
        with pytest.raises(Killed):
            jobs.tell_students()
    else:
        jobs.tell_students()  # there are three batches
    assert how_many() == min(small * (at - 1), 7), (
        "what was committed stays, the batch that was killed is undone"
    )
    assert sweep.sweep().figures["announcements"] == 0, "its job may still be at it"
    silent()
    assert sweep.sweep().figures["announcements"] == max(4 - at, 0)
    assert how_many() == 7
    assert open_rows() == 0
    assert set(enqueued) == {announcing.TELL}


def test_a_job_ends_after_its_share_and_calls_for_the_next_one(small: int, enqueued: list[str]) -> None:
    announced(7)
    enqueued.clear()
    assert announcing.tell_some(0) == 0
    assert (enqueued, how_many()) == ([announcing.TELL], 0)
    assert announcing.tell_some() == 3
    assert (len(enqueued), how_many()) == (1, 7)
    assert announcing.tell_some() == 0, "done twice it does nothing"


def test_the_job_is_called_for_once_the_change_is_safe(enqueued: list[str]) -> None:
    announced(1)
    assert enqueued == [announcing.TELL]
    with pytest.raises(RuntimeError), transaction(JOB):  # noqa: PT012 - it is about all of them
        student_notices.new_video(make_playing_lesson())
        raise RuntimeError
    assert len(enqueued) == 1


def test_two_workers_at_once_share_the_batches(app: Flask, small: int) -> None:
    announced(20)
    failures = list[Exception]()

    def at_once() -> None:
        try:
            with app.app_context():
                announcing.tell_some()
        except Exception as error:  # told below
            failures.append(error)

    threads = [threading.Thread(target=at_once) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert how_many() == 20
    assert open_rows() == 0


def test_one_that_fails_holds_up_no_other_and_is_tried_again(
    small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = announced(2)
    real = announcing._tell

    def fails(row: Announcement) -> Any:
        if row.lesson_id == bad.id:
            raise RuntimeError
        return real(row)

    monkeypatch.setattr(announcing, "_tell", fails)
    announced(4)
    announcing.tell_some()
    assert (how_many(), open_rows()) == (4, 1)
    assert announcing.tell_some() == 0, "after a pause"
    monkeypatch.undo()
    for _ in range(3):
        silent()
    assert announcing.tell_some() == 1
    assert (how_many(), open_rows()) == (6, 0)


def test_a_batch_costs_as_much_with_many_students_as_with_few(small: int) -> None:
    costs = []
    for batches in (1, 4):
        announced(small * batches)
        with counted() as sent:
            announcing.tell_some()
        costs.append(len(sent))
    assert costs[1] - costs[0] == 3 * 7, "statements of a batch"
    assert how_many() == small * 5


def test_a_publication_writes_one_row_however_many_bought_it() -> None:
    course = make_course()
    paid = make_playing_lesson(course=course)
    costs = []
    for readers in (0, 30):
        for _ in range(readers):
            buyer_of(paid)
        lesson = draft_that_plays(course=course)
        with counted() as sent:
            publish(lesson)
        costs.append(len(sent))
    assert costs[0] == costs[1]
    assert (how_many(), open_rows()) == (0, 2)


def test_nothing_is_written_of_a_lesson_that_no_student_has(enqueued: list[str]) -> None:
    """A bulk action that unpublishes thousands of these leaves no work behind."""
    lesson = make_playing_lesson()
    withdraw(lesson)
    assert (open_rows(), enqueued) == (0, [])
    publish(lesson)
    make_purchase(lesson, make_user(role="student"))
    withdraw(lesson)
    assert (open_rows(), enqueued) == (1, [announcing.TELL])


# what is not true any more


@pytest.mark.parametrize(
    ("tell", "change"),
    [
        (publish, withdraw),
        (publish, lambda one: _set(one, course_id=None)),
        (withdraw, publish),
    ],
)
def test_what_was_taken_back_before_it_was_told_is_not_told(
    tell: Callable[[Lesson], None], change: Callable[[Lesson], None]
) -> None:
    course = make_course()
    lesson = draft_that_plays(course=course) if tell is publish else make_playing_lesson(course=course)
    user = buyer_of(make_playing_lesson(course=course))
    make_purchase(lesson, user)
    tell(lesson)
    change(lesson)
    found = kinds(user)
    assert ("course_new_lesson" if tell is publish else "lesson_withdrawn") not in found
    assert open_rows() == 0


def _set(lesson: Lesson, **columns: Any) -> None:
    with transaction(CLI):
        db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(**columns))


def test_nothing_is_told_of_a_lesson_that_is_in_the_trash() -> None:
    lesson = make_playing_lesson()
    user = buyer_of(lesson)
    with transaction(CLI):
        video = locking.lock_video("lesson", lesson.id)
        assert video is not None
        trash.put(video)
    assert open_rows() == 1
    assert told(user) == []
    assert open_rows() == 0


# once a day


def test_several_of_one_day_are_one_notice_which_is_unread_again() -> None:
    course = make_course(title="Watercolour")
    user = buyer_of(make_playing_lesson(course=course))
    publish(draft_that_plays(course=course, title="A"))
    assert told(user) == [("course_new_lesson", "“Watercolour” has a new lesson: “A”.")]
    with transaction(CLI):
        db.session.execute(update(Notification).values(read_at="now", mailed_at="now"))
    publish(draft_that_plays(course=course, title="B"))
    several = ("course_new_lesson", "“Watercolour” has several new lessons. The newest is “B”.")
    assert told(user) == [several]
    row = db.session.scalars(select(Notification).where(Notification.user_id == user.id)).one()
    assert row.read_at is None
    assert row.mailed_at is not None, "the mail of that day has left"


def test_many_that_wait_are_told_as_one_and_two_courses_are_two() -> None:
    course, other = make_course(title="Watercolour"), make_course()
    user = buyer_of(make_playing_lesson(course=course))
    make_purchase(make_playing_lesson(course=other), user)
    publish(draft_that_plays(course=course, title="A"), draft_that_plays(course=other))
    publish(draft_that_plays(course=course, title="B"), draft_that_plays(course=course, title="C"))
    assert open_rows() == 4
    with counted() as sent:
        announcing.tell_some()
    assert sum("INSERT INTO notifications" in one for one in sent) == 2
    found = told(user)
    assert ("course_new_lesson", "“Watercolour” has several new lessons. The newest is “C”.") in found
    assert len(found) == 2


def test_one_that_is_half_told_is_told_to_the_end_before_the_next_one(
    small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(title="Watercolour")
    readers = [buyer_of(make_playing_lesson(course=course)) for _ in range(5)]
    publish(draft_that_plays(course=course, title="A"))
    first = announcing._first(Announcement.attempts == 0)
    assert first is not None
    announcing._tell_batch(first)
    publish(draft_that_plays(course=course, title="B"))
    assert announcing._first(Announcement.attempts == 0) == first
    for user in readers:
        assert [said for _, said in told(user)] == [
            "“Watercolour” has several new lessons. The newest is “B”."
        ]


@pytest.mark.parametrize(("zone", "moments", "expected"), DAYS)
def test_a_day_is_one_of_the_school(zone: str, moments: list[tuple[int, ...]], expected: list[int]) -> None:
    lesson = make_playing_lesson()
    user = buyer_of(lesson)
    found = []
    with overridden(time_zone=ZoneInfo(zone)):
        for moment in moments:
            with transaction(JOB):
                remember_transaction_time(datetime(*moment, tzinfo=UTC))  # type: ignore[arg-type, misc]  # five numbers
                student_notices.new_video(lesson)
            found.append(len(told(user)))
    assert found == expected


def test_a_quiet_transaction_and_one_that_is_undone_tell_nothing() -> None:
    course = make_course()
    user = buyer_of(make_playing_lesson(course=course))
    with transaction(JOB_QUIETLY):
        publication.publish(draft_that_plays(course=course))
    with pytest.raises(RuntimeError), transaction(JOB):  # noqa: PT012 - it is about all of them
        publication.publish(draft_that_plays(course=course))
        raise RuntimeError
    assert told(user) == []


def test_the_newest_stands_above_what_was_told_before() -> None:
    """Its key is made when it is told: a list that is read from the newest on shows it first."""
    lesson = make_playing_lesson()
    user = buyer_of(lesson)
    with transaction(JOB):
        student_notices.new_video(lesson)
    before = new_id()
    told(user)
    assert db.session.scalars(select(Notification.id)).one() > before


def test_no_word_is_kept_in_an_account_that_is_not_a_kind_to_be_muted(app: Flask) -> None:
    user = buyer_of(make_playing_lesson(), muted_notices=["lesson_withdrawn"])
    with pytest.raises(Exception, match="ck_users_muted_notices_known"), transaction(CLI):
        db.session.execute(update(User).where(User.id == user.id).values(muted_notices=["lesson_revoked"]))
    with pytest.raises(Exception, match="ck_announcements_kind_known"), transaction(CLI):
        db.session.execute(
            text(
                "INSERT INTO announcements (kind, lesson_id, gathered_as) VALUES ('account', gen_random_uuid(), 'x')"
            )
        )
