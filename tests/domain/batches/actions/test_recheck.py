"""Recheck asks Mux about lessons, courses and uploads and applies the answer."""

from lessonadmin.domain.batches import registry
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.polling.ask_mux import Answers
from tests.domain.batches.actions.support import lose_everything, only, run
from tests.factories import (
    make_course,
    make_lesson,
    make_playing_lesson,
)
from tests.mux_sim import MuxSim


def test_recheck_finds_what_we_were_not_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    lose_everything(mux_sim, lesson)
    line = only("lesson", "recheck", lesson.id)
    assert line.note == "The video is ready at Mux, and plays now. Asked just now."
    assert mux_sim.lesson(lesson).status == "published"
    again = only("lesson", "recheck", lesson.id)
    assert again.note == "The video is ready at Mux, as it is here. Asked just now."
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
    (row,) = mux_sim.uploads(lesson)
    assert only("tracking", "recheck", row.id).status == "done"
    assert mux_sim.lesson(lesson).status == "published"


def test_recheck_says_what_mux_was_found_to_say(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    assert only("lesson", "recheck", lesson.id).note == "Mux is still waiting for the file. Asked just now."
    (row,) = mux_sim.uploads(lesson)
    assert only("tracking", "recheck", row.id).note == "Mux is still waiting for the file. Asked just now."
    (row,) = mux_sim.uploads(lesson)
    assert row.last_answer == "upload_waiting"
    assert row.last_answer_at is not None
    mux_sim.control.error_upload(ticket.upload_id)
    mux_sim.forget()
    assert "Mux could not use the file" in only("lesson", "recheck", lesson.id).note
    again = only("lesson", "recheck", lesson.id).note
    assert again.startswith("Mux says nothing new. Mux could not use the file")
    assert again.endswith("Asked just now.")


def test_recheck_of_a_new_video_speaks_of_the_new_one(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    assert only("lesson", "recheck", lesson.id).note == "Mux is still waiting for the file. Asked just now."


def test_recheck_with_nothing_to_ask(mux_sim: MuxSim) -> None:
    empty, temporary = make_lesson(), make_lesson(mux_asset_id="temp_1")
    lines = run("lesson", "recheck", empty.id, temporary.id)
    assert {line.status for line in lines.values()} == {"skipped"}
    assert mux_sim.calls() == []


def test_recheck_of_an_old_lesson_without_a_policy(mux_sim: MuxSim) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1, policy="signed", status="ready")
    lesson = make_lesson(mux_asset_id=asset_id, video_processing_status="processing")
    assert only("lesson", "recheck", lesson.id).status == "done"
    assert mux_sim.lesson(lesson).playback_policy == "signed"


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
    assert only("lesson", "recheck", lesson.id).note == "The video is deleted at Mux."
    assert mux_sim.lesson(lesson).video_processing_status == "none"


def test_actions_say_how_many_calls_a_row_costs(mux_sim: MuxSim) -> None:
    known, waiting = make_playing_lesson(), make_lesson()
    mux_sim.upload(waiting)
    recheck = registry.find("lesson", "recheck")
    assert recheck.calls is not None
    singly = Answers("low")
    assert (recheck.calls(known.id, singly), recheck.calls(waiting.id, singly)) == (1, 2)
