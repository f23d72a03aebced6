"""Whatever changed: written in bulk and flushed it ends in the same rows, and the objects are as they were read just now."""

import math
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from lessonadmin.database import bulk_write
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.models import Course, Lesson, MuxCall, MuxEvent, Tracking, User
from tests.factories import make_course, make_event, make_lesson, make_tracking, make_user
from tests.queries import counted

NOW = datetime(2026, 5, 1, 12, 0, 0, 123457, tzinfo=UTC)
MODELS: tuple[type[Any], ...] = (Course, Lesson, Tracking, MuxEvent)

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
titles = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
numbers = st.floats() | st.integers(-(2**60), 2**60)
moments = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    datetime(2400, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=8))]),
)
states = st.sampled_from(["none", "uploading", "processing", "error", "deleting"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
OF_OWNERS = {
    "title": titles,
    "description": texts,
    "video_processing_status": states,
    "mux_asset_id": st.none() | texts,
    "video_duration": st.none() | numbers,
    "version": st.integers(1, 2**31 - 1),
}
CHANGES: dict[type[Any], dict[str, st.SearchStrategy[Any]]] = {
    Course: OF_OWNERS,
    Lesson: {
        **OF_OWNERS,
        "publish_on_ready": st.booleans(),
        "published_at": st.none() | moments,
        "updated_at": moments,
        "price_cents": st.integers(0, 99999900),
    },
    Tracking: {
        "status": st.sampled_from(["error", "cancelled", "deleted"]),
        "asked_policy": st.none() | texts,
        "size": st.none() | st.integers(0, 2**63 - 1),
        "duration": st.none() | numbers,
        "next_check_at": st.none() | moments,
        "superseded_at": st.none() | moments,
        "progress": st.none() | st.integers(0, 100),
    },
    MuxEvent: {"payload": st.dictionaries(texts, json_values, max_size=3), "error": st.none() | texts},
}


@st.composite
def changes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """For each of `rows`, the attributes that change."""
    return [
        draw(st.fixed_dictionaries({}, optional=CHANGES[model]))
        for model in MODELS
        for _ in range(ROWS_OF_EACH)
    ]


ROWS_OF_EACH = 3


@pytest.fixture
def rows(session: Session) -> list[Any]:
    user = make_user()
    courses = [make_course(instructor=user) for _ in range(ROWS_OF_EACH)]
    lessons = [make_lesson(creator=user, course=course) for course in courses]
    uploads = [make_tracking(lesson, status="processing", mux_asset_id="a1") for lesson in lessons]
    return [*courses, *lessons, *uploads, *(make_event() for _ in range(ROWS_OF_EACH))]


def written(session: Session, rows: list[Any]) -> list[dict[str, Any]]:
    """The rows as the database has them, but for what it makes itself and what tells one row from another."""
    session.expire_all()
    found = []
    for row in rows:
        state = inspect(row)
        values = {name: getattr(row, name) for name, _ in state.mapper.columns.items()}
        values = {name: value for name, value in values.items() if not isinstance(value, uuid.UUID)}
        found.append({name: "nan" if value != value else value for name, value in values.items()})
    return found


def change(rows: list[Any], wanted: list[dict[str, Any]]) -> None:
    for row, values in zip(rows, wanted, strict=True):
        for name, value in values.items():
            setattr(row, name, value)


class TakenBack(Exception):
    """No error: the end of a transaction that leaves nothing behind."""


def outcome_of(
    way: Callable[[Session], None], rows: list[Any], wanted: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows as this way of writing leaves them; all is taken back."""
    found = []
    with suppress(TakenBack), transaction(JOB) as session:
        change(rows, wanted)
        way(session)
        found = written(session, rows)
        raise TakenBack
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(wanted=changes())
def test_written_in_bulk_the_rows_are_what_a_flush_makes_of_them(
    rows: list[Any], wanted: list[dict[str, Any]]
) -> None:
    with counted() as sent:
        bulk = outcome_of(bulk_write.write, rows, wanted)
    assert sum(statement.startswith("UPDATE") for statement in sent) <= len(MODELS)
    flushed = outcome_of(Session.flush, rows, wanted)
    for one, other, values in zip(bulk, flushed, wanted, strict=True):
        if "updated_at" not in values:  # the time of writing
            one.pop("updated_at", None)
            other.pop("updated_at", None)
        assert one == other


@pytest.fixture
def lessons(session: Session) -> list[Lesson]:
    user = make_user()
    return [make_lesson(creator=user) for _ in range(5)]


def sent_by_writing(session: Session) -> list[str]:
    with counted() as sent:
        bulk_write.write(session)
    return [statement.split(None, 1)[0] for statement in sent if not statement.startswith("SAVEPOINT")]


def test_one_statement_a_table(session: Session, lessons: list[Lesson]) -> None:
    uploads = [make_tracking(lesson) for lesson in lessons]
    with transaction(JOB):
        for number, (lesson, upload) in enumerate(zip(lessons, uploads, strict=True)):
            lesson.title = f"New {number}"
            upload.progress = number
        lessons[0].video_duration = 3.5
        assert sent_by_writing(session) == ["UPDATE", "UPDATE"]
    assert [lesson.title for lesson in session.scalars(select(Lesson).order_by(Lesson.id))] == [
        f"New {number}" for number in range(5)
    ]


def test_what_did_not_change_is_left_as_others_wrote_it(session: Session, lessons: list[Lesson]) -> None:
    first, second = lessons[:2]
    with db.engine.begin() as other:
        other.exec_driver_sql("UPDATE lessons SET description = 'theirs'")
    with transaction(JOB):
        first.title, second.description = "mine", "mine"
        bulk_write.write(session)
    session.expire_all()
    assert [(one.title == "mine", one.description) for one in (first, second)] == [
        (True, "theirs"),
        (False, "mine"),
    ]


def test_afterwards_the_objects_are_clean_and_know_their_new_values(
    session: Session, lessons: list[Lesson]
) -> None:
    before = lessons[0].updated_at
    with transaction(JOB):
        lessons[0].title = "New"
        bulk_write.write(session)
        assert not session.dirty
        with counted() as sent:
            session.flush()
            assert (lessons[0].title, lessons[0] in session) == ("New", True)
            assert lessons[0].updated_at > before
        assert sent == []
        lessons[0].title = "Newer"
        bulk_write.write(session)
    session.expire_all()
    assert lessons[0].title == "Newer"


def test_an_object_of_which_nothing_is_loaded_is_written_like_any_other(
    session: Session, lessons: list[Lesson]
) -> None:
    key = lessons[0].id
    for title in ("New", "Newer"):
        session.expire_all()
        with transaction(JOB):
            lessons[0].title = title
            bulk_write.write(session)
            assert session.get(Lesson, key) is lessons[0]
        assert session.scalar(select(Lesson.title).where(Lesson.id == key)) == title


def test_what_the_database_computes_is_read_anew(session: Session, lessons: list[Lesson]) -> None:
    with transaction(JOB):
        old = lessons[0].search
        lessons[0].title = "Zebra"
        bulk_write.write(session)
        assert "zebra" in lessons[0].search
        assert old != lessons[0].search


def test_a_row_that_is_gone_is_an_error(session: Session, lessons: list[Lesson]) -> None:
    with db.engine.begin() as other:
        other.execute(delete(Lesson).where(Lesson.id == lessons[1].id))
    for lesson in lessons:
        lesson.title = "New"
    with pytest.raises(StaleDataError), transaction(JOB):
        bulk_write.write(session)
    session.expire_all()
    assert "New" not in session.scalars(select(Lesson.title)).all()


def test_nothing_to_write_sends_nothing(session: Session, lessons: list[Lesson]) -> None:
    with transaction(JOB):
        lessons[0].title = str(lessons[0].title)
        assert sent_by_writing(session) == []
        assert not session.dirty


def test_rows_that_swap_a_unique_place_are_written_one_after_another(
    session: Session, lessons: list[Lesson]
) -> None:
    """At no moment two uploads of one lesson play, whichever the database would take first."""
    old = [make_tracking(lesson, status="ready", mux_asset_id="old", ready_at=NOW) for lesson in lessons]
    new = [make_tracking(lesson, status="processing", mux_asset_id="new") for lesson in lessons]
    with transaction(JOB):
        for one, other in zip(old, new, strict=True):
            one.status, other.status = "deleting", "ready"
        assert sent_by_writing(session) == ["UPDATE", "UPDATE"]
    session.expire_all()
    assert {(one.status, other.status) for one, other in zip(old, new, strict=True)} == {
        ("deleting", "ready")
    }


def test_a_value_that_one_row_gives_up_may_be_taken_by_the_next(
    session: Session, lessons: list[Lesson]
) -> None:
    first, second = (
        make_tracking(lesson, upload_id=name) for lesson, name in zip(lessons, "ab", strict=False)
    )
    with transaction(JOB):
        first.upload_id, second.upload_id = "c", "a"
        bulk_write.write(session)
    session.expire_all()
    assert (first.upload_id, second.upload_id) == ("c", "a")


def test_what_many_rows_give_up_at_once_is_no_reason_to_wait(session: Session, lessons: list[Lesson]) -> None:
    uploads = [make_tracking(lesson, upload_id="migrated") for lesson in lessons]
    with transaction(JOB):
        for number, upload in enumerate(uploads):
            upload.upload_id = f"true{number}"
        assert sent_by_writing(session) == ["UPDATE"]


def test_what_the_database_refuses_is_the_same_error(session: Session, lessons: list[Lesson]) -> None:
    lessons[0].title, lessons[1].price_cents = "New", -1
    with pytest.raises(IntegrityError), transaction(JOB):
        bulk_write.write(session)


def new_object(session: Session, lesson: Lesson) -> None:
    session.add(MuxCall(target_type="lesson", target_id=lesson.id, operation="get_asset", outcome="ok"))


def deleted_object(session: Session, lesson: Lesson) -> None:
    session.delete(lesson)


def new_key(_session: Session, lesson: Lesson) -> None:
    lesson.id = uuid.uuid4()


def relationship(session: Session, lesson: Lesson) -> None:
    lesson.creator = session.get_one(User, lesson.creator_id)
    lesson.creator = make_user()


def sql(_session: Session, lesson: Lesson) -> None:
    lesson.published_at = func.clock_timestamp()


def expression_index(session: Session, lesson: Lesson) -> None:
    session.get_one(User, lesson.creator_id).email = "Other@school.example"


def json_null(session: Session, _lesson: Lesson) -> None:
    session.scalars(select(MuxEvent)).one().payload = None


def truth_as_number(_session: Session, lesson: Lesson) -> None:
    lesson.price_cents = True


def savepoint(session: Session, _lesson: Lesson) -> None:
    session.begin_nested()


def number_as_text(_session: Session, lesson: Lesson) -> None:
    lesson.price_cents = "700"


@pytest.mark.parametrize(
    "what",
    [
        new_object,
        deleted_object,
        new_key,
        relationship,
        sql,
        expression_index,
        json_null,
        truth_as_number,
        number_as_text,
        savepoint,
    ],
)
def test_what_is_no_plain_change_is_flushed_with_everything_else(
    session: Session,
    lessons: list[Lesson],
    monkeypatch: pytest.MonkeyPatch,
    what: Callable[[Session, Lesson], None],
) -> None:
    make_event()
    flushed: list[int] = []
    with transaction(JOB):
        what(session, lessons[0])
        lessons[1].title = "New"
        flush = session.flush
        monkeypatch.setattr(bulk_write, "_update", lambda *_: flushed.append(-1))
        monkeypatch.setattr(session, "flush", lambda: (flushed.append(1), flush())[1])
        bulk_write.write(session)
        assert flushed == [1]
        monkeypatch.undo()
        assert not session.dirty
        assert not session.new
    session.expire_all()
    assert session.scalars(select(Lesson.title).where(Lesson.title == "New")).all() == ["New"]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, -0.0])
def test_every_number_arrives_exactly(session: Session, lessons: list[Lesson], value: float) -> None:
    with transaction(JOB):
        lessons[0].video_duration = value
        bulk_write.write(session)
    session.expire_all()
    assert str(lessons[0].video_duration) == str(value)
