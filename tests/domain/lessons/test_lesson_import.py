"""Each line of an import becomes its lesson, or says why not; only what Mux confirms is taken in, and nothing twice."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from lessonadmin import config, mux
from lessonadmin.db import CLI, db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.lessons import lesson_import
from lessonadmin.domain.lessons.import_file import Row
from lessonadmin.domain.lessons.lesson_import import Outcome
from lessonadmin.domain.lessons.sections import editing, places
from lessonadmin.domain.models import Course, Lesson, User
from tests.factories import make_course, make_lesson, make_section, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.fixture(autouse=True)
def plenty(enough_calls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_import, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def teacher(session: object) -> User:
    return make_user(email="tina@school.example")


def row(**columns: Any) -> Row:
    given: dict[str, Any] = {
        "line": 2, "title": "Fugue", "description": "", "price_cents": 0, "instructor": "tina@school.example",
        "course": "", "section": "", "language": "", "asset_id": "", "status": "draft", **columns,
    }  # fmt: skip
    return Row(**given)


def take_in(*, dry_run: bool = False, **columns: Any) -> Outcome:
    return lesson_import.take_in(row(**columns), actor=CLI, dry_run=dry_run)


def ready(mux_sim: MuxSim, **asked: Any) -> tuple[str, str]:
    """An asset that plays, and its playback id."""
    asset_id = mux_sim.control.seed_assets(1, **asked)[0]
    return asset_id, mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]


def made(outcome: Outcome) -> Lesson:
    assert outcome.result == "updated", outcome.reason
    return db.session.get_one(Lesson, outcome.lesson_id, populate_existing=True)


def made_again(outcome: Outcome) -> Lesson:
    return db.session.get_one(Lesson, outcome.lesson_id, populate_existing=True)


def lessons() -> list[Lesson]:
    return list(db.session.scalars(select(Lesson)))


# the teacher


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (None, "no account has this e-mail address"),
        ({"role": "student"}, "this is a student, who has no lessons"),
        ({"active": False}, "the account of this instructor is disabled"),
    ],
    ids=["unknown", "student", "disabled"],
)
def test_whose_it_is_must_teach_here(session: object, account: Any, reason: str) -> None:
    if account is not None:
        make_user(email="tina@school.example", **account)
    outcome = take_in()
    assert (outcome.result, outcome.reason, outcome.lesson_id) == ("failed", reason, None)
    assert lessons() == []


def test_the_address_of_the_teacher_is_read_whatever_its_case(teacher: User) -> None:
    assert made(take_in(instructor="TINA@School.example")).creator_id == teacher.id


# the lesson


@pytest.mark.parametrize(("status", "intent"), [("draft", False), ("published", True)])
def test_without_a_video_it_is_a_draft_that_may_wait_for_one(
    teacher: User, status: str, intent: bool
) -> None:
    outcome = take_in(description="In C", price_cents=999, status=status)
    lesson = made(outcome)
    assert outcome.reason == "made, without a video"
    assert (lesson.title, lesson.description, lesson.price_cents) == ("Fugue", "In C", 999)
    assert (lesson.status, lesson.publish_on_ready) == ("draft", intent)


def test_a_draft_unless_it_says_published(mux_sim: MuxSim, teacher: User) -> None:
    outcome = take_in(asset_id=ready(mux_sim)[0])
    lesson = made(outcome)
    assert outcome.reason == "made, a draft"
    assert (lesson.status, lesson.publish_on_ready) == ("draft", False)
    assert lesson.video_processing_status == "ready"


def test_a_lesson_that_waited_gets_its_video(mux_sim: MuxSim, teacher: User) -> None:
    asset_id, playback_id = ready(mux_sim)
    waiting = made(take_in())
    outcome = take_in(asset_id=asset_id, status="published", price_cents=500)
    lesson = made(outcome)
    assert (lesson.id, outcome.reason) == (waiting.id, "its video was taken in and published")
    assert (lesson.status, lesson.mux_playback_id) == ("published", playback_id)
    assert lesson.price_cents == 0, "what is there is not overwritten"


@pytest.mark.parametrize(
    "video", [{"mux_asset_id": "a"}, {"mux_playback_id": "p"}, {}], ids=["asset", "playback id", "upload"]
)
def test_one_of_this_title_that_has_a_video_is_another_lesson(
    mux_sim: MuxSim, teacher: User, video: dict[str, str]
) -> None:
    other = make_lesson(creator=teacher, title="Fugue", **video)
    if not video:
        make_tracking(other)
    assert made(take_in(asset_id=ready(mux_sim)[0])).id != other.id


def test_without_an_asset_one_of_this_title_is_there_already(teacher: User) -> None:
    there = make_lesson(creator=teacher, title="Fugue")
    outcome = take_in(price_cents=500)
    assert (outcome.result, outcome.reason, outcome.lesson_id) == (
        "skipped",
        lesson_import.THERE,
        there.id,
    )
    assert made(take_in(course="Bach")).id != there.id, "in a course it is another one"
    make_lesson(title="Prelude")
    assert made(take_in(title="Prelude")).creator_id == teacher.id, "and so is that of another teacher"


# the course


def test_a_course_is_the_instructors_own(teacher: User) -> None:
    foreign = make_course(title="Bach")
    own = make_course(title="Bach", instructor=teacher)
    for title in ("One", "Two"):
        assert made(take_in(title=title, course="Bach")).course_id == own.id
    assert {one.id for one in db.session.scalars(select(Course))} == {foreign.id, own.id}


def test_a_course_is_made_once_if_there_is_none(teacher: User) -> None:
    for title in ("One", "Two"):
        made(take_in(title=title, course="Bach"))
    course = db.session.scalars(select(Course)).one()
    assert (course.title, course.instructor_id, course.language) == ("Bach", teacher.id, None)


def test_a_course_gets_its_language_once_and_keeps_it(teacher: User) -> None:
    make_course(title="Bach", instructor=teacher)
    for number, (title, language, kept) in enumerate(
        [
            ("Bach", "", None),
            ("Bach", "de", "de"),
            ("Bach", "fr", "de"),
            ("Bach", "", "de"),
            ("Liszt", "fr", "fr"),
        ]
    ):
        lesson = made(take_in(title=f"Lesson {number}", course=title, language=language))
        assert db.session.get_one(Course, lesson.course_id, populate_existing=True).language == kept


def test_a_lesson_stands_at_the_end_of_its_section_which_is_made_once(teacher: User) -> None:
    course = make_course(title="Bach", instructor=teacher)
    foreign = make_section(make_course(title="Bach"), title="Organ")
    lessons_made = [
        made(take_in(title=title, course="Bach", section=section))
        for title, section in (("One", "Organ"), ("Two", "Choir"), ("Three", "Organ"), ("Four", ""))
    ]
    sections = places.sections_of([course.id])[course.id]
    assert [one.title for one in sections] == ["Organ", "Choir"]
    assert foreign.id not in {one.id for one in sections}
    parts = places.parts(lessons_made, sections, lambda lesson: lesson)
    found = {part.section.title if part.section else "": [one.title for one in part.items] for part in parts}
    assert found == {"": ["Four"], "Organ": ["One", "Three"], "Choir": ["Two"]}
    assert [one.position for one in lessons_made] == [1, 2, 3, 4]
    again = take_in(title="One", course="Bach", section="Choir")
    assert (again.result, made_again(again).section_id) == ("skipped", sections[0].id), "what is there stays"


def test_a_course_with_all_the_sections_that_it_may_have_takes_no_line_with_another(
    teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "MAX_SECTIONS", 1)
    made(take_in(title="One", course="Bach", section="Organ"))
    outcome = take_in(title="Two", course="Bach", section="Choir")
    assert (outcome.result, outcome.reason) == ("failed", "A course has at most 1 sections.")
    assert [one.title for one in lessons()] == ["One"]


# the asset


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"status": "errored"}, "the asset failed at Mux."),
        ({"policy": None}, "the asset has no playback id that can be used here"),
        ({"policy": "signed"}, "the asset plays by signed ids only, and no signing key is set"),
    ],
    ids=["errored", "no playback id", "signed only"],
)
def test_an_asset_that_cannot_play_here_makes_no_lesson(
    mux_sim: MuxSim, teacher: User, asked: dict[str, Any], reason: str
) -> None:
    outcome = take_in(asset_id=mux_sim.control.seed_assets(1, **asked)[0])
    assert outcome.result == "failed"
    assert outcome.reason.startswith(reason)
    assert lessons() == []


@pytest.mark.parametrize("deleted", [True, False], ids=["deleted", "no id of Mux's"])
def test_an_asset_that_mux_does_not_have(mux_sim: MuxSim, teacher: User, deleted: bool) -> None:
    asset_id = ready(mux_sim)[0] if deleted else "A" * 30
    if deleted:
        mux_sim.control.delete_asset_in_dashboard(asset_id)
    outcome = take_in(asset_id=asset_id)
    assert (outcome.result, outcome.reason) == ("failed", "Mux has no such asset")
    assert lessons() == []


@pytest.mark.parametrize("make", [make_lesson, make_course], ids=["lesson", "course"])
def test_an_asset_of_another_is_not_taken(mux_sim: MuxSim, teacher: User, make: Any) -> None:
    asset_id = ready(mux_sim)[0]
    other = make(mux_asset_id=asset_id)
    before = len(lessons())
    outcome = take_in(asset_id=asset_id)
    assert (outcome.result, outcome.reason) == (
        "failed",
        f"the asset is used by the {other.kind} {other.id}",
    )
    assert len(lessons()) == before
    assert mux_sim.calls() == [], "nothing has to be asked"


def test_the_lesson_that_has_the_asset_already_is_left_as_it_is(mux_sim: MuxSim, teacher: User) -> None:
    asset_id, _ = ready(mux_sim)
    there = made(take_in(asset_id=asset_id, status="published"))
    outcome = take_in(asset_id=asset_id, title="Renamed", price_cents=500)
    assert (outcome.result, outcome.lesson_id) == ("skipped", there.id)
    (lesson,) = lessons()
    assert (lesson.title, lesson.price_cents) == ("Fugue", 0)


def test_the_playback_id_is_chosen_by_policy(mux_sim: MuxSim, teacher: User) -> None:
    asset_id, public_id = ready(mux_sim)
    signed_id = mux.create_playback_id(asset_id, policy="signed", priority="high").id
    lesson = made(take_in(asset_id=asset_id))
    assert (lesson.mux_playback_id, lesson.playback_policy) == (public_id, "public")
    db.session.delete(lesson)
    db.session.commit()
    with overridden(mux_signing_key_id="k", mux_signing_private_key="k"):
        assert config.current().playback_policy == "signed"
        lesson = made(take_in(asset_id=asset_id))
        assert (lesson.mux_playback_id, lesson.playback_policy) == (signed_id, "signed")
        public_only, only_id = ready(mux_sim)
        assert made(take_in(asset_id=public_only)).mux_playback_id == only_id


def test_a_video_that_mux_still_prepares_publishes_its_lesson_later(mux_sim: MuxSim, teacher: User) -> None:
    asset_id = mux_sim.control.seed_assets(1, status="preparing")[0]
    outcome = take_in(asset_id=asset_id, status="published")
    lesson = made(outcome)
    assert "still prepares" in outcome.reason
    assert (lesson.status, lesson.publish_on_ready) == ("draft", True)
    assert lesson.video_processing_status == "processing"
    mux_sim.control.set_asset_ready(asset_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).status == "published"


# Mux


def test_a_mux_that_fails_once_is_asked_again(mux_sim: MuxSim, teacher: User) -> None:
    asset_id, _ = ready(mux_sim)
    mux_sim.control.fault("api", "status", status=503, times=lesson_import.MAX_ATTEMPTS - 1)
    assert made(take_in(asset_id=asset_id)).mux_asset_id == asset_id
    assert len(mux_sim.calls("get_asset")) == lesson_import.MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("status", "asked"), [(500, lesson_import.MAX_ATTEMPTS), (401, 1)], ids=["away", "token refused"]
)
def test_a_mux_that_cannot_be_asked_stops_the_run_and_makes_nothing(
    mux_sim: MuxSim, teacher: User, status: int, asked: int
) -> None:
    asset_id, _ = ready(mux_sim)
    mux_sim.control.fault("api", "status", status=status)
    with pytest.raises(lesson_import.Stopped):
        take_in(asset_id=asset_id, course="Bach")
    assert (lessons(), db.session.scalars(select(Course)).all()) == ([], [])
    assert len(mux_sim.calls("get_asset")) == asked


def test_no_call_while_the_budget_is_closed(
    mux_sim: MuxSim, teacher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset_id, _ = ready(mux_sim)
    monkeypatch.setattr(mux_budget, "wait", partial(mux_budget.wait, max_seconds=0.0))
    mux_budget.take()
    mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429, retry_after=900))
    with pytest.raises(lesson_import.Stopped, match=mux_budget.CLOSED):
        take_in(asset_id=asset_id)
    assert mux_sim.calls("get_asset") == []


def test_a_dry_run_asks_mux_and_makes_nothing(mux_sim: MuxSim, teacher: User) -> None:
    outcome = take_in(asset_id=ready(mux_sim)[0], course="Bach", status="published", dry_run=True)
    assert (outcome.result, outcome.reason, outcome.lesson_id) == ("updated", "made and published", None)
    assert (lessons(), db.session.scalars(select(Course)).all()) == ([], [])
    assert len(mux_sim.calls("get_asset")) == 1
