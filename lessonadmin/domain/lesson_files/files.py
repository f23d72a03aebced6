"""The files of a lesson: adding one part by part, removing and restoring it, and what a lesson may have at most.

A file is there for students when all of its parts are. One that was removed is kept for `TRASH_DAYS` and can be restored as long as it
fits in. Where the bytes are is the business of `contents`.
"""

import uuid
from pathlib import PurePosixPath

import psycopg
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from lessonadmin.db import db
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid, Missing, Unavailable
from lessonadmin.domain.models import Lesson, LessonFile, LessonFilePart, User
from lessonadmin.text.texts import one_line

MAX_BYTES = 25_000_000  # of all files of a lesson
MAX_FILES = 20
MAX_NAME_LENGTH = 150
PART_BYTES = 1024 * 1024

THERE: ColumnElement[bool] = and_(LessonFile.finished_at.is_not(None), LessonFile.removed_at.is_(None))
KEPT: ColumnElement[bool] = LessonFile.removed_at.is_(None)


def of_lesson(lesson: Lesson) -> list[LessonFile]:
    """Those that students may download, the oldest first."""
    return _listed(lesson, THERE)


def removed_of(lesson: Lesson) -> list[LessonFile]:
    """Those that can be restored, the oldest first."""
    return _listed(lesson, and_(LessonFile.finished_at.is_not(None), LessonFile.removed_at.is_not(None)))


def _listed(lesson: Lesson, which: ColumnElement[bool]) -> list[LessonFile]:
    query = select(LessonFile).where(LessonFile.lesson_id == lesson.id, which).order_by(LessonFile.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def bytes_left(lesson: Lesson) -> int:
    """How large a further file may be."""
    used = select(func.coalesce(func.sum(LessonFile.size), 0)).where(LessonFile.lesson_id == lesson.id, KEPT)
    return MAX_BYTES - int(db.session.scalar(used) or 0)


def checked_name(text: str) -> str:
    """The name that a file is stored under: that of the file alone, whatever folder a browser names."""
    name = one_line(PurePosixPath(text.replace("\\", "/")).name)
    if not name.strip(". "):
        raise Invalid.field("file", "The file has no name.")
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid.field(
            "file", f"“{name[:40]}…”: use at most {MAX_NAME_LENGTH} characters for the name of a file."
        )
    return name


def begin(user: User, lesson_id: uuid.UUID, *, name: str, size: int) -> LessonFile:
    """A file that is to arrive in parts; the same one again if this user began it and it did not arrive whole."""
    lesson = permissions.held(permissions.lesson_to_change(user, lesson_id), alone=True)
    name = checked_name(name)
    if size < 1:
        raise Invalid.field("file", f"“{name}” is empty.")
    begun = db.session.scalars(
        select(LessonFile).where(
            LessonFile.lesson_id == lesson.id,
            LessonFile.finished_at.is_(None),
            KEPT,
            LessonFile.added_by == user.id,
            LessonFile.name == name,
            LessonFile.size == size,
        )
    ).first()
    if begun is not None:
        return begun
    _refuse_too_much(lesson, name, size)
    rate_limits.make("additions of files", user.id)
    file = LessonFile(lesson_id=lesson.id, name=name, size=size, added_by=user.id)
    db.session.add(file)
    db.session.flush()
    return file


def _refuse_too_much(lesson: Lesson, name: str, size: int) -> None:
    left = bytes_left(lesson)
    if size > left:
        raise Invalid.field(
            "file",
            f"“{name}” is too large: the files of a lesson may have {MAX_BYTES // 10**6} MB together, and"
            f" {max(left, 0) / 10**6:.1f} MB are left.",
        )
    count = db.session.scalar(
        select(func.count()).select_from(LessonFile).where(LessonFile.lesson_id == lesson.id, KEPT)
    )
    if (count or 0) >= MAX_FILES:
        raise Invalid.field(
            "file", f"“{name}” was not added: a lesson may have {MAX_FILES} files. Remove one first."
        )


def parts_of(size: int) -> int:
    return -(-size // PART_BYTES)


def missing_parts(file: LessonFile) -> list[int]:
    """The numbers of the parts that did not arrive yet, in order."""
    here = set(db.session.scalars(select(LessonFilePart.number).where(LessonFilePart.file_id == file.id)))
    return [number for number in range(parts_of(file.size)) if number not in here]


def _length(size: int, number: int) -> int:
    """Of the part with this number; 0 if there is none."""
    return max(0, min(PART_BYTES, size - number * PART_BYTES))


def receive(user: User, lesson_id: uuid.UUID, file_id: uuid.UUID, number: int, data: bytes) -> None:
    """One part; the same one again does no harm."""
    file = _to_change(user, lesson_id, file_id)
    if file.finished_at is not None:
        return
    wanted = _length(file.size, number)
    if len(data) != wanted or not wanted:
        raise Invalid.field(
            "file", f"A part of “{file.name}” did not arrive whole, or the file was changed meanwhile."
        )
    part = insert(LessonFilePart).values(file_id=file.id, number=number, data=data)
    part = part.on_conflict_do_update(index_elements=["file_id", "number"], set_={"data": part.excluded.data})
    try:
        db.session.execute(part)
    except OperationalError as error:
        if isinstance(error.orig, psycopg.errors.DiskFull):
            raise Unavailable(
                "storage_full",
                f"The server has no space for “{file.name}” now. What was added before is safe. Please tell support.",
            ) from error
        raise


def finish(user: User, lesson_id: uuid.UUID, file_id: uuid.UUID) -> LessonFile:
    """All parts are here: students may download it."""
    file = _to_change(user, lesson_id, file_id)
    if file.finished_at is not None:
        return file
    arrived = db.session.execute(
        select(func.count(), func.coalesce(func.sum(func.octet_length(LessonFilePart.data)), 0)).where(
            LessonFilePart.file_id == file.id
        )
    ).one()
    if tuple(arrived) != (parts_of(file.size), file.size):
        raise Conflict("file_incomplete", f"“{file.name}” did not arrive whole. Please add it again.")
    file.finished_at = func.clock_timestamp()
    db.session.flush()
    _record("lesson.file_added", file)
    return file


def add_whole(user: User, lesson_id: uuid.UUID, *, name: str, data: bytes) -> LessonFile:
    """A file that came in one request."""
    file = begin(user, lesson_id, name=name, size=len(data))
    for number in range(parts_of(len(data))):
        receive(user, lesson_id, file.id, number, data[number * PART_BYTES :][:PART_BYTES])
    return finish(user, lesson_id, file.id)


def remove(user: User, lesson_id: uuid.UUID, file_id: uuid.UUID) -> LessonFile:
    """Students see it no more; it can be restored for `TRASH_DAYS`."""
    file = _to_change(user, lesson_id, file_id)
    if file.removed_at is None:
        file.removed_at = func.clock_timestamp()
        db.session.flush()
        _record("lesson.file_removed", file)
    return file


def restore(user: User, lesson_id: uuid.UUID, file_id: uuid.UUID) -> LessonFile:
    """It is back, if it still fits in."""
    file = _to_change(user, lesson_id, file_id)
    if file.removed_at is not None:
        _refuse_too_much(_lesson_of(file), file.name, file.size)
        file.removed_at = None
        db.session.flush()
        _record("lesson.file_restored", file)
    return file


def _to_change(user: User, lesson_id: uuid.UUID, file_id: uuid.UUID) -> LessonFile:
    """A file of a lesson that this user may change; both stay as they are until the transaction ends."""
    lesson = permissions.held(permissions.lesson_to_change(user, lesson_id), alone=True)
    file = db.session.scalar(
        select(LessonFile)
        .where(LessonFile.id == file_id, LessonFile.lesson_id == lesson.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if file is None:
        raise Missing()
    return file


def _lesson_of(file: LessonFile) -> Lesson:
    return db.session.get_one(Lesson, file.lesson_id)


def _record(action: str, file: LessonFile) -> None:
    audit_log.record(action, _lesson_of(file), file_id=file.id, name=file.name, size=file.size)


def to_download(user: User, lesson_id: uuid.UUID, file_id: uuid.UUID) -> LessonFile:
    """For all who may play the lesson."""
    return one_of(permissions.lesson_to_play(user, lesson_id), file_id)


def one_of(lesson: Lesson, file_id: uuid.UUID) -> LessonFile:
    """A file that students of this lesson may download."""
    query = select(LessonFile).where(LessonFile.id == file_id, LessonFile.lesson_id == lesson.id, THERE)
    found = db.session.scalar(query)
    if found is None:
        raise Missing()
    return found
