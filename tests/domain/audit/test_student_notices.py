"""Students are told of what happens to their lessons and courses, in which words, and once of each new lesson."""

import itertools

import pytest
from sqlalchemy import update

from lessonadmin.db import CLI, JOB, Actor, db, transaction
from lessonadmin.domain.accounts import users
from lessonadmin.domain.audit import student_notices
from lessonadmin.domain.lessons import lessons
from lessonadmin.domain.models import LessonProgress, Notification, User
from lessonadmin.domain.models.notifications import MAY_BE_MUTED
from lessonadmin.domain.videos import locking, publication
from tests.domain.notifications.students import (
    HOSTILE,
    began,
    buyer_of,
    draft_that_plays,
    kinds,
    publish,
    student,
    told,
    withdraw,
)
from tests.factories import keep, make_course, make_lesson, make_playing_lesson, make_purchase, make_user
from tests.mux_sim import MuxSim

pytestmark = pytest.mark.usefixtures("session")


def test_a_first_publication_is_told_to_those_who_have_something_of_the_course() -> None:
    course, other = make_course(title=HOSTILE), make_course()
    paid = make_playing_lesson(course=course, price_cents=900)
    free = make_playing_lesson(course=course)
    bought, watches = buyer_of(paid), began(free)
    both = buyer_of(paid)
    keep(LessonProgress(user_id=both.id, lesson_id=free.id, seconds=1, duration=60, updated_at="now"))
    # watched what was paid for, which a revoked purchase no longer opens; has a lesson elsewhere; has none
    lost, elsewhere, none = began(paid), buyer_of(make_playing_lesson(course=other)), student()
    lesson = draft_that_plays(course=course, title="Wet {} in %s wet")
    publish(lesson)
    for user in (bought, watches, both):
        assert told(user) == [("course_new_lesson", f"“{HOSTILE}” has a new lesson: “Wet {{}} in %s wet”.")]
    for user in (lost, elsewhere, none):
        assert told(user) == []


def test_a_republication_is_not_told_and_a_lesson_without_a_course_neither() -> None:
    course = make_course()
    user = buyer_of(make_playing_lesson(course=course))
    lesson = draft_that_plays(course=course)
    for _ in range(3):
        publish(lesson)
        assert kinds(user) == ["course_new_lesson"]
        with transaction(CLI):  # so that one that came later would be seen
            db.session.execute(update(Notification).values(gathered_as=None))
        withdraw(lesson)
    alone = draft_that_plays()
    make_purchase(alone, user)
    publish(alone)
    with transaction(CLI):
        db.session.merge(alone).course_id = course.id
    withdraw(alone)
    assert kinds(user) == ["course_new_lesson", "lesson_withdrawn"]
    publish(alone)
    assert kinds(user) == ["course_new_lesson", "lesson_withdrawn"]


def test_what_another_program_published_is_no_new_lesson_later() -> None:
    course = make_course()
    lesson = make_playing_lesson(course=course)  # its row names no first publication
    user = buyer_of(make_playing_lesson(course=course))
    withdraw(lesson)
    publish(lesson)
    assert told(user) == []


def test_a_lesson_that_leaves_the_catalogue_is_told_to_its_buyers_who_keep_it() -> None:
    lesson = make_playing_lesson(title=HOSTILE, price_cents=900)
    user, others = (
        buyer_of(lesson),
        [began(lesson), student(), buyer_of(lesson, muted_notices=["lesson_withdrawn"])],
    )
    withdraw(lesson)
    said = f"“{HOSTILE}” is no longer in the catalogue. It stays yours: you can watch it as before."
    assert told(user) == [("lesson_withdrawn", said)]
    assert [told(other) for other in others] == [[], [], []]
    publish(lesson)
    withdraw(lesson)
    assert len(told(user)) == 1, "once a day"


def test_a_draft_that_is_taken_back_was_in_no_catalogue() -> None:
    lesson = draft_that_plays(publish_on_ready=True)
    user = buyer_of(lesson)
    withdraw(lesson)
    assert told(user) == []


def test_of_one_whose_video_is_lost_it_is_not_said_that_it_plays() -> None:
    lesson = make_playing_lesson(price_cents=900)
    user = buyer_of(lesson)
    with transaction(CLI):
        video = locking.lock_video("lesson", lesson.id)
        assert video is not None
        video.owner.mux_playback_id = None
        publication.withdraw(video.owner)
    ((kind, said),) = told(user)
    assert kind == "lesson_withdrawn"
    assert "It stays yours: it has no video that plays now" in said


def test_a_replacement_that_is_ready_is_told_to_buyers_and_a_first_video_is_not(mux_sim: MuxSim) -> None:
    lesson = make_lesson(price_cents=900, title="Edges")
    mux_sim.uploaded(lesson)
    early = buyer_of(lesson)  # as if it had been given before
    mux_sim.deliver()
    assert told(early) == []
    bought = buyer_of(lesson)
    others = [began(lesson), buyer_of(lesson, muted_notices=["lesson_new_video"])]
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert told(bought) == [("lesson_new_video", "“Edges” has a new video.")]
    assert [told(other) for other in others] == [[], []]


def test_the_first_video_after_a_lost_one_is_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson(price_cents=900, title="Edges")
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    bought, other = buyer_of(lesson), student()
    mux_sim.control.delete_asset_in_dashboard(mux_sim.control.assets()[0]["id"])
    mux_sim.deliver()
    ((kind, said),) = told(bought)
    assert kind == "lesson_withdrawn"
    assert "plays again once it has one" in said
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert told(bought)[1:] == [("lesson_new_video", "“Edges” has a new video.")]
    assert told(other) == []


def test_without_other_notices_and_audit_rows_it_is_written_as_well() -> None:
    lesson = make_playing_lesson()
    user = buyer_of(lesson)
    with transaction(JOB):
        student_notices.new_video(lesson)
    assert kinds(user) == ["lesson_new_video"]


def test_each_kind_is_turned_off_alone_and_no_other_can_be() -> None:
    user = student()
    for muted in itertools.chain.from_iterable(itertools.combinations(MAY_BE_MUTED, n) for n in range(4)):
        with transaction(Actor.user(user.id)):
            users.mute_notices(db.session.merge(user), [*muted, "lesson_revoked", "account"])
        db.session.rollback()
        assert db.session.get_one(User, user.id, populate_existing=True).muted_notices == list(muted)
        db.session.rollback()
    teacher = make_user()
    with transaction(Actor.user(teacher.id)):
        users.mute_notices(db.session.merge(teacher), MAY_BE_MUTED)
    assert db.session.get_one(User, teacher.id, populate_existing=True).muted_notices == []


def test_what_instructors_do_by_their_page_tells_it() -> None:
    lesson = make_playing_lesson(price_cents=900)
    user = buyer_of(lesson)
    with transaction(Actor.user(lesson.creator_id)):
        lessons.unpublish(db.session.merge(lesson))
    assert kinds(user) == ["lesson_withdrawn"]
