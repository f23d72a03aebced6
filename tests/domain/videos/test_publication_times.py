"""A lesson's two times: every order in which its video, its page and its times may come, each publishes or takes back once."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lessonadmin.db import JOB, Actor, db, transaction
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AuditLog, Lesson, Notification, User
from lessonadmin.domain.videos import publication
from lessonadmin.text.ids import as_id
from tests import owner
from tests.factories import make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim

PAGE = as_id("00000000-0000-7000-8000-000000000001")
HOUR = timedelta(hours=1)


def ahead(hours: float) -> datetime:
    return datetime.now(UTC) + hours * HOUR


def change(lesson: Lesson, **changes: object) -> Lesson:
    creator = db.session.get_one(User, lesson.creator_id)
    with transaction(Actor.user(creator.id)):
        return lessons.edit(creator, lesson.id, Changes(**changes))  # type: ignore[arg-type]


def time_comes(lesson: Lesson, column: str) -> None:
    """That time of the lesson is over; no process has noticed it yet."""
    owner.execute(
        f"UPDATE lessons SET {column} = clock_timestamp() - interval '1 second' WHERE id = '{lesson.id}'"  # noqa: S608 - a column of this file
    )
    db.session.expire_all()


def sweeps() -> None:
    for _ in range(2):  # the second must find nothing to do
        assert sweep.sweep().failed == {}


def notices(lesson: Lesson) -> list[str | None]:
    query = select(Notification).where(Notification.lesson_id == lesson.id).order_by(Notification.id)
    return [one.cause or one.kind for one in db.session.scalars(query)]


def actions(lesson: Lesson) -> list[str]:
    query = select(AuditLog.action).where(AuditLog.target_id == lesson.id).order_by(AuditLog.at, AuditLog.id)
    return [one for one in db.session.scalars(query) if one.startswith("lesson.")]


def now(lesson: Lesson) -> Lesson:
    db.session.rollback()
    return db.session.get_one(Lesson, lesson.id, populate_existing=True)


@pytest.mark.parametrize("order", list(itertools.permutations(["video", "time", "page"])), ids="-".join)
def test_whichever_comes_last_publishes_once(mux_sim: MuxSim, order: tuple[str, ...]) -> None:
    lesson = make_lesson()
    change(lesson, publish_not_before=ahead(2))
    with transaction(Actor.user(lesson.creator_id)):
        lessons.note_unsaved_changes(lesson, PAGE, dirty=True)  # type: ignore[arg-type]

    def video() -> None:
        mux_sim.uploaded(lesson)
        mux_sim.deliver()

    def page() -> None:
        with transaction(JOB):  # as the page does: what follows was decided before
            lessons.note_unsaved_changes(lesson, PAGE, dirty=False)  # type: ignore[arg-type]

    steps: dict[str, Callable[[], object]] = {
        "video": video,
        "page": page,
        "time": lambda: time_comes(lesson, "publish_not_before"),
    }
    for name in order:
        assert now(lesson).status == "draft"
        steps[name]()
        sweeps()
    found = now(lesson)
    assert (found.status, found.publish_not_before, found.publish_on_ready) == ("published", None, False)
    assert actions(lesson).count("lesson.published") == 1
    late = ["publication_late"] if order[-1] != "time" else []
    assert notices(lesson) == [*late, "lesson_published"]


def test_a_webhook_after_the_time_publishes_before_any_sweep(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    change(lesson, publish_not_before=ahead(2))
    time_comes(lesson, "publish_not_before")
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert now(lesson).status == "published"
    sweeps()
    assert notices(lesson) == ["lesson_published"]


def test_it_is_taken_back_at_its_time_once_and_its_instructor_is_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    change(lesson, unpublish_at=ahead(2))
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    sweeps()
    assert now(lesson).status == "published"
    time_comes(lesson, "unpublish_at")
    sweeps()
    found = now(lesson)
    assert (found.status, found.unpublish_at, found.publish_on_ready) == ("draft", None, False)
    assert actions(lesson)[-1] == "lesson.unpublished"
    assert notices(lesson) == ["lesson_published", "unpublished_in_time"]


def test_a_clock_that_was_down_over_both_times_publishes_nothing_and_says_so(session: object) -> None:
    lesson = make_playing_lesson(status="draft", published_at=None, publish_on_ready=True)
    change(lesson, publish_not_before=ahead(1), unpublish_at=ahead(2))
    time_comes(lesson, "publish_not_before")
    time_comes(lesson, "unpublish_at")
    sweeps()
    found = now(lesson)
    assert (found.status, found.publish_on_ready, found.publish_not_before) == ("draft", False, None)
    assert notices(lesson) == ["publication_missed"]
    assert "did not run" in db.session.scalars(select(Notification.message)).one()


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({}, "it has no video yet"),
        ({"video_processing_status": "uploading"}, "its video is not uploaded completely"),
        ({"video_processing_status": "processing"}, "its video is still being processed"),
        ({"video_processing_status": "error", "video_error_type": "asset_errored"}, "its video failed"),
    ],
)
def test_a_missed_time_is_a_notice_with_its_reason(
    session: object, columns: dict[str, object], why: str
) -> None:
    lesson = make_lesson(**columns)
    change(lesson, publish_not_before=ahead(1))
    time_comes(lesson, "publish_not_before")
    sweeps()
    found = now(lesson)
    assert (found.status, found.publish_on_ready, found.publish_not_before) == ("draft", True, None)
    (said,) = db.session.scalars(select(Notification.message).where(Notification.kind == "publication_time"))
    assert why in said
    assert "will be published as soon as" in said


def test_a_draft_that_was_kept_has_no_times_left(session: object) -> None:
    lesson = make_playing_lesson(status="draft", published_at=None, publish_on_ready=True)
    change(lesson, publish_not_before=ahead(1), unpublish_at=ahead(2))
    change(lesson, status="draft")
    found = now(lesson)
    assert (found.publish_not_before, found.unpublish_at, found.publish_on_ready) == (None, None, False)
    sweeps()
    assert notices(lesson) == []


def test_publishing_by_hand_waits_for_no_time(session: object) -> None:
    lesson = make_playing_lesson(status="draft", published_at=None, publish_on_ready=True)
    change(lesson, publish_not_before=ahead(24), unpublish_at=ahead(48))
    assert lessons.publish(lesson, actor=Actor.user(lesson.creator_id)) is True
    found = now(lesson)
    assert (found.status, found.publish_not_before) == ("published", None)
    assert found.unpublish_at is not None, "its end is planned as before"


def test_a_time_that_is_taken_away_publishes_what_waited_for_nothing_else(session: object) -> None:
    lesson = make_playing_lesson(status="draft", published_at=None, publish_on_ready=True)
    change(lesson, publish_not_before=ahead(24))
    assert now(lesson).status == "draft"
    change(lesson, publish_not_before=None)
    assert now(lesson).status == "published"


def test_asking_for_it_with_a_time_waits_for_the_time(session: object) -> None:
    lesson = make_playing_lesson(status="draft", published_at=None, publish_on_ready=False)
    change(lesson, status="published", publish_not_before=ahead(24))
    found = now(lesson)
    assert (found.status, found.publish_on_ready) == ("draft", True)


@pytest.mark.parametrize(
    ("columns", "wanted", "field"),
    [
        ({}, {"publish_not_before": -1.0}, "publish_not_before"),
        ({}, {"unpublish_at": -1.0}, "unpublish_at"),
        ({}, {"publish_not_before": 24 * 366 * 5 + 1.0}, "publish_not_before"),
        ({}, {"publish_not_before": 3.0, "unpublish_at": 3.0}, "unpublish_at"),
        ({}, {"publish_not_before": 3.0, "unpublish_at": 2.0}, "unpublish_at"),
        ({"publish_on_ready": False}, {"publish_not_before": 3.0}, "publish_not_before"),
        ({"publish_on_ready": False}, {"unpublish_at": 3.0}, "unpublish_at"),
        ({"status": "published"}, {"publish_not_before": 3.0}, "publish_not_before"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_and_nothing_is_changed(
    session: object, columns: dict[str, object], wanted: dict[str, float], field: str
) -> None:
    lesson = make_playing_lesson(
        **{"status": "draft", "published_at": None, "publish_on_ready": True} | columns
    )
    base = datetime.now(UTC)
    with pytest.raises(Invalid) as caught:
        change(lesson, title="Other", **{name: base + hours * HOUR for name, hours in wanted.items()})
    assert set(caught.value.fields or ()) == {field}
    found = now(lesson)
    assert (found.publish_not_before, found.unpublish_at) == (None, None)
    assert found.title != "Other"


def test_a_stored_time_that_is_over_hinders_no_other_change(session: object) -> None:
    lesson = make_lesson()
    change(lesson, publish_not_before=ahead(1))
    time_comes(lesson, "publish_not_before")
    over = now(lesson).publish_not_before
    assert change(lesson, title="Other", publish_not_before=over, unpublish_at=ahead(3)).title == "Other"


def test_an_undo_brings_the_times_back(session: object) -> None:
    lesson = make_playing_lesson(status="draft", published_at=None, publish_on_ready=True)
    change(lesson, publish_not_before=ahead(2), unpublish_at=ahead(3))
    before = publication.state_of(now(lesson))
    assert publication.Publication.from_json(before.as_json()) == before
    lessons.publish(lesson, actor=Actor.user(lesson.creator_id))
    with transaction(Actor.user(lesson.creator_id)):
        assert publication.restore(now(lesson), before) is True
    assert publication.state_of(now(lesson)) == before


def test_what_was_stored_before_there_were_times_has_none() -> None:
    old = {"status": "draft", "published_at": None, "publish_on_ready": True}
    assert publication.Publication.from_json(old) == publication.Publication("draft", None, True)


def test_a_new_lesson_may_have_times_from_the_start(session: object) -> None:
    user = make_user(role="instructor")
    at = ahead(5)
    with transaction(Actor.user(user.id)):
        lesson = lessons.create(user, Changes(title="Rye", publish_not_before=at))
    assert now(lesson).publish_not_before == at
    with pytest.raises(Invalid), transaction(Actor.user(user.id)):
        lessons.create(user, Changes(title="Oats", status="draft", publish_not_before=at))
