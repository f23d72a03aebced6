"""Faults planted in the product, one at a time: the machine or the table must notice each. A judge that acquits every fault
proves nothing. If a change makes one of these survive, the laws have lost their teeth, not the mutant its sting.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import false, true

from lessonadmin import mux
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.polling import ask_mux, survey
from lessonadmin.domain.videos import (
    cleanup,
    outbox,
    publication,
    recheck_schedule,
    state_machine,
    transitions,
    withdrawal,
)
from lessonadmin.domain.videos.observations import gone_observation
from lessonadmin.domain.videos.state_machine import State, VideoEvent
from tests.domain.videos.machine import VideoMachine
from tests.domain.videos.machine_stories import STORIES, tell
from tests.domain.videos.test_state_machine import SHORT, cells

Patch = pytest.MonkeyPatch
# No shrinking: here it only counts that it is caught.
HUNT = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def moves(patch: Patch, state: State, video_event: VideoEvent, to: State) -> None:
    patch.setitem(state_machine.MOVES, state, state_machine.MOVES[state] | {video_event: to})


def a_late_created_undoes_ready(patch: Patch) -> None:
    moves(patch, State.READY, VideoEvent.ASSET_SEEN, State.PROCESSING)


def a_late_event_wakes_what_was_deleted(patch: Patch) -> None:
    moves(patch, State.DELETING, VideoEvent.ASSET_READY, State.READY)


def a_cancelled_upload_comes_back(patch: Patch) -> None:
    moves(patch, State.CANCELLED, VideoEvent.ASSET_READY, State.READY)


def hearsay_settles_a_dispute(patch: Patch) -> None:
    patch.setattr(state_machine, "DISPUTES", {})
    moves(patch, State.READY, VideoEvent.ASSET_ERRORED, State.ASSET_FAILED)


def every_ready_publishes(patch: Patch) -> None:
    def fulfil(lesson: Any, tracking: Any) -> bool:
        return lesson.status == "draft" and publication.publish(lesson, by_itself=True, tracking=tracking)

    patch.setattr(publication, "fulfil", fulfil)


def unpublishing_forgets_the_intent(patch: Patch) -> None:
    real = publication.withdraw

    def withdraw(lesson: Any, *, why: str | None = None) -> bool:
        done = real(lesson, why=why)
        lesson.publish_on_ready = True
        return done

    patch.setattr(publication, "withdraw", withdraw)


def no_publication_waits_for_unsaved_changes(patch: Patch) -> None:
    patch.setattr(publication, "may_be_fulfilled", publication.publishes_by_itself)


def a_lesson_is_published_before_its_time(patch: Patch) -> None:
    real = publication._is_over
    patch.setattr(publication, "_is_over", lambda at: at is not None and (at > datetime.now(UTC) or real(at)))


def an_end_that_was_planned_is_not_kept(patch: Patch) -> None:
    patch.setattr(publication, "_take_back_in_time", lambda _: False)


def a_page_that_was_closed_holds_its_lesson_for_ever(patch: Patch) -> None:
    patch.setattr(publication, "due", false)


def one_page_releases_the_lesson_for_all(patch: Patch) -> None:
    real = publication._forget
    patch.setattr(publication, "_forget", lambda lesson, _: real(lesson, true()))


def a_publication_is_written_down_twice(patch: Patch) -> None:
    real = audit_log.record

    def record(action: str, target: Any, **detail: Any) -> None:
        for _ in range(2 if action == "lesson.published" else 1):
            real(action, target, **detail)

    patch.setattr(audit_log, "record", record)


def what_is_not_wanted_stays_at_mux(patch: Patch) -> None:
    patch.setattr(transitions, "_delete_if_unwanted", lambda *_: None)


def a_replaced_video_is_forgotten(patch: Patch) -> None:
    patch.setattr(outbox, "request_deletion_after_grace", lambda *_: None)


def a_failed_attempt_is_the_last_word_beside_a_video_that_plays(patch: Patch) -> None:
    patch.setattr(transitions, "ENDED", ())


def the_sweep_sees_nothing(patch: Patch) -> None:
    patch.setattr(survey, "_claim_due", list)


def a_failed_look_is_taken_for_gone(patch: Patch) -> None:
    real = ask_mux.observe

    def ask(subject: Any, **how: Any) -> Any:
        try:
            return real(subject, **how)
        except mux.Later:
            return gone_observation(subject.asset_id or "unknown", found_by=how["found_by"]), "get_asset"

    patch.setattr(ask_mux, "observe", ask)


def undo_leaves_the_promise_standing(patch: Patch) -> None:
    patch.setattr(outbox, "withdraw_deletion", lambda _: True)


def deleted_without_looking(patch: Patch) -> None:
    """What Mux answered is not asked for: an error counts as done."""

    def delete(asset_id: str, priority: mux.Priority) -> bool:
        try:
            mux.delete_asset(asset_id, priority=priority)
        except mux.MuxError:
            return True
        return True

    patch.setattr(cleanup, "_delete_and_verify", delete)


def the_lesson_keeps_the_ids_of_what_is_gone(patch: Patch) -> None:
    real = transitions._set_columns

    def show(owner: Any, **columns: Any) -> None:
        real(owner, **{name: value for name, value in columns.items() if name != "mux_playback_id" or value})

    patch.setattr(transitions, "_set_columns", show)


def no_process_watches_an_upload(patch: Patch) -> None:
    def heard(row: Any) -> None:
        row.next_check_at = None

    patch.setattr(recheck_schedule, "schedule_next", heard)


def the_loss_of_a_right_withdraws_nothing(patch: Patch) -> None:
    patch.setattr(withdrawal, "withdraw_uploads_of", lambda *_, **__: 0)


def what_is_held_is_thrown_away(patch: Patch) -> None:
    real = transitions._delete_if_unwanted

    def unwanted(video: Any, row: Any) -> None:
        real(video, row)
        if row.error_type == "held":
            outbox.request_deletion(row, why="nobody asked staff")

    patch.setattr(transitions, "_delete_if_unwanted", unwanted)


# Each with the story that notices it, which is told first. None: the table notices, and no story has to be told.
MUTANTS: dict[Callable[[Patch], None], str | None] = {
    a_late_created_undoes_ready: None,
    a_late_event_wakes_what_was_deleted: None,
    a_cancelled_upload_comes_back: None,
    hearsay_settles_a_dispute: None,
    every_ready_publishes: "taken back while it was processed",
    unpublishing_forgets_the_intent: "taken back, and told again",
    no_publication_waits_for_unsaved_changes: "ready while somebody typed",
    a_lesson_is_published_before_its_time: "ready before its time",
    an_end_that_was_planned_is_not_kept: "the clock was down over both its times",
    a_page_that_was_closed_holds_its_lesson_for_ever: "ready while somebody typed",
    one_page_releases_the_lesson_for_all: "ready while somebody typed in two tabs and took it back in one",
    a_publication_is_written_down_twice: "it plays",
    what_is_not_wanted_stays_at_mux: "a replacement that failed",
    a_replaced_video_is_forgotten: "replaced",
    a_failed_attempt_is_the_last_word_beside_a_video_that_plays: "a replacement that failed",
    the_sweep_sees_nothing: "nobody told us",
    a_failed_look_is_taken_for_gone: "Mux was away while we looked",
    undo_leaves_the_promise_standing: "replaced and brought back",
    deleted_without_looking: "Mux was away while we deleted",
    the_lesson_keeps_the_ids_of_what_is_gone: "deleted in the dashboard",
    no_process_watches_an_upload: "it plays",
    the_loss_of_a_right_withdraws_nothing: "handed over before the file came",
    what_is_held_is_thrown_away: "handed over before the file came",
}


def table_is_right() -> bool:
    for state, video_event, cell in cells():
        for seen in (False, True):
            step = state_machine.next_state(state, video_event, seen=seen)
            asks = cell.startswith("?") and not seen
            wanted = state if asks or cell == "." else SHORT[cell.removeprefix("?")]
            if (step.state, step.ask) != (wanted, asks):
                return False
    return True


def is_caught(machine: type[VideoMachine], story: str | None) -> bool:
    """By the table or by its story, as a rule; if not, by any other story or by a long walk."""
    if not table_is_right():
        return True
    try:
        if story is not None:
            tell(machine, STORIES[story])
        for steps in STORIES.values():
            tell(machine, steps)
        run_state_machine_as_test(machine, settings=HUNT)
    except Exception:  # a law broken, or the product stumbling over its own rows
        return True
    return False


@pytest.mark.timeout(200)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.__name__)
def test_each_planted_fault_is_caught(
    app: Flask, empty_tables: Any, monkeypatch: Patch, mutant: Callable[[Patch], None]
) -> None:
    VideoMachine.app = app
    VideoMachine.empty = staticmethod(empty_tables)
    assert table_is_right()
    mutant(monkeypatch)
    assert is_caught(VideoMachine, MUTANTS[mutant]), f"nobody noticed: {mutant.__name__}"
