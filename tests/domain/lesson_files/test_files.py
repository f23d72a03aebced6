"""The files of a lesson: what is added, refused, removed and restored, and who downloads."""

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.errors import Conflict, Forbidden, Invalid, Missing, Problem, TooMany
from lessonadmin.domain.lesson_files import files
from lessonadmin.domain.models import AuditLog, Lesson, LessonFile, LessonFilePart, User
from tests.factories import make_lesson, make_playing_lesson, make_purchase, make_user

pytestmark = pytest.mark.usefixtures("session")
PART = files.PART_BYTES
ABOUT_TWO_PARTS = b"a" * PART + b"b" * 10


@pytest.fixture
def teacher() -> User:
    return make_user()


@pytest.fixture
def lesson(teacher: User) -> Lesson:
    return make_playing_lesson(creator=teacher, price_cents=900)


def done(user: User, what: Callable[[], LessonFile]) -> LessonFile:
    with transaction(Actor.user(user.id)):
        return what()


def added(user: User, lesson: Lesson, *, name: str = "recipe.pdf", data: bytes = b"abc") -> LessonFile:
    return done(user, lambda: files.add_whole(user, lesson.id, name=name, data=data))


def begun(user: User, lesson: Lesson, *, name: str = "recipe.pdf", size: int = 3) -> LessonFile:
    return done(user, lambda: files.begin(user, lesson.id, name=name, size=size))


def received(user: User, lesson: Lesson, file: LessonFile, number: int, data: bytes) -> None:
    with transaction(Actor.user(user.id)):
        files.receive(user, lesson.id, file.id, number, data)


def finished(user: User, lesson: Lesson, file: LessonFile) -> LessonFile:
    return done(user, lambda: files.finish(user, lesson.id, file.id))


def bytes_of(file: LessonFile) -> bytes:
    parts = select(LessonFilePart.data).where(LessonFilePart.file_id == file.id)
    return b"".join(db.session.scalars(parts.order_by(LessonFilePart.number)))


def test_a_file_is_there_when_all_its_parts_are_in_any_order_and_twice(teacher: User, lesson: Lesson) -> None:
    file = begun(teacher, lesson, size=len(ABOUT_TWO_PARTS))
    assert files.missing_parts(file) == [0, 1]
    received(teacher, lesson, file, 1, b"x" * 10)
    with pytest.raises(Conflict, match="did not arrive whole"):
        finished(teacher, lesson, file)
    assert begun(teacher, lesson, size=len(ABOUT_TWO_PARTS)).id == file.id, "it goes on"
    assert files.missing_parts(file) == [0]
    received(teacher, lesson, file, 1, ABOUT_TWO_PARTS[PART:])
    received(teacher, lesson, file, 0, ABOUT_TWO_PARTS[:PART])
    assert files.of_lesson(lesson) == []
    for _ in range(2):
        finished(teacher, lesson, file)
    assert [one.id for one in files.of_lesson(lesson)] == [file.id]
    assert bytes_of(file) == ABOUT_TWO_PARTS
    received(teacher, lesson, file, 1, b"y" * 10)
    assert bytes_of(file) == ABOUT_TWO_PARTS, "a part that comes after the end changes nothing"
    actions = db.session.scalars(select(AuditLog.action).where(AuditLog.target_id == lesson.id)).all()
    assert list(actions) == ["lesson.file_added"]


@pytest.mark.parametrize(
    ("number", "data"), [(0, b"ab"), (0, b"abcd"), (0, b""), (1, b"abc"), (1, b""), (9, b"abc")]
)
def test_a_part_of_another_length_is_refused(teacher: User, lesson: Lesson, number: int, data: bytes) -> None:
    file = begun(teacher, lesson)
    with pytest.raises(Invalid, match="did not arrive whole, or the file was changed"):
        received(teacher, lesson, file, number, data)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("recipe.pdf", "recipe.pdf"),
        ("C:\\My files\\a b.pdf", "a b.pdf"),
        ("../../etc/passwd", "passwd"),
        ("line\nbreak.pdf", "line break.pdf"),
        ("Rezept “süß”.pdf", "Rezept “süß”.pdf"),
    ],
)
def test_a_file_keeps_its_own_name_alone(name: str, stored: str) -> None:
    assert files.checked_name(name) == stored


@pytest.mark.parametrize("name", ["", ".", "..", "  ", "/", "x" * 151])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        files.checked_name(name)


def test_too_much_is_refused_in_words_and_what_was_removed_does_not_count(
    teacher: User, lesson: Lesson
) -> None:
    with pytest.raises(Invalid, match="is empty"):
        begun(teacher, lesson, size=0)
    large = begun(teacher, lesson, name="large.zip", size=files.MAX_BYTES - 1)
    with pytest.raises(Invalid, match=r"25 MB together, and 0\.0 MB are left"):
        begun(teacher, lesson, name="more.zip", size=2)
    begun(teacher, lesson, name="more.zip", size=1)
    done(teacher, lambda: files.remove(teacher, lesson.id, large.id))
    begun(teacher, lesson, name="other.zip", size=files.MAX_BYTES - 1)
    with pytest.raises(Invalid, match="too large"):
        done(teacher, lambda: files.restore(teacher, lesson.id, large.id))


def test_twenty_files_and_no_more(teacher: User, lesson: Lesson) -> None:
    for number in range(files.MAX_FILES):
        added(teacher, lesson, name=f"{number}.txt")
    with pytest.raises(Invalid, match="may have 20 files"):
        added(teacher, lesson, name="one more.txt")


def test_two_hundred_an_hour(teacher: User, lesson: Lesson) -> None:
    for number in range(200):
        begun(teacher, lesson, name=f"{number}.txt")
        db.session.execute(update(LessonFile).values(lesson_id=None))
        db.session.commit()
    with pytest.raises(TooMany):
        begun(teacher, lesson, name="one more.txt")


def test_what_is_removed_is_gone_for_students_and_comes_back(teacher: User, lesson: Lesson) -> None:
    file = added(teacher, lesson)
    for _ in range(2):
        done(teacher, lambda: files.remove(teacher, lesson.id, file.id))
    assert (files.of_lesson(lesson), [one.id for one in files.removed_of(lesson)]) == ([], [file.id])
    with pytest.raises(Missing):
        files.to_download(teacher, lesson.id, file.id)
    for _ in range(2):
        done(teacher, lambda: files.restore(teacher, lesson.id, file.id))
    assert [one.id for one in files.of_lesson(lesson)] == [file.id]
    query = select(AuditLog.action).where(AuditLog.target_id == lesson.id).order_by(AuditLog.id)
    assert list(db.session.scalars(query)) == [
        "lesson.file_added", "lesson.file_removed", "lesson.file_restored",
    ]  # fmt: skip


@pytest.mark.parametrize("role", ["instructor", "student"])
def test_others_change_nothing(teacher: User, lesson: Lesson, role: str) -> None:
    file = added(teacher, lesson)
    other = make_user(role=role)
    acts: list[Callable[[], object]] = [
        lambda: begun(other, lesson),
        lambda: received(other, lesson, file, 0, b"abc"),
        lambda: finished(other, lesson, file),
        lambda: done(other, lambda: files.remove(other, lesson.id, file.id)),
        lambda: done(other, lambda: files.restore(other, lesson.id, file.id)),
    ]
    for act in acts:
        with pytest.raises((Missing, Forbidden)):
            act()
    assert [one.id for one in files.of_lesson(lesson)] == [file.id]


def test_a_file_of_another_lesson_is_not_there(teacher: User, lesson: Lesson) -> None:
    file, other = added(teacher, lesson), make_lesson(creator=teacher)
    with pytest.raises(Missing):
        done(teacher, lambda: files.remove(teacher, other.id, file.id))
    with pytest.raises(Missing):
        files.to_download(teacher, other.id, file.id)


def what(user: User, lesson: Lesson, file_id: uuid.UUID) -> str:
    try:
        files.to_download(user, lesson.id, file_id)
    except Problem as problem:
        return problem.type
    return "given"


def test_who_may_play_the_lesson_downloads(teacher: User, lesson: Lesson) -> None:
    file, unfinished = added(teacher, lesson), begun(teacher, lesson, name="half.pdf")
    student, buyer, support = make_user(role="student"), make_user(role="student"), make_user(role="support")
    make_purchase(lesson, buyer)
    assert [what(user, lesson, file.id) for user in (teacher, support, buyer, student, make_user())] == [
        "given", "given", "given", "purchase_required", "purchase_required",
    ]  # fmt: skip
    assert what(buyer, lesson, unfinished.id) == "not_found"
