"""Many lessons into the trash, and out of it as they were."""

import pytest
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, transaction
from lessonadmin.domain.batches import undo
from lessonadmin.domain.lessons import lessons, trash
from lessonadmin.domain.lessons.lessons import Changes
from lessonadmin.domain.models import User
from tests.domain.batches.actions.owners import items, lesson, run, statuses, undone, verdicts
from tests.factories import make_lesson, make_playing_lesson, make_purchase, make_user


@pytest.fixture
def teacher(session: Session) -> User:
    return make_user()


def test_they_are_deleted_and_come_back_as_they_were(teacher: User) -> None:
    out, draft = (
        make_playing_lesson(creator=teacher).id,
        make_lesson(creator=teacher, publish_on_ready=True).id,
    )
    published_at = lesson(out).published_at
    assert verdicts(teacher, "trash", [out, draft]) == {out: True, draft: True}
    batch_id = run(teacher, "trash", [out, draft])
    assert all(lesson(one).deleted_at is not None for one in (out, draft))
    assert lesson(out).deleted_by == teacher.id
    assert undo.count_undoable(batch_id) == (2, 0)
    assert undo.is_undoable(batch_id)
    undoing = undone(teacher, batch_id)
    assert statuses(undoing) == {out: "done", draft: "done"}
    assert (lesson(out).status, lesson(out).published_at, lesson(out).deleted_at) == (
        "published", published_at, None
    )  # fmt: skip
    assert (lesson(draft).publish_on_ready, lesson(draft).deleted_at) == (True, None)
    assert not undo.is_undoable(batch_id)


def test_a_bought_lesson_stays_and_says_what_can_be_done_instead(teacher: User) -> None:
    sold = make_playing_lesson(creator=teacher)
    make_purchase(sold, make_user(role="student"))
    assert verdicts(teacher, "trash", [sold.id]) == {sold.id: False}
    batch_id = run(teacher, "trash", [sold.id])
    assert "withdrawn from sale" in items(batch_id)[sold.id].note
    assert lesson(sold.id).deleted_at is None


def test_what_was_restored_since_or_plays_no_more_is_not_published_by_the_undo(teacher: User) -> None:
    restored, mute = (make_playing_lesson(creator=teacher).id for _ in range(2))
    batch_id = run(teacher, "trash", [restored, mute])
    with transaction(Actor.user(teacher.id)):
        trash.restore(teacher, "lesson", restored)
        lesson_row = trash.locking.lock_video("lesson", mute, in_trash_too=True)
        assert lesson_row is not None
        lesson_row.owner.mux_playback_id = None
    undoing = undone(teacher, batch_id)
    assert items(undoing)[restored].note.startswith("Changed since by Instructor ")
    assert statuses(undoing)[mute] == "done"
    assert [lesson(one).status for one in (restored, mute)] == ["draft", "draft"]


def test_what_was_deleted_permanently_is_gone(teacher: User) -> None:
    one = make_lesson(creator=teacher).id
    batch_id = run(teacher, "trash", [one])
    with transaction(Actor.user(teacher.id)):
        trash.end(teacher, "lesson", one)
    assert undo.count_undoable(batch_id) == (0, 1)
    assert items(undone(teacher, batch_id))[one].note == "It is not there any more."


def test_several_are_restored_and_published_and_deleted_again_by_the_undo(teacher: User) -> None:
    out, mute = (make_playing_lesson(creator=teacher).id for _ in range(2))
    draft, here = make_lesson(creator=teacher).id, make_lesson(creator=teacher).id
    run(teacher, "trash", [out, mute, draft])
    with transaction(Actor.user(teacher.id)):
        video = trash.locking.lock_video("lesson", mute, in_trash_too=True)
        assert video is not None
        video.owner.mux_playback_id = None
    ids = [out, mute, draft, here]
    assert verdicts(teacher, "restore_and_publish", ids) == {out: True, mute: True, draft: True, here: False}
    batch_id = run(teacher, "restore_and_publish", ids)
    assert statuses(batch_id) == {out: "done", mute: "done", draft: "done", here: "skipped"}
    assert [lesson(one).status for one in ids] == ["published", "draft", "draft", "draft"]
    assert all(lesson(one).deleted_at is None for one in ids)
    with transaction(Actor.user(teacher.id)):
        lessons.edit(teacher, draft, Changes(title="Worked on since"))
    assert undo.count_undoable(batch_id) == (2, 1)
    undoing = undone(teacher, batch_id)
    assert [lesson(one).deleted_at is None for one in ids] == [False, False, True, True]
    assert items(undoing)[draft].note.startswith("Changed since by Instructor ")


def test_restoring_as_drafts_publishes_nothing(teacher: User) -> None:
    one = make_playing_lesson(creator=teacher).id
    run(teacher, "trash", [one])
    run(teacher, "restore_as_draft", [one])
    assert (lesson(one).status, lesson(one).deleted_at) == ("draft", None)
    again = run(teacher, "restore_as_draft", [one])
    assert items(again)[one].note == "It is not in the trash any more."
