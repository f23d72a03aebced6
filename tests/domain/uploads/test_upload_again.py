"""An instructor is asked to upload again: once for an upload, once more on purpose, and only where that cures something."""

from typing import Any

import pytest
from sqlalchemy import select, update

from lessonadmin.db import Actor, db
from lessonadmin.domain.errors import Conflict, Forbidden
from lessonadmin.domain.models import AuditLog, Lesson, Notification, Tracking
from lessonadmin.domain.uploads import upload_again
from lessonadmin.domain.videos import locking
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim

pytestmark = pytest.mark.usefixtures("session")


def support() -> Actor:
    return Actor.user(make_user(role="support").id)


def notices() -> list[Notification]:
    db.session.rollback()
    wanted = select(Notification).where(Notification.kind == "upload_again")
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def audited() -> list[dict[str, Any]]:
    wanted = (
        select(AuditLog.detail).where(AuditLog.action == "video.upload_again_asked").order_by(AuditLog.at)
    )
    return [dict(one) for one in db.session.scalars(wanted)]


@pytest.mark.parametrize("make", [make_lesson, make_course])
def test_asked_once_and_again_on_purpose(make: Any) -> None:
    owner = make(title="Bread")
    upload = make_tracking(owner)
    first = upload_again.ask(owner, again=False, actor=support())
    assert first is not None
    (notice,) = notices()
    assert (notice.user_id, notice.tracking_id) == (owner.owner_id, upload.id)
    assert notice.message == (
        "Support asks you to upload the video of “Bread” again. Mux has received no complete file."
        f" Open the {owner.kind} and choose the file once more."
    )
    assert upload_again.ask(owner, again=False, actor=support()) is None, "a second press changes nothing"
    assert [one.id for one in notices()] == [notice.id]
    db.session.execute(update(Notification).values(read_at=notice.created_at, mailed_at=notice.created_at))
    db.session.commit()
    second = upload_again.ask(owner, again=True, actor=support())
    assert second is not None
    assert second.at > first.at
    (repeated,) = notices()
    assert (repeated.read_at, repeated.mailed_at) == (None, None), "it is new, and its mail is sent again"
    assert [one.get("repeated") for one in audited()] == [None, True]
    db.session.execute(
        update(Tracking).where(Tracking.id == upload.id).values(superseded_at=notice.created_at)
    )
    db.session.commit()
    make_tracking(owner)
    video = locking.read_video(owner)
    assert upload_again.asked(owner, video.in_question) is None, "a later upload was not asked about"


@pytest.mark.parametrize(
    ("status", "error_type", "why"),
    [
        ("error", "upload_timed_out", "The upload was not finished in time."),
        ("error", "upload_errored", "Mux could not use the file that arrived; please check that it plays."),
        ("error", "asset_errored", "Mux could not process the file; please check that it plays."),
        ("deleted", "deleted_at_mux", "The video was deleted at Mux."),
        ("error", "upload_not_created", "The last upload could not begin; the file was not the cause."),
        ("cancelled", None, ""),
    ],
)
def test_the_notice_says_why(status: str, error_type: str | None, why: str) -> None:
    lesson = make_lesson(title="Bread")
    make_tracking(lesson, status=status, error_type=error_type)
    upload_again.ask(lesson, again=False, actor=support())
    (notice,) = notices()
    start, _, end = notice.message.partition("again.")
    assert start == "Support asks you to upload the video of “Bread” "
    assert end.strip() == f"{why} Open the lesson and choose the file once more.".strip()


def test_a_lesson_without_any_upload_is_asked_about_itself() -> None:
    lesson = make_lesson(video_processing_status="processing", mux_asset_id="temp_1")
    assert upload_again.ask(lesson, again=False, actor=support()) is not None
    assert upload_again.asked(lesson, None) is not None
    assert upload_again.ask(lesson, again=False, actor=support()) is None
    assert upload_again.ask(lesson, again=True, actor=support()) is not None
    assert len(notices()) == 1


def test_what_plays_or_is_prepared_needs_no_other_upload(mux_sim: MuxSim) -> None:
    processing = make_lesson()
    mux_sim.control.hold_processing()
    mux_sim.uploaded(processing)
    mux_sim.deliver()
    for lesson in (make_playing_lesson(), processing):
        with pytest.raises(Conflict):
            upload_again.ask(lesson, again=False, actor=support())
    assert notices() == []


def test_a_new_video_that_could_not_begin_is_asked_for_beside_one_that_plays() -> None:
    lesson = make_playing_lesson()
    make_tracking(lesson, status="error", error_type="upload_not_created", superseded_at=lesson.created_at)
    assert upload_again.ask(lesson, again=False, actor=support()) is not None


def test_only_staff_ask() -> None:
    lesson = make_lesson()
    make_tracking(lesson)
    with pytest.raises(Forbidden):
        upload_again.ask(lesson, again=False, actor=Actor.user(lesson.creator_id))
    assert db.session.get_one(Lesson, lesson.id).title
    assert notices() == []
