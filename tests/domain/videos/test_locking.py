"""A video under its lock: which upload matters, that nothing else changes it meanwhile, and whom an upload belongs to."""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lessonadmin.db import JOB, Actor, db, transaction, transaction_time
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Course, Lesson, Tracking
from lessonadmin.domain.videos import locking
from lessonadmin.domain.videos.locking import LockedVideo
from tests.blocked import wait_until_waited_for
from tests.factories import make_course, make_lesson, make_tracking, make_user

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


@pytest.mark.parametrize(
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
