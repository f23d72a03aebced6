"""The bytes of files move to the file store and go when their time is over; what fails in between is done by the next sweep."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from lessonadmin import file_store
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.errors import Unavailable
from lessonadmin.domain.lesson_files import contents, files
from lessonadmin.domain.maintenance.sweep import sweep
from lessonadmin.domain.models import Lesson, LessonFile, LessonFilePart, User
from tests import file_store as stand_in
from tests.factories import make_lesson, make_user
from tests.file_store import Store
from tests.settings import overridden

pytestmark = [pytest.mark.usefixtures("session"), pytest.mark.enable_socket]
DATA = bytes(range(256)) * 5000  # two parts


@pytest.fixture
def store() -> Iterator[Store]:
    with stand_in.file_store() as found:
        yield found


def make_file(*, name: str = "recipe.pdf", data: bytes = DATA) -> LessonFile:
    lesson = make_lesson()
    user = db.session.get_one(User, lesson.creator_id)
    with transaction(Actor.user(user.id)):
        return files.add_whole(user, lesson.id, name=name, data=data)


def now(file: LessonFile) -> LessonFile:
    db.session.rollback()
    return db.session.get_one(LessonFile, file.id, populate_existing=True)


def change(file: LessonFile, **columns: object) -> None:
    db.session.execute(update(LessonFile).where(LessonFile.id == file.id).values(**columns))
    db.session.commit()


def count(model: type[LessonFile] | type[LessonFilePart]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def whole(file: LessonFile) -> bytes:
    return b"".join(contents.read(now(file)))


def test_without_a_store_files_stay_and_are_read_part_by_part() -> None:
    file = make_file()
    assert (contents.move_to_store(), now(file).in_store) == (0, False)
    assert whole(file) == DATA
    assert [len(part) for part in contents.read(file)] == [files.PART_BYTES, len(DATA) - files.PART_BYTES]


def test_the_sweep_moves_them_to_the_store_once(store: Store) -> None:
    file = make_file()
    assert sweep().figures["files_to_store"] == 1
    assert store.objects == {str(file.id): DATA}
    assert (now(file).in_store, count(LessonFilePart)) == (True, 0)
    assert whole(file) == DATA
    asked = len(store.asked)
    assert sweep().figures["files_to_store"] == 0
    assert len(store.asked) == asked


def test_a_store_that_does_not_answer_loses_nothing_and_is_asked_again(store: Store) -> None:
    file = make_file()
    store.fails = 503
    assert sweep().failed == {"files_to_store": "FileStoreError"}
    assert whole(file) == DATA
    assert (contents.waiting_for_store(), count(LessonFilePart)) == (0, 2)
    change(file, finished_at=func.clock_timestamp() - timedelta(hours=2))
    assert contents.waiting_for_store() == 1
    store.fails = None
    assert sweep().failed == {}
    assert (contents.waiting_for_store(), whole(file)) == (0, DATA)


def test_a_sweep_that_is_killed_after_the_store_has_it_does_no_harm(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file()
    put = file_store.put

    def and_die(key: str, data: bytes) -> None:
        put(key, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(file_store, "put", and_die)
    with pytest.raises(KeyboardInterrupt):
        contents.move_to_store()
    assert whole(file) == DATA
    monkeypatch.undo()
    assert contents.move_to_store() == 1
    assert whole(file) == DATA


def test_a_download_goes_on_when_its_file_moves_meanwhile(store: Store) -> None:
    file = make_file()
    parts = contents.read(file)
    first = next(parts)
    contents.move_to_store()
    assert first + b"".join(parts) == DATA


def test_a_store_that_is_away_refuses_a_download_before_its_first_byte(store: Store) -> None:
    file = make_file()
    contents.move_to_store()
    store.fails = 500
    with pytest.raises(Unavailable, match="try again in a few minutes"):
        contents.read(now(file))


OVER = {
    "its lesson is gone": {"lesson_id": None},
    "removed long ago": {"removed_at": func.clock_timestamp() - timedelta(days=31)},
    "never arrived": {"finished_at": None, "created_at": func.clock_timestamp() - timedelta(hours=25)},
}
NOT_OVER = {
    "removed lately": {"removed_at": func.clock_timestamp() - timedelta(days=29)},
    "still arriving": {"finished_at": None, "created_at": func.clock_timestamp() - timedelta(hours=23)},
    "there": {},
}


@pytest.mark.parametrize("why", [*OVER, *NOT_OVER])
def test_the_sweep_removes_what_is_over_and_nothing_else(why: str) -> None:
    file = make_file()
    if columns := (OVER | NOT_OVER)[why]:
        change(file, **columns)
    with overridden(trash_days=30):
        sweep()
    assert (count(LessonFile), count(LessonFilePart)) == ((0, 0) if why in OVER else (1, 2))


def test_with_its_lesson_a_file_leaves_the_store_too(store: Store) -> None:
    file = make_file()
    sweep()
    db.session.execute(delete(Lesson).where(Lesson.id == file.lesson_id))
    db.session.commit()
    store.fails = 503
    assert "files_over" in sweep().failed
    assert count(LessonFile) == 1, "its row stays until its bytes are gone"
    store.fails = None
    sweep()
    assert (store.objects, count(LessonFile)) == ({}, 0)


def test_an_id_that_is_no_file_reads_nothing_from_the_database() -> None:
    assert contents._part(uuid.uuid4(), 0) is None


def test_the_number_of_a_pass_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_A_PASS", 2)
    user = make_user()
    for number in range(3):
        lesson = make_lesson(creator=user)
        with transaction(Actor.user(user.id)):
            file = files.add_whole(user, lesson.id, name=f"{number}.txt", data=b"x")
        change(file, lesson_id=None)
    assert [contents.remove_over() for _ in range(3)] == [2, 1, 0]
