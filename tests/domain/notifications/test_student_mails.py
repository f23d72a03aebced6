"""Mails to students about their lessons: an hour later, and only what is still true and still theirs."""

from typing import Any

import pytest
from sqlalchemy import select, update

from lessonadmin.db import CLI, JOB, db, transaction
from lessonadmin.domain.audit import student_notices
from lessonadmin.domain.models import Lesson, Notification, Purchase, User
from lessonadmin.domain.notifications import announcing, delivery
from tests.domain.notifications.support import PUBLIC_URL, tell, time_passes
from tests.factories import make_course, make_playing_lesson, make_purchase, make_user
from tests.postbox import Postbox

pytestmark = pytest.mark.usefixtures("session")
TELL = {
    "lesson_new_video": student_notices.new_video,
    "lesson_withdrawn": student_notices.withdrawn,
    "course_new_lesson": student_notices.new_in_course,
}


def told(kind: str) -> tuple[Lesson, User]:
    """A student who bought the lesson that this is about, and was just told of it."""
    lesson = make_playing_lesson(course=make_course(title="Watercolour"), title="Edges", price_cents=900)
    if kind == "lesson_withdrawn":
        change(Lesson, status="draft")
    user = make_user(role="student")
    make_purchase(lesson, user)
    with transaction(JOB):
        TELL[kind](lesson)
    announcing.tell_some()
    return lesson, user


def change(model: Any, **columns: Any) -> None:
    with transaction(CLI):
        db.session.execute(update(model).values(**columns))


@pytest.mark.parametrize(
    ("kind", "subject", "where"),
    [
        ("lesson_new_video", "A lesson of yours has a new video: Edges", "/catalog/{lesson.id}"),
        ("lesson_withdrawn", "A lesson of yours left the catalogue: Edges", "/catalog/{lesson.id}"),
        (
            "course_new_lesson",
            "A course of yours has a new lesson: Edges",
            "/catalog/courses/{lesson.course_id}",
        ),
    ],
)
def test_it_leaves_after_an_hour_and_says_how_to_stop_it(
    box: Postbox, kind: str, subject: str, where: str
) -> None:
    lesson, user = told(kind)
    assert delivery.send_due() == 0
    time_passes(announcing.MAIL_SECONDS)
    assert delivery.send_due() == 1
    (mail,) = box.received
    assert (mail.to, mail.mail["Subject"]) == ([user.email], subject)
    assert PUBLIC_URL + where.format(lesson=lesson) in mail.text
    assert "when something changes about your lessons and courses" in mail.text
    assert f"To stop these mails: {PUBLIC_URL}/account" in mail.text


GONE = {"revoked_at": "now", "revoke_reason": "Paid twice", "lesson_title": "Edges"}


@pytest.mark.parametrize(
    ("kind", "model", "columns"),
    [
        ("lesson_new_video", Purchase, GONE),
        ("lesson_new_video", Lesson, {"mux_playback_id": None, "status": "draft"}),
        ("lesson_withdrawn", Purchase, GONE),
        ("lesson_withdrawn", Lesson, {"status": "published"}),
        ("course_new_lesson", Lesson, {"status": "draft"}),
        ("course_new_lesson", Lesson, {"status": "draft", "publish_on_ready": False, "deleted_at": "now"}),
        ("course_new_lesson", User, {"muted_notices": ["course_new_lesson"]}),
        ("lesson_new_video", User, {"mail_notices": False}),
    ],
)
def test_what_was_taken_back_within_the_hour_is_not_mailed(
    box: Postbox, kind: str, model: Any, columns: dict[str, Any]
) -> None:
    told(kind)
    change(model, **columns)
    time_passes(announcing.MAIL_SECONDS)
    assert delivery.send_due() == 0
    assert box.received == []
    assert db.session.scalars(select(Notification.mail_wanted)).all() == [False]


def test_mails_to_many_students_keep_no_other_mail_waiting(
    box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_AT_ONCE", 3)
    lesson = make_playing_lesson(title="Edges")
    for _ in range(5):
        make_purchase(lesson, make_user(role="student"))
    with transaction(JOB):
        student_notices.new_video(lesson)
    announcing.tell_some()
    time_passes(announcing.MAIL_SECONDS)
    tell(make_user(), kind="video_failed")
    assert delivery.send_due() == 3
    assert sorted(box.subjects) == ["A lesson of yours has a new video: Edges"] * 2 + [
        "A video failed: Wet in wet"
    ]
    assert delivery.send_due() == 3
    assert delivery.send_due() == 0
