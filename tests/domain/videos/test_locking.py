"""A video under its lock: which upload matters, that nothing else changes it meanwhile, and whom an upload belongs to."""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lessonadmin.db import JOB, Actor, NoTransaction, db, transaction, transaction_time
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Course, Lesson, Tracking
from lessonadmin.domain.videos import locking, transitions
from lessonadmin.domain.videos.locking import LockedVideo
from tests.blocked import wait_until_waited_for
from tests.cases import each_of
from tests.factories import make_course, make_lesson, make_tracking, make_user
from tests.queries import counted

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def video(*statuses: str) -> LockedVideo:
    """Uploads from the oldest to the newest; `old` before a status says that another one has taken its place."""
    rows = [
        Tracking(
            id=uuid.UUID(int=number),
            status=status.removeprefix("old "),
            upload_id=f"u{number}",
            superseded_at=NOW if status.startswith("old ") else None,
        )
        for number, status in enumerate(statuses)
    ]
    return LockedVideo(Lesson(), rows)


def place(found: LockedVideo, row: Tracking | None) -> int | None:
    return None if row is None else found.uploads.index(row)


@each_of(
    ("statuses", "shown", "watched", "to_ask"),
    [
        ((), None, None, []),
        (("uploading",), 0, 0, [0]),
        (("ready", "processing"), 0, 1, [1, 0]),
        (("ready", "error"), 0, 0, [0]),
        (("error", "uploading"), 1, 1, [1]),
        (("error", "error"), 1, 1, [1]),
        (("deleting", "error"), 0, 0, [1]),
        (("deleting", "deleting"), 1, 1, []),
        (("deleting", "processing"), 1, 1, [1]),
        (("deleting", "ready"), 1, 1, [1]),
        (("error", "cancelled"), 1, 1, [0]),
        (("deleted",), 0, 0, []),
        (("old ready", "old processing"), None, None, []),
        (("old ready", "ready", "old error"), 1, 1, [1]),
        (("old ready", "error"), 1, 1, [1]),
    ],
)
def test_which_upload_is_shown_which_watched_and_which_are_asked_about(
    statuses: tuple[str, ...], shown: int | None, watched: int | None, to_ask: list[int]
) -> None:
    found = video(*statuses)
    assert (place(found, found.shown), place(found, found.watched)) == (shown, watched)
    assert [place(found, row) for row in found.to_ask] == to_ask


@pytest.mark.parametrize("upload_id", [None, "migrated"])
def test_what_mux_cannot_know_is_not_asked_about(upload_id: str | None) -> None:
    found = video("ready", "processing")
    for row in found.uploads:
        row.upload_id = upload_id
    found.uploads[0].mux_asset_id = "temp_1"
    assert found.to_ask == []
    found.uploads[0].mux_asset_id = "a1"
    assert found.to_ask == [found.uploads[0]]


def test_an_upload_is_found_by_its_id_and_by_its_asset_the_newest_first() -> None:
    found = video("old ready", "ready", "processing")
    for row in found.uploads[:2]:
        row.mux_asset_id = "a1"
    assert found.of_asset("a1") is found.uploads[1]
    assert found.of_asset("a2") is None
    assert found.upload(uuid.UUID(int=2)) is found.uploads[2]
    assert found.upload(uuid.uuid4()) is None


@pytest.fixture(params=["lesson", "course"])
def owner(request: pytest.FixtureRequest, session: Session) -> Lesson | Course:
    return make_lesson() if request.param == "lesson" else make_course()


def is_locked(owner: Lesson | Course) -> bool:
    """Would another connection have to wait for it?"""
    query = text(f"SELECT 1 FROM {owner.__tablename__} WHERE id = :id FOR UPDATE NOWAIT")  # noqa: S608 - the name of a model's table
    with db.engine.connect() as other:
        try:
            other.execute(query, {"id": owner.id})
        except OperationalError:
            return True
    return False


def test_it_is_locked_until_the_transaction_ends(owner: Lesson | Course) -> None:
    with transaction(JOB):
        found = locking.lock_video(owner.kind, owner.id)
        assert found is not None
        assert found.owner.id == owner.id
        assert is_locked(owner)
    assert not is_locked(owner)


@pytest.mark.parametrize("lock", [True, False])
def test_an_owner_is_found_with_and_without_its_lock(owner: Lesson | Course, lock: bool) -> None:
    with transaction(JOB):
        assert locking.find_owner(owner.kind, owner.id, lock=lock) is owner
        assert is_locked(owner) is lock
        assert locking.find_owner(owner.kind, uuid.uuid4(), lock=lock) is None


def test_reading_takes_no_lock(owner: Lesson | Course) -> None:
    row = make_tracking(owner)
    with transaction(JOB):
        assert [one.id for one in locking.read_video(owner).uploads] == [row.id]
        assert not is_locked(owner)


def test_its_uploads_come_oldest_first_and_no_others(owner: Lesson | Course) -> None:
    make_tracking(make_lesson())
    made = [
        make_tracking(owner, created_at=NOW + timedelta(hours=hours), superseded_at=NOW)
        for hours in (3, 1, 2)
    ]
    with transaction(JOB):
        found = locking.lock_video(owner.kind, owner.id)
        assert found is not None
        assert [row.id for row in found.uploads] == [made[1].id, made[2].id, made[0].id]


def test_one_that_waited_sees_what_was_written_while_it_waited(owner: Lesson | Course, app: Flask) -> None:
    row = make_tracking(owner)
    seen: list[tuple[str, str]] = []

    def second() -> None:
        with app.app_context():
            mine = db.session.get_one(type(owner), owner.id)
            db.session.get_one(Tracking, row.id)
            held.set()
            with transaction(JOB):
                found = locking.lock_video_of(mine)
                seen.append((found.owner.title, found.uploads[0].status))

    held = threading.Event()
    other = threading.Thread(target=second)
    with transaction(JOB):
        assert locking.lock_video(owner.kind, owner.id) is not None
        other.start()
        assert held.wait(10)
        wait_until_waited_for(db.session())
        db.session.execute(update(type(owner)).where(type(owner).id == owner.id).values(title="New"))
        db.session.execute(update(Tracking).where(Tracking.id == row.id).values(status="error"))
    other.join(30)
    assert seen == [("New", "error")]


def test_the_time_of_the_lock_is_the_time_of_the_transaction(owner: Lesson | Course) -> None:
    with transaction(JOB):
        began = db.session.scalar(text("SELECT clock_timestamp()"))
        locking.lock_video(owner.kind, owner.id)
        time = transaction_time()
        assert began <= time <= db.session.scalar(text("SELECT clock_timestamp()"))


def test_what_is_gone_is_missing(owner: Lesson | Course) -> None:
    with transaction(JOB) as session:
        session.execute(text(f"DELETE FROM {owner.__tablename__}"))  # noqa: S608 - the name of a model's table
    with transaction(JOB):
        assert locking.lock_video(owner.kind, owner.id) is None
    with transaction(JOB), pytest.raises(Missing):
        locking.lock_video_of(owner)


def test_an_instructor_who_lost_the_right_to_it_finds_it_missing(owner: Lesson | Course) -> None:
    with transaction(Actor.user(owner.owner_id)):
        assert locking.lock_video_of(owner).owner is owner
    with transaction(Actor.user(make_user().id)), pytest.raises(Missing):
        locking.lock_video_of(owner)
    with transaction(JOB):
        assert locking.lock_video_of(owner).owner is owner


def test_an_upload_is_locked_with_its_owner(owner: Lesson | Course) -> None:
    row = make_tracking(owner)
    with transaction(JOB):
        found = locking.lock_video_of_upload(row.id)
        assert found is not None
        assert (found[0].owner.id, found[1].id) == (owner.id, row.id)
        assert found[1] in found[0].uploads
        assert is_locked(owner)
        assert locking.lock_video_of_upload(uuid.uuid4()) is None


def test_of_several_uploads_of_one_asset_the_current_one_says_whose_it_is(owner: Lesson | Course) -> None:
    other = make_lesson()
    make_tracking(other, status="ready", mux_asset_id="a1", superseded_at=NOW)
    make_tracking(owner, status="ready", mux_asset_id="a1")
    make_tracking(make_course(), status="ready", mux_asset_id="a1", superseded_at=NOW + timedelta(days=1))
    assert locking.target_of(Tracking.mux_asset_id == "a1") == (owner.kind, owner.id)
    assert locking.target_of(Tracking.mux_asset_id == "a1", Tracking.lesson_id == other.id) == (
        "lesson",
        other.id,
    )
    assert locking.target_of(Tracking.mux_asset_id == "a2") is None


def test_every_upload_of_an_asset_is_found(owner: Lesson | Course) -> None:
    made = {
        make_tracking(one, status="ready", mux_asset_id="a1", superseded_at=NOW).id
        for one in (owner, make_lesson())
    }
    make_tracking(make_lesson(), mux_asset_id="a2")
    assert {row.id for row in locking.uploads_by_asset("a1")} == made
    assert len(made) == 2


def target(owner: Lesson | Course) -> locking.Target:
    return owner.kind, owner.id


def as_read(video: LockedVideo | None) -> tuple[uuid.UUID, list[tuple[uuid.UUID, str]]] | None:
    return (
        None if video is None else (video.owner.id, [(upload.id, upload.status) for upload in video.uploads])
    )


@pytest.fixture
def many(session: Session) -> list[Lesson | Course]:
    """Lessons and courses, each with two uploads of which the first is the younger one."""
    found = [make() for make in (make_lesson, make_course) for _ in range(3)]
    for owner in found:
        make_tracking(owner, created_at=NOW, superseded_at=NOW)
        make_tracking(owner, created_at=NOW - timedelta(hours=1), status="processing")
    make_tracking(make_lesson())
    return found


def test_many_are_locked_and_read_by_two_queries_for_each_kind(
    many: list[Lesson | Course],
) -> None:
    with transaction(JOB):
        singly = {target(owner): as_read(locking.lock_video(*target(owner))) for owner in many}
    with transaction(JOB):
        with counted() as sent:
            found = locking.lock_many([*map(target, many), ("lesson", uuid.uuid4())])
        assert [" FOR UPDATE" in statement for statement in sent] == [True, True, False, False]
        assert {one: as_read(video) for one, video in found.videos.items()} == singly
        assert found.held == set()
        assert all(is_locked(owner) for owner in many)


def test_what_was_locked_with_many_is_asked_for_no_more(many: list[Lesson | Course]) -> None:
    with transaction(JOB):
        found = locking.lock_many(map(target, many))
        with counted() as sent:
            assert [locking.lock_video(*target(owner)) for owner in many] == [
                found.videos[target(owner)] for owner in many
            ]
            assert locking.lock_many(map(target, many)).videos == found.videos
        assert sent == []
    with transaction(JOB), counted() as sent:
        locking.lock_video(*target(many[0]))
    assert len(sent) == 2, "another transaction knows nothing of it"


def test_those_that_another_transaction_has_locked_are_told_from_those_that_are_gone(
    many: list[Lesson | Course],
) -> None:
    held, gone = {target(many[1]), target(many[4])}, ("lesson", uuid.uuid4())
    with db.engine.connect() as other:
        for owner in (many[1], many[4]):
            other.execute(select(type(owner).id).where(type(owner).id == owner.id).with_for_update())
        with transaction(JOB):
            found = locking.lock_many([*map(target, many), gone], skip_locked=True)
            assert found.videos.keys() == set(map(target, many)) - held
            assert found.held == held
        other.rollback()
    with transaction(JOB):
        assert locking.lock_many(map(target, many), skip_locked=True).videos.keys() == set(map(target, many))


def test_what_this_transaction_changes_is_in_what_it_locked_before(many: list[Lesson | Course]) -> None:
    owner = many[0]
    with transaction(JOB):
        locking.lock_many([target(owner)])
        video = locking.lock_video(*target(owner))
        assert video is not None
        video.uploads[0].status = "error"
        transitions.add_upload(video, upload_id="older", created_at=NOW - timedelta(days=1))
        known = as_read(locking.lock_video(*target(owner)))
        db.session.flush()
    with transaction(JOB):
        assert as_read(locking.lock_video(*target(owner))) == known


@pytest.mark.parametrize("model", [Tracking, Lesson])
def test_a_statement_past_the_objects_makes_it_read_anew(
    many: list[Lesson | Course], model: type[Tracking] | type[Lesson]
) -> None:
    owner = many[0]
    with transaction(JOB):
        locking.lock_many([target(owner)])
        silently = {"synchronize_session": False}
        column = "error_message" if model is Tracking else "video_error_message"
        db.session.execute(update(model).values({column: "new"}).execution_options(**silently))
        video = locking.lock_video(*target(owner))
        assert video is not None
        assert getattr(video.uploads[0] if model is Tracking else video.owner, column) == "new"


def test_one_that_this_transaction_deletes_is_gone(many: list[Lesson | Course]) -> None:
    with transaction(JOB) as session:
        locking.lock_many(map(target, many))
        session.delete(many[0])
        assert locking.lock_video(*target(many[0])) is None
        session.flush()
        assert locking.lock_video(*target(many[0])) is None
        assert target(many[0]) not in locking.lock_many(map(target, many)).videos


def test_many_are_locked_only_in_a_transaction(many: list[Lesson | Course]) -> None:
    with pytest.raises(NoTransaction):
        locking.lock_many(map(target, many))
