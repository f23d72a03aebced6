"""Which lessons of a page still miss their file, and which ones an open page follows."""

import uuid
from datetime import UTC, datetime, timedelta

from lessonadmin.db import Actor
from lessonadmin.domain.models import Lesson, User
from lessonadmin.domain.uploads import direct_upload, tray
from tests.factories import make_course, make_lesson, make_playing_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.queries import counted


def titles(user: User, course_id: uuid.UUID | None = None) -> list[str]:
    return [lesson.title for lesson in tray.without_file(user, course_id).lessons]


def test_what_waits_for_its_file_is_listed_in_the_order_of_the_course(mux_sim: MuxSim) -> None:
    user = make_user()
    course = make_course(instructor=user)
    both = {"creator": user, "course": course}
    second = make_lesson(**both, title="second", position=2)  # type: ignore[arg-type]
    make_lesson(**both, title="first, not begun", position=1, client_key=uuid.uuid4())  # type: ignore[arg-type]
    mux_sim.upload(second)
    sent = make_lesson(**both, title="sent")  # type: ignore[arg-type]
    ticket = mux_sim.upload(sent)
    direct_upload.bytes_are_in(sent, ticket.upload_id, temp_asset_id=None, actor=Actor.user(user.id))
    make_lesson(**both, title="of the form, without a video")  # type: ignore[arg-type]
    old = datetime.now(UTC) - timedelta(days=30)
    make_lesson(**both, title="old", client_key=uuid.uuid4(), created_at=old)  # type: ignore[arg-type]
    make_lesson(creator=user, title="without a course", client_key=uuid.uuid4())
    make_lesson(course=course, title="of another", client_key=uuid.uuid4())
    make_playing_lesson(creator=user)
    assert titles(user, course.id) == ["first, not begun", "second"]
    assert titles(user) == ["without a course"]


def test_of_the_lessons_that_are_followed_foreign_ones_are_left_out(session: object) -> None:
    user, staff = make_user(), make_user(role="support")
    mine, foreign = make_lesson(creator=user), make_lesson()
    ids = [foreign.id, mine.id, uuid.uuid4()]
    assert [one.id for one in tray.followed(user, ids).lessons] == [mine.id]
    assert {one.id for one in tray.followed(staff, ids).lessons} == {mine.id, foreign.id}
    assert tray.followed(user, []).lessons == []


def test_however_many_there_are_it_costs_the_same(session: object) -> None:
    user = make_user()

    def made() -> Lesson:
        lesson = make_lesson(creator=user, video_processing_status="uploading")
        make_tracking(lesson, status="uploading", upload_id=f"upload-{lesson.id}")
        return lesson

    def cost() -> tuple[int, int]:
        with counted() as listed:
            tray.without_file(user, None)
        with counted() as followed:
            tray.followed(user, [lesson.id for lesson in lessons])
        return len(listed), len(followed)

    lessons = [made()]
    first = cost()
    lessons += [made() for _ in range(6)]
    assert cost() == first
    assert max(first) <= 2


def test_the_price_that_was_decided_last_in_a_course_else_anywhere_is_the_usual_one(session: object) -> None:
    user = make_user()
    course, other = make_course(instructor=user), make_course(instructor=user)
    assert tray.usual_price(user, course.id) is None
    make_lesson(creator=user, course=course, price_cents=500, publish_on_ready=True)
    make_lesson(creator=user, course=other, price_cents=700, status="published")
    make_lesson(creator=user, course=course, price_cents=0, publish_on_ready=False)  # nothing was decided
    make_lesson(course=course, price_cents=900, status="published")  # by another instructor
    assert tray.usual_price(user, course.id) == 500
    assert tray.usual_price(user, make_course(instructor=user).id) == 700
    assert tray.usual_price(user, None) == 700
    make_lesson(creator=user, price_cents=0, status="published")
    assert tray.usual_price(user, None) == 0
