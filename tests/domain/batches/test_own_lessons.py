"""A bulk action of an instructor reaches lessons that are theirs when each row runs, and no others."""

import uuid
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import CLI, Actor, db, new_id, transaction
from lessonadmin.domain.batches import batches, own_lessons, preview, scheduling, undo
from lessonadmin.domain.batches.own_lessons import Press
from lessonadmin.domain.errors import Forbidden, Missing
from lessonadmin.domain.models import AuditLog, Batch, Lesson, User
from tests.domain.batches.support import PUBLISH, UNPUBLISH, begin, finish, in_threads, status_of
from tests.factories import make_lesson, make_playing_lesson, make_user


@pytest.fixture
def teacher(session: Session) -> User:
    return make_user()


def ready(teacher: User, count: int = 1) -> list[uuid.UUID]:
    """Drafts of this instructor whose videos play."""
    with transaction(CLI):
        made = [
            make_playing_lesson(creator=teacher, status="draft", published_at=None, publish_on_ready=False)
            for _ in range(count)
        ]
        return [one.id for one in made]


def begun(teacher: User, ids: Any, action: Any = PUBLISH) -> uuid.UUID:
    return begin(action, ids, Actor.user(teacher.id), options=own_lessons.bound(teacher))


def notes_of(batch_id: uuid.UUID) -> list[str]:
    return [f"{item.status}: {item.note}" for item in batches.items(batch_id)]


def give(lesson_id: uuid.UUID, taker: User) -> None:
    """As a handover does."""
    with transaction(CLI):
        db.session.execute(
            text("UPDATE lessons SET creator_id = :taker WHERE id = :id"),
            {"taker": taker.id, "id": lesson_id},
        )
        db.session.execute(
            text("UPDATE mux_asset_tracking SET owner_id = :taker WHERE lesson_id = :id"),
            {"taker": taker.id, "id": lesson_id},
        )


def no_first_wall(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(own_lessons, "_is_of", lambda user_id, lesson: True)


def no_second_wall(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(own_lessons, "rows_of", lambda owner: nullcontext())


def no_wall(patch: pytest.MonkeyPatch) -> None:
    no_first_wall(patch)
    no_second_wall(patch)


@pytest.mark.parametrize(
    ("gone", "refused"),
    [(lambda patch: None, True), (no_first_wall, True), (no_second_wall, True), (no_wall, False)],
)
def test_what_changed_hands_after_the_preview_is_as_if_it_were_not_there(
    teacher: User, monkeypatch: pytest.MonkeyPatch, gone: Callable[[Any], None], refused: bool
) -> None:
    """Each wall alone holds it back; only without both of them it is reached, so the test can fail."""
    kept, given = ready(teacher, 2)
    assert preview.preview(PUBLISH, [kept, given], owner=teacher.id).changes == 2
    batch_id = begun(teacher, [kept, given])
    give(given, make_user())
    gone(monkeypatch)
    finish(batch_id)
    assert status_of(kept) == "published"
    assert status_of(given) == ("draft" if refused else "published")
    if refused:
        assert notes_of(batch_id) == ["done: ", "skipped: It is not there any more."]


@pytest.mark.parametrize(
    "lost",
    [
        "UPDATE users SET active = false WHERE id = :id",
        "UPDATE users SET role = 'student' WHERE id = :id",
        "UPDATE batches SET created_by = NULL WHERE created_by = :id",  # its account was deleted
    ],
)
def test_who_may_not_change_lessons_any_more_does_not_by_a_batch_that_waits(teacher: User, lost: str) -> None:
    (lesson_id,) = ready(teacher)
    batch_id = begun(teacher, [lesson_id])
    with transaction(CLI):
        db.session.execute(text(lost), {"id": teacher.id})
    finish(batch_id)
    assert (status_of(lesson_id), notes_of(batch_id)) == ("draft", ["skipped: It is not there any more."])


def test_an_instructor_who_became_staff_still_reaches_their_own_alone(teacher: User) -> None:
    (own,), (foreign,) = ready(teacher), ready(make_user())
    batch_id = begun(teacher, [own, foreign])
    with transaction(CLI):
        db.session.execute(text("UPDATE users SET role = 'support' WHERE id = :id"), {"id": teacher.id})
    finish(batch_id)
    assert (status_of(own), status_of(foreign)) == ("published", "draft")


def test_rows_that_are_tried_singly_are_bound_as_well(teacher: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a chunk that failed."""
    own, given = ready(teacher, 2)
    batch_id = begun(teacher, [own, given])
    give(given, make_user())
    monkeypatch.setattr(own_lessons, "locked", fails_for_several(own_lessons.locked))
    finish(batch_id)
    assert (status_of(own), status_of(given)) == ("published", "draft")


def fails_for_several(true: Any) -> Any:
    def locked(owner: uuid.UUID, lesson_ids: Any) -> Any:
        if len(lesson_ids) > 1:
            raise ValueError("a chunk of several")
        return true(owner, lesson_ids)

    return locked


def test_a_foreign_lesson_is_no_more_than_one_that_never_was(teacher: User) -> None:
    (own,), (foreign,) = ready(teacher), ready(make_user())
    seen, never = (preview.preview(PUBLISH, [own, one], owner=teacher.id) for one in (foreign, new_id()))
    assert seen == never
    assert [(one.code, one.count, one.examples) for one in seen.will_skip] == [("missing", 1, ())]
    assert [line.id for line in preview.lines(PUBLISH, [own, foreign], owner=teacher.id, limit=9)] == [own]
    assert list(own_lessons.now(teacher.id, [own, foreign])) == [own]


def test_the_undo_of_an_instructor_is_bound_and_that_of_staff_is_not(teacher: User) -> None:
    own, given = ready(teacher, 2)
    batch_id = begun(teacher, [own, given])
    finish(batch_id)
    give(given, make_user())
    with transaction(Actor.user(teacher.id)):
        undoing = undo.undo(batch_id).id
    finish(undoing)
    assert (status_of(own), status_of(given)) == ("draft", "published")
    with transaction(Actor.user(make_user(role="support").id)):
        undoing = undo.undo(batch_id).id
    finish(undoing)
    assert status_of(given) == "draft"


def test_it_is_audited_as_the_instructors_and_tells_them_nothing(teacher: User) -> None:
    (lesson_id,) = ready(teacher)
    batch_id = begun(teacher, [lesson_id])
    finish(batch_id)
    row = db.session.scalars(select(AuditLog).where(AuditLog.action == "lesson.published")).one()
    assert (row.actor_type, row.actor_id, row.target_id) == ("user", teacher.id, lesson_id)
    assert row.detail["batch"] == str(batch_id)
    assert "reason" not in row.detail
    assert db.session.scalar(text("SELECT count(*) FROM notifications")) == 0


def test_publishing_waits_for_no_time_and_the_undo_brings_the_times_back(teacher: User) -> None:
    """As “Publish now” of the lesson's page does, also where the video is not ready yet."""
    soon = datetime.now(UTC) + timedelta(days=2)
    planned = {"publish_on_ready": True, "publish_not_before": soon, "unpublish_at": soon + timedelta(days=2)}
    coming = make_lesson(creator=teacher, video_processing_status="processing", **planned).id
    waiting = make_lesson(creator=teacher, video_processing_status="processing").id
    codes = {
        line.id: line.sentence
        for line in preview.lines(PUBLISH, [coming, waiting], owner=teacher.id, limit=9)
    }
    assert codes[coming] == "Will be published automatically when its video is ready."
    assert codes[waiting].startswith("It waits for its video already")
    batch_id = begun(teacher, [coming, waiting])
    finish(batch_id)
    lesson = db.session.get_one(Lesson, coming, populate_existing=True)
    assert (lesson.publish_on_ready, lesson.publish_not_before) == (True, None)
    assert lesson.unpublish_at is not None
    assert undo.count_undoable(batch_id) == (1, 0)
    with transaction(Actor.user(teacher.id)):
        undoing = undo.undo(batch_id).id
    finish(undoing)
    assert db.session.get_one(Lesson, coming, populate_existing=True).publish_not_before == soon


def test_what_staff_have_is_not_in_the_words_for_instructors(teacher: User) -> None:
    failed = make_lesson(creator=teacher, video_processing_status="error").id
    temporary = make_lesson(creator=teacher, mux_asset_id="temp_1", video_processing_status="ready").id
    wanted = [temporary, failed]
    said = [line.sentence for line in preview.lines(PUBLISH, wanted, owner=teacher.id, limit=9)]
    assert not [words for words in said if "fix-lessons" in words or "Re-sync" in words]
    batch_id = begun(teacher, wanted)
    finish(batch_id)
    assert notes_of(batch_id)[0].endswith("upload the video again.")
    staff = preview.preview(PUBLISH, wanted)
    assert [one.sentence for one in staff.groups if "fix-lessons" in one.sentence]


def test_a_press_begins_one_batch_however_often_it_comes(app: Flask, teacher: User) -> None:
    ids, press = ready(teacher, 3), Press(teacher.id, "page")
    bound, actor = own_lessons.bound(teacher), Actor.user(teacher.id)

    def start(_number: int) -> uuid.UUID:
        row_access.use(RowAccess(teacher.id))
        return scheduling.start(press, PUBLISH, ids, actor=actor, options=bound)

    found = in_threads(app, 3, start)
    assert set(found) == {press.batch_id}
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Batch)) == 1
    assert [status_of(one) for one in ids] == ["published"] * 3
    assert Press(make_user().id, "page").batch_id != press.batch_id
    assert start(0) == press.batch_id
    row_access.use(EVERYTHING)


def test_more_than_twenty_wait_for_a_worker(teacher: User, redis_connection: Any) -> None:
    ids = ready(teacher, scheduling.MAX_AT_ONCE + 1)
    bound, actor = own_lessons.bound(teacher), Actor.user(teacher.id)
    chosen = select(Lesson.id).where(Lesson.creator_id == teacher.id)
    batch_id = scheduling.start(Press(teacher.id, "1"), PUBLISH, chosen, actor=actor, options=bound)
    assert (batches.progress(batch_id).status, batches.progress(batch_id).left) == ("open", 21)
    few = scheduling.start(Press(teacher.id, "2"), UNPUBLISH, ids[:20], actor=actor, options=bound)
    assert batches.progress(few).status == "done"
    finish(batch_id)
    assert batches.progress(batch_id).done == 21


def test_who_begins_one_and_who_sees_it(teacher: User) -> None:
    batch_id = begun(teacher, ready(teacher))
    assert own_lessons.batch_of(teacher, batch_id).id == batch_id
    for other in (make_user(), make_user(role="support")):
        with pytest.raises(Missing):
            own_lessons.batch_of(other, batch_id)
    of_staff = begin(PUBLISH, ready(teacher), Actor.user(teacher.id))
    for missing in (of_staff, new_id()):
        with pytest.raises(Missing):
            own_lessons.batch_of(teacher, missing)
    for role in ("student", "support", "admin"):
        with pytest.raises(Forbidden):
            own_lessons.bound(make_user(role=role))
