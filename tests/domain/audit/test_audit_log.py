"""What is written down: one audit row a change, by whom, in the same transaction; notices once."""

import pytest
from sqlalchemy import select, text

from lessonadmin.db import CLI, WEBHOOK, Actor, NoTransaction, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import AuditLog, Notification
from tests.factories import make_course, make_lesson, make_tracking


def rows() -> list[AuditLog]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditLog).order_by(AuditLog.id)))


def test_the_actor_comes_from_the_transaction(session: object) -> None:
    lesson = make_lesson()
    user = Actor.user(lesson.creator_id, reason="because")
    for actor in (user, WEBHOOK, CLI):
        with transaction(actor):
            audit_log.record("lesson.updated", lesson, before="a", nothing=None)
    one, two, three = rows()
    assert (one.actor_type, one.actor_id) == ("user", lesson.creator_id)
    assert one.detail == {"before": "a", "reason": "because"}
    assert [(row.actor_type, row.actor_id) for row in (two, three)] == [("webhook", None), ("cli", None)]
    assert (one.target_type, one.target_id) == ("lesson", lesson.id)


def test_what_is_rolled_back_was_never_written(session: object) -> None:
    lesson = make_lesson()
    with pytest.raises(RuntimeError), transaction(CLI):  # noqa: PT012 - it is about all of them
        audit_log.record("lesson.updated", lesson)
        audit_log.notify("video_ready", lesson, "Ready.")
        raise RuntimeError
    assert rows() == []
    assert db.session.scalars(select(Notification)).all() == []


def test_without_a_transaction_nothing_is_written(session: object) -> None:
    with pytest.raises(NoTransaction):
        audit_log.record("lesson.updated", make_lesson())


def test_many_rows_of_both_kinds_in_one_transaction(session: object) -> None:
    lesson, course = make_lesson(), make_course()
    tracking = make_tracking(lesson)
    with transaction(CLI):
        for _ in range(3):
            audit_log.record("lesson.updated", lesson, text="“quotes” ' \" \\ 日本")
            audit_log.notify("video_ready", lesson, "Ready: “x” ' \\", tracking=tracking)
        audit_log.record("course.updated", course)
        audit_log.notify("needs_attention", course, "Look.")
    assert len(rows()) == 4
    assert rows()[0].detail["text"] == "“quotes” ' \" \\ 日本"
    told = db.session.execute(select(Notification.kind, Notification.user_id, Notification.message)).all()
    assert sorted(told) == sorted(
        [
            ("video_ready", lesson.creator_id, "Ready: “x” ' \\"),
            ("needs_attention", course.instructor_id, "Look."),
        ]
    )


def test_one_notice_of_a_kind_for_an_upload(session: object) -> None:
    lesson = make_lesson()
    tracking = make_tracking(lesson)
    for _ in range(2):
        with transaction(CLI):
            audit_log.notify("video_ready", lesson, "Ready.", tracking=tracking)
            audit_log.record("video.ready", lesson)
    assert len(db.session.scalars(select(Notification)).all()) == 1
    assert len(rows()) == 2, "the audit row is written whether or not the notice was news"


@pytest.mark.parametrize(
    "attack", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
def test_no_statement_changes_the_past(session: object, attack: str) -> None:
    with transaction(CLI):
        audit_log.record("lesson.updated", make_lesson())
    with pytest.raises(Exception, match=r"never changed|permission"):
        db.session.execute(text(attack))
    assert len(rows()) == 1


def test_the_trail_is_told_in_order(session: object) -> None:
    lesson = make_lesson()
    for action in ("lesson.created", "lesson.published", "lesson.unpublished"):
        with transaction(CLI):
            audit_log.record(action, lesson)
    told = db.session.scalars(
        select(AuditLog.action).where(AuditLog.target_id == lesson.id).order_by(AuditLog.at)
    )
    assert told.all() == ["lesson.created", "lesson.published", "lesson.unpublished"]
