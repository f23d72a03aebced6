"""Row-level security through the real pool, as the application's real role."""

import contextvars
import threading
import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, NOTHING, RowAccess
from lessonadmin.db import db
from lessonadmin.domain.models import Lesson
from tests import factories, owner
from tests.factories import make_lesson, make_user

PROTECTED = ("lessons", "courses", "mux_asset_tracking", "notifications", "purchases")


@pytest.fixture(autouse=True)
def ends_as_it_began() -> Iterator[None]:
    yield
    row_access.use(EVERYTHING)


@pytest.fixture
def two(session: Session) -> tuple[uuid.UUID, uuid.UUID]:
    """Two instructors with a lesson and a course each, an upload, a notice, and a purchase of it."""
    found = []
    for name in ("one", "two"):
        user = make_user(name=name)
        lesson = factories.make_playing_lesson(creator=user, title=f"of {name}", status="draft")
        factories.make_course(instructor=user, title=f"of {name}")
        factories.make_purchase(lesson, make_user(role="student"))
        db.session.execute(
            text(
                "INSERT INTO notifications (user_id, kind, message) VALUES (:user, 'video_ready', 'Ready.')"
            ),
            {"user": user.id},
        )
        found.append(user.id)
    db.session.commit()
    return found[0], found[1]


def seen(table: str) -> int:
    """Every row that a statement without a condition finds."""
    return int(db.session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - names of the test


@pytest.mark.parametrize("table", PROTECTED)
def test_without_an_identity_there_is_nothing_and_with_one_only_what_is_its_own(
    two: tuple[uuid.UUID, uuid.UUID], table: str
) -> None:
    everything = seen(table)
    assert everything >= 2
    db.session.rollback()
    row_access.use(NOTHING)
    assert seen(table) == 0
    for user_id in two:
        row_access.use(RowAccess(user_id))
        assert seen(table) == everything / 2
    db.session.rollback()
    row_access.use(NOTHING)
    assert seen(table) == 0


def test_what_is_on_sale_is_for_users_and_not_for_a_request_without_one(session: Session) -> None:
    course = factories.make_course(instructor=make_user())
    factories.make_playing_lesson(course_id=course.id)
    row_access.use(NOTHING)
    assert (seen("lessons"), seen("courses")) == (0, 0)
    row_access.use(RowAccess(make_user(role="student").id))
    assert (seen("lessons"), seen("courses")) == (1, 1)


@pytest.mark.parametrize("table", PROTECTED)
def test_of_the_test_without_policies_every_user_sees_everything(
    two: tuple[uuid.UUID, uuid.UUID], table: str
) -> None:
    everything = seen(table)
    db.session.rollback()
    owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    try:
        row_access.use(RowAccess(two[0]))
        assert seen(table) == everything
    finally:
        db.session.rollback()
        owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def test_no_user_changes_or_makes_what_is_anothers(two: tuple[uuid.UUID, uuid.UUID]) -> None:
    mine, theirs = two
    row_access.use(RowAccess(mine))
    changed = db.session.execute(text("UPDATE lessons SET title = 'mine now' RETURNING creator_id")).scalars()
    assert set(changed) == {mine}
    db.session.rollback()
    for statement in (
        "INSERT INTO lessons (creator_id, title) VALUES (:theirs, 'planted')",
        "UPDATE lessons SET creator_id = :theirs",
        "INSERT INTO notifications (user_id, kind, message) VALUES (:theirs, 'video_ready', 'planted')",
        "UPDATE courses SET instructor_id = :theirs",
    ):
        with pytest.raises(Exception, match="row-level security"):
            db.session.execute(text(statement), {"theirs": theirs})
        db.session.rollback()


def test_a_thousand_turns_of_two_users_over_one_connection_never_cross(
    app: Flask, two: tuple[uuid.UUID, uuid.UUID]
) -> None:
    engine = create_engine(db.engine.url, pool_size=1, max_overflow=0, connect_args={"options": ""})
    row_access.watch(engine)
    owners = select(Lesson.creator_id)  # the condition was forgotten
    crossings, turns, processes = 0, 0, set()
    try:
        for turn in range(1000):
            row_access.use(RowAccess(two[turn % 2]))
            with engine.connect() as connection:
                found = set(connection.scalars(owners))
                turns += len(found)
                crossings += found != {two[turn % 2]}
                if turn % 7 == 0:
                    connection.rollback()
                    crossings += set(connection.scalars(owners)) != {two[turn % 2]}
                processes.add(connection.scalar(select(func.pg_backend_pid())))
    finally:
        engine.dispose()
    assert (crossings, turns, len(processes)) == (0, 1000, 1)


def test_of_the_test_what_stays_on_the_connection_crosses(
    app: Flask, two: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """With a setting that outlives its transaction the next user of the connection gets the rows of the one before."""
    engine = create_engine(db.engine.url, pool_size=1, max_overflow=0, connect_args={"options": ""})
    try:
        with engine.begin() as connection:
            connection.execute(
                text("SELECT set_config('lessonadmin.user_id', :user, false)"), {"user": str(two[0])}
            )
        with engine.connect() as connection:
            assert set(connection.scalars(select(Lesson.creator_id))) == {two[0]}
    finally:
        engine.dispose()


def test_a_rule_looks_beyond_its_user_and_no_further(two: tuple[uuid.UUID, uuid.UUID]) -> None:
    row_access.use(RowAccess(two[0]))
    assert seen("lessons") == 1
    with row_access.everything():
        assert seen("lessons") == 2
        with row_access.everything():
            assert seen("lessons") == 2
        assert seen("lessons") == 2
    assert seen("lessons") == 1
    db.session.rollback()
    with row_access.everything():
        db.session.rollback()
        assert seen("lessons") == 2, "also in a transaction that begins inside"
    assert seen("lessons") == 1


def test_a_rule_that_fails_leaves_its_user_as_before(two: tuple[uuid.UUID, uuid.UUID]) -> None:
    row_access.use(RowAccess(two[0]))
    with pytest.raises(Exception, match="division"), row_access.everything():
        db.session.execute(text("SELECT 1/0"))
    db.session.rollback()
    assert seen("lessons") == 1


def test_an_allowed_change_goes_on_with_everything_until_its_commit(two: tuple[uuid.UUID, uuid.UUID]) -> None:
    row_access.use(RowAccess(two[0]))
    row_access.everything_until_commit(db.session())
    assert seen("lessons") == 2
    with row_access.everything():
        assert seen("lessons") == 2
    assert seen("lessons") == 2, "a rule inside takes nothing away"
    db.session.commit()
    assert seen("lessons") == 1


def test_what_a_savepoint_takes_back_is_taken_back_here_too(two: tuple[uuid.UUID, uuid.UUID]) -> None:
    row_access.use(RowAccess(two[0]))
    assert seen("lessons") == 1
    inside = db.session.begin_nested()
    row_access.everything_until_commit(db.session())
    assert seen("lessons") == 2
    inside.rollback()
    assert seen("lessons") == 1
    row_access.everything_until_commit(db.session())
    assert seen("lessons") == 2, "it is told anew, and not thought to be told already"


def test_what_is_no_request_has_everything_in_every_thread(
    two: tuple[uuid.UUID, uuid.UUID], app: Flask
) -> None:
    found: list[int] = []

    def look() -> None:
        with app.app_context():
            found.append(seen("lessons"))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    contextvars.Context().run(look)
    assert found == [2, 2]


def test_a_request_begins_with_nothing_and_leaves_its_thread_as_it_was(app: Flask) -> None:
    first = next(iter(app.before_request_funcs[None]))
    assert first.__module__ == "lessonadmin.web.requests", "nothing of a request comes before that"
    with app.test_request_context("/login"):
        app.preprocess_request()
        assert row_access._current.get() == NOTHING
    assert row_access._current.get() == EVERYTHING


def test_where_one_role_does_all_nothing_is_sent(app: Flask, two: tuple[uuid.UUID, uuid.UUID]) -> None:
    engine: Engine = create_engine(owner.url().replace("postgresql:", "postgresql+psycopg:"))
    row_access.watch(engine)
    row_access.use(RowAccess(two[0]))
    with engine.connect() as connection:
        assert len(connection.scalars(select(Lesson.id)).all()) == 2
        assert connection.scalar(text("SELECT current_setting('lessonadmin.user_id', true)")) in (None, "")
    engine.dispose()


def test_a_lesson_of_another_is_missing_although_the_rule_of_the_domain_is_gone(
    two: tuple[uuid.UUID, uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first wall is taken away; the second one holds."""
    from lessonadmin.domain import permissions
    from lessonadmin.domain.errors import Missing
    from lessonadmin.domain.models import User

    monkeypatch.setattr(permissions, "owns", lambda _user, _owner: True)
    user = db.session.get_one(User, two[0])
    foreign = db.session.scalars(select(Lesson.id).where(Lesson.creator_id == two[1])).one()
    make_lesson(creator=user)
    db.session.commit()
    row_access.use(RowAccess(two[0]))
    with pytest.raises(Missing):
        permissions.lesson_to_change(user, foreign)
    db.session.rollback()
    row_access.use(EVERYTHING)
    assert permissions.lesson_to_change(user, foreign).id == foreign, "and without it nothing does"
