"""The trash over HTTP, with the processes as they run: what comes from Mux meanwhile, and how it ends."""

from tests.contract.callers import Caller
from tests.contract.stack import Stack
from tests.contract.test_lessons import ready_lesson


def test_a_video_that_becomes_ready_in_the_trash_publishes_nothing(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    asset = stack.mux.asset_of(ticket["upload_id"], "preparing")
    stack.hook.asset("created", asset).expect(204)
    instructor.delete(f"/api/lessons/{lesson_id}").expect(204)
    asset["status"] = "ready"
    stack.hook.asset("ready", asset).expect(204)
    row = stack.lesson(lesson_id)
    assert (row["video_processing_status"], row["status"], row["publish_on_ready"]) == (
        "ready",
        "draft",
        False,
    )
    instructor.get(f"/api/lessons/{lesson_id}").expect(404)
    assert instructor.get("/api/lessons?trash=1").expect(200).json["items"][0]["id"] == lesson_id
    back = instructor.post(f"/api/lessons/{lesson_id}/restore").expect(200).json
    assert (back["status"], back["publish_on_ready"], back["video"]["status"]) == ("draft", False, "ready")
    assert "lesson.published" not in stack.actions(lesson_id)
    assert stack.notices(lesson_id) == []


def test_what_is_due_is_deleted_at_mux_once_by_the_clock(
    stack: Stack, instructor: Caller, student: Caller
) -> None:
    lesson_id, asset = ready_lesson(stack, instructor, title="Rye")
    student.get(f"/api/lessons/{lesson_id}/playback").expect(200)
    instructor.delete(f"/api/lessons/{lesson_id}").expect(204)
    student.get(f"/api/lessons/{lesson_id}/playback").expect(404)
    student.get(f"/api/lessons/{lesson_id}").expect(404)
    assert stack.sql("SELECT 1 FROM asset_deletions WHERE mux_asset_id = %s", asset["id"]) == []
    stack.sql("UPDATE lessons SET deleted_at = now() - interval '31 days' WHERE id = %s", lesson_id)
    stack.until(lambda: asset["id"] not in stack.mux.assets)
    assert stack.sql("SELECT 1 FROM lessons WHERE id = %s", lesson_id) == []
    assert stack.actions(lesson_id).count("lesson.deleted_permanently") == 1
    instructor.post(f"/api/lessons/{lesson_id}/restore").expect(404)
