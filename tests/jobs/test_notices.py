"""The job of one notice sends that notice, once, and nothing for one that is gone."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import Notification
from lessonadmin.jobs import notices
from tests import postbox
from tests.factories import make_lesson, make_user
from tests.postbox import Postbox
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def box() -> Iterator[Postbox]:
    with postbox.running() as running, overridden(mail_url=running.url):
        yield running


def make_notice() -> uuid.UUID:
    user = make_user()
    lesson = make_lesson(creator=user)
    with transaction(JOB):
        audit_log.notify_user("video_failed", user.id, "The video failed.", lesson_id=lesson.id)
    return db.session.scalars(select(Notification.id).where(Notification.lesson_id == lesson.id)).one()


def sent(notice_id: uuid.UUID) -> bool:
    db.session.rollback()
    return db.session.get_one(Notification, notice_id, populate_existing=True).mailed_at is not None


def test_the_notice_of_the_job_is_sent_and_no_other(box: Postbox) -> None:
    wanted, other = make_notice(), make_notice()
    notices.send_mail(str(wanted))
    assert (sent(wanted), sent(other)) == (True, False)


def test_a_notice_that_is_gone_is_no_failure(box: Postbox) -> None:
    other = make_notice()
    notices.send_mail(str(uuid.uuid4()))
    assert not sent(other)
