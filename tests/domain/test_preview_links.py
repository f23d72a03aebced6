"""A preview link shows one lesson for a day, to the person who has its address; it ends in many ways, and all look the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import permissions, preview_links
from lessonadmin.domain.errors import Conflict, Missing, TooMany
from lessonadmin.domain.lessons import lessons, trash
from lessonadmin.domain.models import AuditLog, Lesson, PreviewLink, User
from lessonadmin.domain.preview_links import PreviewEnded
from tests.factories import make_lesson, make_user

pytestmark = pytest.mark.usefixtures("session")


def made_by(user: User, lesson: Lesson) -> str:
    with transaction(Actor.user(user.id)):
        return preview_links.make(user, lesson.id)


def ended_by(user: User, lesson: Lesson, link: PreviewLink) -> bool:
    with transaction(Actor.user(user.id)):
        return preview_links.end(user, lesson.id, link.id)


def actions_on(lesson: Lesson) -> list[str]:
    return list(db.session.scalars(select(AuditLog.action).where(AuditLog.target_id == lesson.id)))


def only_link() -> PreviewLink:
    return db.session.scalars(select(PreviewLink)).one()


def test_it_shows_a_draft_for_a_day_and_only_its_hash_is_stored() -> None:
    teacher = make_user()
    lesson = make_lesson(creator=teacher, status="draft")
    secret = made_by(teacher, lesson)
    shown = preview_links.look(secret)
    assert (shown.lesson.id, shown.lesson.creator.id) == (lesson.id, teacher.id)
    assert 24 * 3600 - 60 < shown.seconds_left <= 24 * 3600
    assert secret not in str(vars(only_link()))
    assert actions_on(lesson) == ["lesson.preview_link_created"]


def test_it_ends_when_its_instructor_says_so_and_only_once() -> None:
    teacher = make_user()
    lesson = make_lesson(creator=teacher)
    first, second = made_by(teacher, lesson), made_by(teacher, lesson)
    newest, oldest = preview_links.open_of(lesson)
    assert (ended_by(teacher, lesson, oldest), ended_by(teacher, lesson, oldest)) == (True, False)
    with pytest.raises(PreviewEnded):
        preview_links.look(first)
    assert preview_links.look(second).link.id == newest.id
    assert [link.id for link in preview_links.open_of(lesson)] == [newest.id]
    assert actions_on(lesson).count("lesson.preview_link_ended") == 1


def after_a_day(lesson: Lesson, teacher: User) -> None:
    db.session.execute(update(PreviewLink).values(expires_at=func.clock_timestamp() - timedelta(seconds=1)))
    db.session.commit()


def in_the_trash(lesson: Lesson, teacher: User) -> None:
    with transaction(Actor.user(teacher.id)):
        lessons.delete(teacher, lesson.id)


def account_disabled(lesson: Lesson, teacher: User) -> None:
    change(teacher, active=False)


def no_instructor_any_more(lesson: Lesson, teacher: User) -> None:
    change(teacher, role="student")


def handed_over(lesson: Lesson, teacher: User) -> None:
    db.session.execute(update(Lesson).values(creator_id=make_user().id))
    db.session.commit()


def change(user: User, **columns: object) -> None:
    db.session.execute(update(User).where(User.id == user.id).values(**columns))
    db.session.commit()


@pytest.mark.parametrize(
    "happens", [after_a_day, in_the_trash, account_disabled, no_instructor_any_more, handed_over]
)
def test_it_shows_nothing_any_more(happens: Callable[[Lesson, User], None]) -> None:
    teacher = make_user()
    lesson = make_lesson(creator=teacher)
    secret = made_by(teacher, lesson)
    assert preview_links.look(secret)
    happens(lesson, teacher)
    db.session.expire_all()
    with pytest.raises(PreviewEnded):
        preview_links.look(secret)


def test_a_lesson_that_comes_out_of_the_trash_is_shown_again_by_a_link_that_has_not_ended() -> None:
    teacher = make_user()
    lesson = make_lesson(creator=teacher)
    secret = made_by(teacher, lesson)
    in_the_trash(lesson, teacher)
    with transaction(Actor.user(teacher.id)):
        trash.restore(teacher, "lesson", lesson.id)
    assert preview_links.look(secret).lesson.id == lesson.id


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "\ud800", "../../etc"])
def test_what_was_never_made_looks_like_what_has_ended(secret: str) -> None:
    with pytest.raises(PreviewEnded):
        preview_links.look(secret)


@pytest.mark.parametrize("role", ["instructor", "student"])
def test_others_make_and_end_none(role: str) -> None:
    lesson = make_lesson()
    creator = db.session.get_one(User, lesson.creator_id)
    made_by(creator, lesson)
    other = make_user(role=role)
    for act in (lambda: made_by(other, lesson), lambda: ended_by(other, lesson, only_link())):
        with pytest.raises((Missing, permissions.Forbidden)):
            act()
    assert preview_links.open_of(lesson)


def test_staff_may_and_a_link_of_another_lesson_is_not_there() -> None:
    support = make_user(role="support")
    first, second = make_lesson(), make_lesson()
    made_by(support, first)
    assert not ended_by(support, second, only_link())
    assert ended_by(support, first, only_link())


def test_ten_are_open_at_once_and_sixty_an_hour() -> None:
    teacher = make_user()
    lesson = make_lesson(creator=teacher)
    for _ in range(preview_links.MAX_OPEN):
        made_by(teacher, lesson)
    with pytest.raises(Conflict, match="10 preview links"):
        made_by(teacher, lesson)
    for link in preview_links.open_of(lesson):
        ended_by(teacher, lesson, link)
    for _ in range(60 - preview_links.MAX_OPEN):
        made_by(teacher, lesson)
        db.session.execute(update(PreviewLink).values(ended_at=func.clock_timestamp()))
        db.session.commit()
    with pytest.raises(TooMany, match="too many preview links"):
        made_by(teacher, lesson)
