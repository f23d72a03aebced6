"""Where the bytes of files are: in PostgreSQL as they arrived, or under the id of the file in the file store.

The sweep moves them to the store and removes what is over: files that were removed `TRASH_DAYS` ago, those of lessons that are gone, and those
that did not arrive whole within a day. No transaction is open while the store is asked. Each step does no harm when it is done twice, so
whatever is killed between two of them is done by the next sweep: a file is marked as moved when the store has it, and its row goes last.
"""

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from lessonadmin import config, file_store
from lessonadmin.database import row_access
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.errors import Unavailable
from lessonadmin.domain.models import LessonFile, LessonFilePart

log = logging.getLogger(__name__)

UNFINISHED_LIVES = timedelta(days=1)
MAX_A_PASS = 20  # of a sweep, which has other work


def read(file: LessonFile) -> Iterator[bytes]:
    """Its bytes from the first to the last. Unavailable, before the first one, if the file store does not answer.

    Each part is a short query of its own, so a slow download holds no connection; a file that moves meanwhile goes on from the store.
    """
    if file.in_store:
        return _from_store(file.id)
    return _from_database(file.id, file.size)


def _from_store(file_id: uuid.UUID, *, start: int = 0) -> Iterator[bytes]:
    try:
        return file_store.read(str(file_id), start=start)
    except file_store.FileStoreError as error:
        log.warning("the file store did not give a file: %s", error)
        raise Unavailable(
            "file_store_unavailable",
            "The file cannot be fetched at the moment. Please try again in a few minutes.",
        ) from error


def _from_database(file_id: uuid.UUID, size: int) -> Iterator[bytes]:
    sent = 0
    for number in count():
        data = _part(file_id, number)
        if data is None:
            break
        sent += len(data)
        yield data
    if sent < size:
        yield from _from_store(file_id, start=sent)


def _part(file_id: uuid.UUID, number: int) -> bytes | None:
    wanted = select(LessonFilePart.data).where(
        LessonFilePart.file_id == file_id, LessonFilePart.number == number
    )
    try:
        with row_access.everything():  # whose it is was asked when the file was asked for
            return db.session.scalar(wanted)
    finally:
        db.session.rollback()


def _over() -> ColumnElement[bool]:
    now = func.clock_timestamp()
    return or_(
        LessonFile.lesson_id.is_(None),
        LessonFile.removed_at < now - timedelta(days=config.current().trash_days),
        and_(LessonFile.finished_at.is_(None), LessonFile.created_at < now - UNFINISHED_LIVES),
    )


def remove_over() -> int:
    """Remove what is over, the bytes first; how many files."""
    query = select(LessonFile.id, LessonFile.in_store).where(_over()).limit(MAX_A_PASS)
    due = db.session.execute(query).all()
    db.session.rollback()
    for file_id, in_store in due:
        if in_store or file_store.is_on():  # it may have been moved a moment ago
            file_store.delete(str(file_id))
        with transaction(JOB):
            db.session.execute(delete(LessonFile).where(LessonFile.id == file_id, _over()))
    return len(due)


def move_to_store() -> int:
    """Move files to the store, if there is one; how many. What it does not take stays where it is."""
    if not file_store.is_on():
        return 0
    waiting = select(LessonFile.id).where(
        LessonFile.finished_at.is_not(None), ~LessonFile.in_store, LessonFile.lesson_id.is_not(None)
    )
    due = db.session.scalars(waiting.order_by(LessonFile.finished_at).limit(MAX_A_PASS)).all()
    db.session.rollback()
    for file_id in due:
        _move(file_id)
    return len(due)


def _move(file_id: uuid.UUID) -> None:
    parts = select(LessonFilePart.data).where(LessonFilePart.file_id == file_id)
    data = b"".join(db.session.scalars(parts.order_by(LessonFilePart.number)))
    db.session.rollback()
    file_store.put(str(file_id), data)
    with transaction(JOB):
        moved = db.session.scalar(
            update(LessonFile)
            .where(LessonFile.id == file_id, ~LessonFile.in_store, LessonFile.size == len(data))
            .values(in_store=True)
            .returning(LessonFile.id)
        )
        if moved is not None:
            db.session.execute(delete(LessonFilePart).where(LessonFilePart.file_id == file_id))


def waiting_for_store() -> int:
    """How many files the store has not taken for an hour; for `doctor`."""
    if not file_store.is_on():
        return 0
    late = func.clock_timestamp() - timedelta(hours=1)
    query = select(func.count()).select_from(LessonFile)
    return db.session.scalar(query.where(LessonFile.finished_at < late, ~LessonFile.in_store)) or 0
