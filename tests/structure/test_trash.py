"""What is in the trash reaches no page, list or query that does not ask for it: every route is read, and every statement it sends.

`models.in_trash` gives each ORM query its condition. What could escape it is SQL as text, and a query that says `in_trash.too()`; of
both this knows each place.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, exists, func, select, union_all
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, aliased, joinedload

from devstack.places import ROOT
from lessonadmin.db import db
from lessonadmin.domain.models import Course, Lesson, Tracking, in_trash
from tests.factories import make_course, make_lesson, make_tracking
from tests.structure import matrix
from tests.structure.matrix import Measuring
from tests.trash import delete

WHO = ("own", "foreign", "student", "admin")
THROWN = re.compile("thrown (lesson|course)")
# Who asks for it, and may show it to those who may restore it.
SHOWN_BY = re.compile(r"(trash|admin_trash)\.\w+|account\.download_data|admin_search\.index")
READS = re.compile(r"\b(?:FROM|JOIN) (?:lessons|courses)\b")
# Every module that reads what is in the trash, and why.
TOO = {
    "accounts/handover.py": "it goes to another instructor, too",
    "account_life/own_data.py": "it is a person's own data, too",
    "batches/own_lessons.py": "what an instructor has deleted by a bulk action is shown in its result",
    "batches/targets.py": "they are chosen in the trash",
    "batches/undo.py": "what an undo brings back is in there",
    "lessons/lessons.py": "its place in the course is not given away",
    "lessons/trash.py": "what is due",
    "lessons/trash_list.py": "what can be restored",
    "permissions.py": "who may restore it",
    "reconciliation/playback_policy.py": "its asset is still there",
    "support/lookup.py": "support looks for what an instructor misses",
    "videos/locking.py": "what Mux says of it is applied",
    "videos/outbox.py": "its asset is used",
}


def test_each_module_that_reads_it_is_known() -> None:
    domain = ROOT / "lessonadmin" / "domain"
    found = {
        path.relative_to(domain).as_posix()
        for path in (ROOT / "lessonadmin").rglob("*.py")
        if "in_trash.too()" in path.read_text() and path.is_relative_to(domain)
    }
    outside = [
        path
        for path in (ROOT / "lessonadmin").rglob("*.py")
        if "in_trash.too()" in path.read_text() and not path.is_relative_to(domain)
    ]
    assert (found, outside) == (set(TOO), [])


@contextmanager
def escaping() -> Iterator[list[str]]:
    """Statements that read lessons or courses, in the trash or not, without having asked for that."""
    found: list[str] = []

    def note(
        _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: Any
    ) -> None:
        asked = context is not None and context.execution_options.get(in_trash.OPTION)
        if (
            READS.search(statement)
            and "deleted_at" not in READS.split(statement, maxsplit=1)[1]
            and not asked
        ):
            found.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.timeout(400)
def test_no_route_shows_what_is_in_the_trash(app: Flask, measuring: Measuring) -> None:
    shown, escaped, asked = [], set(), 0
    for row in matrix.rows_of(app):
        if row.method != "GET":
            continue
        for who in WHO:
            with escaping() as statements:
                answer = measuring.send(row, who)
            asked += 1
            if THROWN.search(answer.get_data(as_text=True)) and not SHOWN_BY.fullmatch(row.endpoint):
                shown.append(f"{row.label} {who}")
            escaped |= {(row.label, one) for one in statements}
    assert asked > 300
    assert shown == []
    assert escaped == set()


def test_every_way_to_ask_leaves_it_out_and_one_word_takes_it_in(session: Session) -> None:
    course = make_course()
    lesson = make_lesson(course=course)
    upload = make_tracking(lesson, status="processing", mux_asset_id="a")
    lesson_id, course_id = lesson.id, course.id
    for one in (lesson, course):
        delete(one)
    other = aliased(Lesson)
    ways = {
        "columns": select(Lesson.id),
        "count": select(func.count()).select_from(Lesson).having(func.count() > 0),
        "alias": select(other.id),
        "union": union_all(select(Lesson.id), select(Course.id)),
        "in": select(Tracking.id).where(Tracking.lesson_id.in_(select(Lesson.id))),
        "exists": select(Tracking.id).where(exists().where(Lesson.id == Tracking.lesson_id)),
        "join": select(Tracking.id).join(Lesson, Lesson.id == Tracking.lesson_id),
    }
    for name, query in ways.items():
        assert db.session.execute(query).all() == [], name
        assert db.session.execute(query, execution_options=in_trash.too()).all() != [], name
    loading = select(Tracking).where(Tracking.id == upload.id).options(joinedload(Tracking.lesson))
    assert db.session.scalars(loading.execution_options(populate_existing=True)).one().lesson is None
    for model, key in ((Lesson, lesson_id), (Course, course_id)):
        db.session.expunge_all()
        assert db.session.get(model, key) is None
        assert db.session.get(model, key, execution_options=in_trash.too()) is not None
        db.session.expunge_all()
        assert db.session.query(model).count() == 0
