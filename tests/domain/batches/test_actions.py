"""Bulk actions row by row: what each does in every state, and that the preview says beforehand what the run does."""

import itertools
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.batches import batches, preview, registry, runner, scheduling, undo
from lessonadmin.domain.errors import Conflict, Missing
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, AuditLog, Course, Lesson, Tracking, UploadCancellation
from lessonadmin.domain.models.lessons import VIDEO_STATUSES
from lessonadmin.domain.polling.ask_mux import Answers
from tests.factories import (
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
)
from tests.mux_sim import MuxSim
from tests.settings import overridden


def staff(reason: str = "asked by phone") -> Actor:
    return Actor.user(make_user(role="support").id, reason=reason)


def run(target: str, name: str, *ids: uuid.UUID, **options: object) -> dict[uuid.UUID, batches.Item]:
    report = scheduling.run_now(registry.find(target, name), ids, actor=staff(), options=options)
    return {line.target_id: line for line in report.items}


def only(target: str, name: str, target_id: uuid.UUID, **options: object) -> batches.Item:
    return run(target, name, target_id, **options)[target_id]


def test_the_table_has_exactly_the_actions_that_the_panel_promises() -> None:
    names = {target: {action.name for action in registry.of(target)} for target in registry.MODELS}
    assert names == {
        "lesson": {"publish", "unpublish", "republish", "clear_asset", "recheck"},
        "course": {"clear_asset", "recheck"},
        "tracking": {"recheck", "clear_asset", "take_over"},
        "event": {"replay"},
    }
    assert all((action.inside is None) != (action.outside is None) for action in registry.ALL)
    with pytest.raises(Missing):
        registry.find("course", "publish")


EVERY_LESSON = [
    {
        "status": status,
        "publish_on_ready": intent,
        "video_processing_status": video,
        "mux_asset_id": asset,
        "mux_playback_id": playback,
    }
    for status, intent, video, asset, playback in itertools.product(
        ("draft", "published"),
        (True, False),
        VIDEO_STATUSES,
        (None, "temp_1", "asset"),
        (None, "play", "temp_playback_1"),
    )
]


def every_lesson(tracked: str | None) -> Iterator[tuple[uuid.UUID, dict[str, object]]]:
    creator = make_user()
    for number, columns in enumerate(EVERY_LESSON):
        asset = columns["mux_asset_id"]
        own = columns | {"mux_asset_id": f"{asset}{number}" if asset else None}
        lesson = make_lesson(creator=creator, **own)
        if tracked is not None:
            real = f"tracked{number}" if tracked in ("ready", "deleting") else None
            make_tracking(lesson, status=tracked, mux_asset_id=real, mux_playback_id=real and "p")
        yield lesson.id, columns


@pytest.mark.parametrize("name", ["publish", "unpublish", "clear_asset"])
@pytest.mark.parametrize("tracked", [None, "uploading", "ready", "error", "deleting", "cancelled"])
def test_the_preview_says_what_the_run_does(session: Session, name: str, tracked: str | None) -> None:
    """Every combination of a lesson's columns, sensible or not, with each kind of upload beside it."""
    with transaction(CLI):
        made = dict(every_lesson(tracked))
    action = registry.find("lesson", name)
    before = preview.preview(action, list(made))
    with transaction(staff()):
        said = {
            lesson_id: action.inside(lesson_id, {}).code  # type: ignore[misc]  # these have one
            for lesson_id in made
        }
    foretold = {group.code: group.count for group in before.groups}
    assert foretold == {code: list(said.values()).count(code) for code in set(said.values())}
    assert before.asked == len(made) == before.changes + before.skipped


@pytest.mark.parametrize("target", ["lesson", "course"])
@pytest.mark.parametrize("name", ["clear_asset", "recheck"])
def test_each_verdict_is_valid_sql_for_many_rows(session: Session, target: str, name: str) -> None:
    rows = [make_lesson() for _ in range(3)] if target == "lesson" else [make_course() for _ in range(3)]
    gone = uuid.uuid4()
    found = preview.preview(registry.find(target, name), [*(row.id for row in rows), gone])
    assert (found.asked, found.changes, found.skipped) == (4, 0, 4)
    by_code = {group.code: group for group in found.groups}
    assert by_code["missing"].count == 1
    assert {example.name for group in found.groups for example in group.examples} <= {r.title for r in rows}


def test_a_choice_by_filter_is_counted_like_a_choice_by_hand(session: Session) -> None:
    creator = make_user()
    ready = [make_playing_lesson(creator=creator, status="draft", published_at=None) for _ in range(3)]
    make_lesson(creator=creator)
    make_lesson()
    source = select(Lesson.id).where(Lesson.creator_id == creator.id).order_by(Lesson.title)
    found = preview.preview(registry.find("lesson", "publish"), source)
    assert (found.asked, found.changes, found.skipped) == (4, 3, 1)
    assert {one.id for one in found.will_do[0].examples} <= {lesson.id for lesson in ready}
    assert found.will_skip[0].code == "no_video"


def test_a_filter_that_matches_nothing(session: Session) -> None:
    nothing = select(Lesson.id).where(Lesson.title == "no such lesson")
    found = preview.preview(registry.find("lesson", "publish"), nothing)
    assert (found.asked, found.changes, found.groups) == (0, 0, ())
    with transaction(staff()):
        batch = batches.create(registry.find("lesson", "publish"), nothing)
    assert (batch.status, batch.total) == ("done", 0)
    assert batch.finished_at is not None


def test_publish_does_what_fits_each_lesson(session: Session, mux_sim: MuxSim) -> None:
    ready = make_playing_lesson(status="draft", published_at=None, publish_on_ready=False)
    coming = make_lesson(publish_on_ready=False)
    mux_sim.upload(coming)
    temporary = make_lesson(mux_asset_id="temp_9", video_processing_status="processing")
    failed = make_lesson(
        video_processing_status="error", video_error_type="asset_errored", video_error_message="bad file"
    )
    empty = make_lesson()
    gone = uuid.uuid4()
    lines = run("lesson", "publish", ready.id, coming.id, temporary.id, failed.id, empty.id, gone)
    assert {one: lines[one].status for one in lines} == {
        ready.id: "done",
        coming.id: "done",
        temporary.id: "skipped",
        failed.id: "skipped",
        empty.id: "skipped",
        gone: "skipped",
    }
    assert mux_sim.lesson(ready).status == "published"
    assert mux_sim.lesson(coming).publish_on_ready is True
    assert "temporary" in lines[temporary.id].note
    assert "bad file" in lines[failed.id].note
    assert lines[gone].note == "It is not there any more."


def test_a_person_may_publish_what_was_taken_back_before(session: Session, mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson()
    assert only("lesson", "unpublish", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).status == "draft"
    assert only("lesson", "unpublish", lesson.id).status == "skipped"
    assert only("lesson", "publish", lesson.id).status == "done"
    assert only("lesson", "publish", lesson.id).status == "skipped"
    assert mux_sim.actions(lesson.id) == ["lesson.unpublished", "lesson.published"]


def test_each_change_is_written_down_with_actor_reason_and_batch(session: Session) -> None:
    lesson = make_playing_lesson()
    actor = staff("ticket 4711")
    report = scheduling.run_now(registry.find("lesson", "unpublish"), [lesson.id], actor=actor)
    row = session.scalars(select(AuditLog).where(AuditLog.action == "lesson.unpublished")).one()
    assert (row.actor_type, row.actor_id) == ("user", actor.id)
    assert row.detail["reason"] == "ticket 4711"
    assert row.detail["batch"] == str(report.batch_id)
    begun = session.scalars(select(AuditLog).where(AuditLog.action == "batch.created")).one()
    assert (begun.target_id, begun.detail["total"]) == (report.batch_id, 1)


# Republish


def lose_everything(mux_sim: MuxSim, lesson: Lesson) -> str:
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    return str(mux_sim.control.assets()[0]["id"])


def test_republish_takes_over_what_mux_has(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    asset_id = lose_everything(mux_sim, lesson)
    line = only("lesson", "republish", lesson.id)
    now = mux_sim.lesson(lesson)
    assert (line.status, now.status, now.mux_asset_id) == ("done", "published", asset_id)
    assert now.mux_playback_id == mux_sim.control.assets()[0]["playback_ids"][0]["id"]


def test_republish_heals_a_temporary_id_when_the_upload_is_known(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    asset_id = lose_everything(mux_sim, lesson)
    with transaction(staff()):
        row = db.session.get_one(Lesson, lesson.id)
        row.mux_asset_id = "temp_123"
    assert only("lesson", "republish", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).mux_asset_id == asset_id


def test_republish_of_a_bare_temporary_id_is_skipped_with_the_way_out(mux_sim: MuxSim) -> None:
    lesson = make_lesson(mux_asset_id="temp_123", video_processing_status="processing")
    line = only("lesson", "republish", lesson.id)
    assert line.status == "skipped"
    assert "fix-lessons" in line.note
    assert mux_sim.calls() == []


def test_republish_of_a_lesson_from_before_tracking(mux_sim: MuxSim) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1, policy="public", status="ready")
    lesson = make_lesson(mux_asset_id=asset_id, video_processing_status="processing")
    assert only("lesson", "republish", lesson.id).status == "done"
    now = mux_sim.lesson(lesson)
    assert (now.status, now.video_processing_status, now.mux_asset_id) == ("published", "ready", asset_id)
    assert [row.status for row in mux_sim.rows(lesson)] == ["ready"]


def test_republish_corrects_a_wrong_playback_id(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    right = mux_sim.lesson(lesson).mux_playback_id
    with transaction(staff()):
        db.session.get_one(Lesson, lesson.id).mux_playback_id = "wrong"
        row = db.session.scalars(select(Tracking)).one()
        row.mux_playback_id = "wrong"
    assert only("lesson", "republish", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).mux_playback_id == right
    assert mux_sim.rows(lesson)[0].mux_playback_id == right


def test_republish_takes_over_another_policy_and_a_later_look_leaves_it(mux_sim: MuxSim) -> None:
    mux_sim.control.set_switch("playback_ids", "other_policy")
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_error_type == "wrong_policy"
    assert only("lesson", "republish", lesson.id).status == "done"
    now = mux_sim.lesson(lesson)
    assert (now.status, now.playback_policy) == ("published", "signed")
    assert only("lesson", "recheck", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).status == "published"


def test_republish_of_what_mux_still_works_on_promises_it(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    line = only("lesson", "republish", lesson.id)
    assert (line.status, mux_sim.lesson(lesson).publish_on_ready) == ("done", True)
    assert mux_sim.lesson(lesson).video_processing_status == "processing"


def test_republish_of_what_is_gone_at_mux_says_so(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.delete_asset_in_dashboard(mux_sim.control.assets()[0]["id"])
    mux_sim.forget()
    line = only("lesson", "republish", lesson.id)
    assert line.status == "failed"
    assert "deleted at Mux" in line.note
    assert mux_sim.lesson(lesson).status == "draft"


def test_mux_away_means_later_not_failed(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    lose_everything(mux_sim, lesson)
    with overridden(mux_api_url="http://127.0.0.1:1"):
        line = only("lesson", "republish", lesson.id)
    assert line.status == "open"
    assert "tried again by itself" in line.note
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"


# Recheck


def test_recheck_finds_what_we_were_not_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    lose_everything(mux_sim, lesson)
    line = only("lesson", "recheck", lesson.id)
    assert "Mux had news" in line.note
    assert mux_sim.lesson(lesson).status == "published"
    again = only("lesson", "recheck", lesson.id)
    assert "Mux agrees" in again.note
    assert {call["token_id"] for call in mux_sim.calls("get_asset")} == {"web-token"}


def test_recheck_of_a_course_and_of_one_upload(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.forget()
    assert only("course", "recheck", course.id).status == "done"
    assert mux_sim.course(course).video_processing_status == "ready"
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    (row,) = mux_sim.rows(lesson)
    assert only("tracking", "recheck", row.id).status == "done"
    assert mux_sim.lesson(lesson).status == "published"


def test_recheck_with_nothing_to_ask(mux_sim: MuxSim) -> None:
    empty, temporary = make_lesson(), make_lesson(mux_asset_id="temp_1")
    lines = run("lesson", "recheck", empty.id, temporary.id)
    assert {line.status for line in lines.values()} == {"skipped"}
    assert mux_sim.calls() == []


def test_recheck_of_an_old_lesson_whose_policy_nobody_wrote_down(mux_sim: MuxSim) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1, policy="signed", status="ready")
    lesson = make_lesson(mux_asset_id=asset_id, video_processing_status="processing")
    assert only("lesson", "recheck", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).playback_policy == "signed"


# Clear asset


def test_clear_asset_takes_it_from_everything_that_uses_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset_id = mux_sim.lesson(lesson).mux_asset_id
    twin = make_lesson(
        mux_asset_id=asset_id, mux_playback_id="p", video_processing_status="ready", status="published"
    )
    course = make_course(mux_asset_id=asset_id, mux_playback_id="p", video_processing_status="ready")
    line = only("lesson", "clear_asset", lesson.id)
    assert line.status == "done"
    for now in (mux_sim.lesson(lesson), mux_sim.lesson(twin), mux_sim.course(course)):
        assert (now.mux_asset_id, now.mux_playback_id, now.video_processing_status) == (
            None,
            None,
            "deleting",
        )
    assert mux_sim.lesson(twin).status == "draft"
    sweep.sweep()
    assert mux_sim.control.assets() == []
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_clear_asset_cancels_an_upload_and_forgets_a_temporary_id(mux_sim: MuxSim) -> None:
    coming, temporary = (
        make_lesson(),
        make_lesson(mux_asset_id="temp_1", video_processing_status="processing"),
    )
    mux_sim.upload(coming)
    lines = run("lesson", "clear_asset", coming.id, temporary.id, make_lesson().id)
    assert sorted(line.status for line in lines.values()) == ["done", "done", "skipped"]
    assert mux_sim.lesson(coming).video_processing_status == "none"
    now = mux_sim.lesson(temporary)
    assert (now.mux_asset_id, now.video_processing_status) == (None, "none")
    assert db.session.scalar(select(UploadCancellation.target_id)) == coming.id
    assert db.session.scalars(select(AssetDeletion)).all() == []


def test_clear_asset_of_a_failed_upload_does_not_come_back(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.error_upload(ticket.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_processing_status == "error"
    assert only("lesson", "clear_asset", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).video_processing_status == "none"
    assert only("lesson", "recheck", lesson.id).status == "skipped"
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_clear_asset_with_grace_keeps_the_asset_at_mux_for_a_while(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert only("lesson", "clear_asset", lesson.id, grace=True).status == "done"
    sweep.sweep()
    assert len(mux_sim.control.assets()) == 1
    deletion = db.session.scalars(select(AssetDeletion)).one()
    assert (deletion.due_at - deletion.requested_at).total_seconds() > 86_000
    assert deletion.reason == "asked by phone"


def clear_with_grace(lesson: Lesson | Course) -> uuid.UUID:
    target = "lesson" if isinstance(lesson, Lesson) else "course"
    action = registry.find(target, "clear_asset")
    return scheduling.run_now(action, [lesson.id], actor=staff(), options={"grace": True}).batch_id


def undone(batch_id: uuid.UUID) -> batches.Item:
    with transaction(staff()):
        undoing = undo.undo(batch_id)
    runner.run_some(undoing.id, seconds=10)
    (line,) = batches.items(undoing.id)
    return line


@pytest.mark.parametrize("status", ["published", "draft"])
def test_a_cleared_video_is_brought_back_within_its_grace_time(mux_sim: MuxSim, status: str) -> None:
    lesson = make_lesson(publish_on_ready=status == "published")
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    before = mux_sim.lesson(lesson)
    ids = (before.mux_asset_id, before.mux_playback_id)
    batch_id = clear_with_grace(lesson)
    assert mux_sim.lesson(lesson).status == "draft"
    assert undo.count_undoable(batch_id) == (1, 0)
    assert undone(batch_id).status == "done"
    sweep.sweep()
    now = mux_sim.lesson(lesson)
    assert (now.mux_asset_id, now.mux_playback_id) == ids
    assert (now.status, now.video_processing_status) == (status, "ready")
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert len(mux_sim.control.assets()) == 1


def test_a_cleared_preview_of_a_course_is_brought_back(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    batch_id = clear_with_grace(course)
    undone(batch_id)
    sweep.sweep()
    assert mux_sim.course(course).video_processing_status == "ready"


def test_it_is_too_late_once_mux_has_deleted_it(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    batch_id = clear_with_grace(lesson)
    with transaction(staff()):
        undoing = undo.undo(batch_id)
    db.session.execute(update(AssetDeletion).values(due_at=func.clock_timestamp()))
    db.session.commit()
    sweep.sweep()
    assert mux_sim.control.assets() == []
    runner.run_some(undoing.id, seconds=10)
    (line,) = batches.items(undoing.id)
    assert line.status == "skipped"
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_a_new_upload_since_then_is_not_overrun(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    batch_id = clear_with_grace(lesson)
    ticket = mux_sim.upload(lesson)
    assert undo.count_undoable(batch_id) == (0, 1)
    mux_sim.control.complete_upload(ticket.upload_id)
    mux_sim.deliver()
    assert mux_sim.lesson(lesson).video_processing_status == "ready"


def test_clearing_without_grace_cannot_be_undone(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    report = scheduling.run_now(registry.find("lesson", "clear_asset"), [lesson.id], actor=staff())
    assert not undo.can_undo(batches.get(report.batch_id))
    with pytest.raises(Conflict), transaction(staff()):
        undo.undo(report.batch_id)


def test_clear_asset_of_a_course_and_of_one_upload(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    assert only("course", "clear_asset", course.id).status == "done"
    assert mux_sim.course(course).mux_asset_id is None
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    playing, coming = mux_sim.rows(lesson)
    assert only("tracking", "clear_asset", coming.id).status == "done"
    assert mux_sim.lesson(lesson).status == "published"
    assert only("tracking", "clear_asset", playing.id).status == "done"
    assert mux_sim.lesson(lesson).status == "draft"
    assert only("tracking", "clear_asset", playing.id).status == "skipped"


def test_recheck_of_a_deletion_that_mux_put_off(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    only("lesson", "clear_asset", lesson.id)
    sweep.sweep()
    assert mux_sim.lesson(lesson).video_processing_status == "deleting"
    mux_sim.control.hold_processing(False)
    mux_sim.control.set_asset_ready(mux_sim.control.assets()[0]["id"])
    assert only("lesson", "recheck", lesson.id).note == "The video is gone at Mux."
    assert mux_sim.lesson(lesson).video_processing_status == "none"


# Events


def test_replay_applies_a_parked_event_and_is_written_down(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.control.flush_events()
    payloads = mux_sim.waiting()
    event = make_event(
        type=payloads[-1]["type"], mux_event_id=payloads[-1]["id"], payload=payloads[-1], outcome="unmatched"
    )
    broken = make_event(payload={"type": "video.asset.ready"}, outcome="failed")
    lines = run("event", "replay", event.id, broken.id)
    assert lines[event.id].status == "done"
    assert lines[broken.id].status == "failed"
    assert mux_sim.lesson(lesson).status == "published"
    row = db.session.scalars(select(AuditLog).where(AuditLog.target_id == event.id)).one()
    assert (row.action, row.detail["before"], row.detail["after"]) == (
        "event.replayed",
        "unmatched",
        "applied",
    )


def test_actions_say_how_many_calls_a_row_costs(mux_sim: MuxSim) -> None:
    known, waiting = make_playing_lesson(), make_lesson()
    mux_sim.upload(waiting)
    recheck = registry.find("lesson", "recheck")
    assert recheck.calls is not None
    singly = Answers("low")
    assert (recheck.calls(known.id, singly), recheck.calls(waiting.id, singly)) == (1, 2)
