"""Section 5: uploads, what reaches Mux, publishing, status, replacing and deleting, with webhooks signed by hand."""

import json
import re
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.callers import Browser, Caller, Doc
from tests.contract.stack import Stack
from tests.contract.test_lessons import ready_lesson


def status(caller: Caller, lesson_id: str, **more: object) -> Doc:
    found: Doc = caller.get("/api/mux/check-asset-status", lesson_id=lesson_id, **more).expect(200).json
    return found


def test_what_reaches_mux(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    assert set(ticket) == {"upload_id", "upload_url", "expires_at"}
    ends = datetime.fromisoformat(ticket["expires_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(days=3)) < timedelta(seconds=30)
    upload = stack.mux.uploads[ticket["upload_id"]]
    assert ticket["upload_url"] == upload["url"]
    body = stack.mux.bodies[-1]
    settings = body["new_asset_settings"]
    row = stack.one("SELECT * FROM mux_asset_tracking WHERE upload_id = %s", ticket["upload_id"])
    assert body["cors_origin"] == stack.url
    assert body["timeout"] == 3 * 86400
    assert settings["max_resolution_tier"] == "1080p"
    assert settings.get("playback_policies", settings.get("playback_policy")) in (["public"], "public")
    assert settings["meta"]["external_id"] == str(row["id"])
    assert len(settings["passthrough"]) <= 255
    note = json.loads(settings["passthrough"])
    assert note["lesson_id"] == lesson_id
    assert "course_id" not in note
    assert (row["status"], str(row["lesson_id"]), row["course_id"]) == ("uploading", lesson_id, None)
    assert instructor.seen(lesson_id)["video"]["status"] == "uploading"
    assert stack.lesson(lesson_id)["video_processing_status"] == "uploading"
    assert "video.upload_started" in stack.actions(lesson_id)
    assert next(call for call in reversed(stack.mux.calls) if call[0] == "POST")[2] == "high"


def test_an_upload_url_by_query_string_and_for_a_course(stack: Stack, instructor: Caller) -> None:
    course_id = instructor.course()["id"]
    made = instructor.call("POST", f"/api/mux/upload?course_id={course_id}&filename=a.mov&size=5").expect(201)
    note = json.loads(stack.mux.bodies[-1]["new_asset_settings"]["passthrough"])
    assert (note["course_id"], "lesson_id" in note) == (course_id, False)
    row = stack.one("SELECT * FROM mux_asset_tracking WHERE upload_id = %s", made.json["upload_id"])
    assert (str(row["course_id"]), row["lesson_id"]) == (course_id, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"filename": "a.mp4"}, 400),
        ({"filename": "a.mp4", "lesson_id": "x"}, 400),
        ({"lesson_id": "own"}, 400),
        ({"lesson_id": "own", "course_id": "own", "filename": "a.mp4"}, 400),
        ({"lesson_id": "own", "filename": "a.mp4", "surprise": 1}, 400),
        ({"lesson_id": "own", "filename": "a.mp4", "size": -1}, 400),
        ({"lesson_id": "own", "filename": "notes.pdf", "content_type": "application/pdf"}, 415),
        ({"lesson_id": "own", "filename": "notes.txt"}, 415),
        ({"lesson_id": "own", "filename": "a.mp4", "size": 2000 * 1024 * 1024 + 1}, 413),
        ({"lesson_id": "own", "filename": "a.mp4", "size": 2000 * 1024 * 1024}, 201),
        ({"lesson_id": "own", "filename": "a", "content_type": "video/webm"}, 201),
        ({"lesson_id": str(uuid.uuid4()), "filename": "a.mp4"}, 404),
    ],
)
def test_which_files_are_taken(instructor: Caller, given: Doc, expected: int) -> None:
    own = {"lesson_id": instructor.lesson, "course_id": instructor.course}
    given = {key: own[key]()["id"] if value == "own" else value for key, value in given.items()}
    instructor.post("/api/mux/upload-url", given).expect(expected)


def test_a_full_plan_and_an_absent_mux(stack: Stack, instructor: Caller, support: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    asked = {"lesson_id": lesson_id, "filename": "a.mp4"}
    stack.mux.plan_full = True
    assert instructor.post("/api/mux/upload-url", asked).expect(409).error == "quota"
    refused = support.post("/api/mux/upload-url", asked).expect(409)
    assert "Free plan is limited to 10 assets" in refused.json["error"]["message"]
    stack.mux.calm()
    stack.mux.down = True
    assert instructor.post("/api/mux/upload-url", asked).expect(503).error == "mux_unavailable"
    assert instructor.seen(lesson_id)["video"]["status"] == "none"


def test_the_whole_way_by_webhooks(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    upload = stack.mux.uploads[ticket["upload_id"]]
    stack.hook.upload("created", upload).expect(204)
    told = {"lesson_id": lesson_id, "upload_id": ticket["upload_id"], "temp_asset_id": "temp_abc"}
    assert instructor.post("/api/mux/track-upload", told).expect(200).json == {"status": "uploading"}
    row = stack.tracking(lesson_id)[0]
    assert row["temp_asset_id"] == "temp_abc"
    before = len(stack.mux.calls)
    asset = stack.mux.asset_of(ticket["upload_id"])
    stack.hook.upload("asset_created", upload).expect(204)
    stack.hook.asset("created", asset).expect(204)
    assert status(instructor, lesson_id)["status"] == "processing"
    stack.hook.asset("updated", {**asset, "progress": {"state": "transcoding", "progress": 42}}).expect(204)
    assert status(instructor, lesson_id)["progress"] == 42
    asset |= {"status": "ready", "duration": 61.5}
    stack.hook.asset("ready", asset).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["publish_on_ready"], lesson["visible_to_students"]) == (
        "published",
        False,
        True,
    )
    assert lesson["published_at"]
    assert lesson["video"] == {
        "status": "ready",
        "upload_id": ticket["upload_id"],
        "asset_id": asset["id"],
        "playback_id": asset["playback_ids"][0]["id"],
        "playback_policy": "public",
        "progress": 100,
        "duration": 61.5,
        "error": None,
        "replacement": None,
        "captions": {"status": "none", "language": None},
    }
    row = stack.lesson(lesson_id)
    assert (row["mux_asset_id"], row["video_processing_status"]) == (asset["id"], "ready")
    assert row["mux_playback_id"] == asset["playback_ids"][0]["id"]
    # what a genuine webhook says is believed without a call to Mux
    assert [call for call in stack.mux.calls[before:] if asset["id"] in call[1]] == []
    assert stack.notices(lesson_id) == ["lesson_published"]
    actions = stack.actions(lesson_id)
    assert [one for one in actions if one.startswith(("video", "lesson"))] == [
        "lesson.created", "video.upload_started", "video.processing", "video.ready", "lesson.published",
    ]  # fmt: skip
    # again, and late: nothing doubles
    stack.hook.asset("ready", asset).expect(204)
    stack.hook.asset("created", {**asset, "status": "preparing"}).expect(204)
    assert stack.notices(lesson_id) == ["lesson_published"]
    assert stack.actions(lesson_id) == actions


def test_a_person_beats_the_machine(stack: Stack, instructor: Caller) -> None:
    lesson_id, asset = ready_lesson(stack, instructor)
    instructor.patch(f"/api/lessons/{lesson_id}", {"status": "draft"}).expect(200)
    stack.hook.asset("ready", asset).expect(204)
    assert instructor.seen(lesson_id)["status"] == "draft"
    again = instructor.post(f"/api/lessons/{lesson_id}/publish").expect(200).json
    assert (again["status"], again["id"]) == ("published", lesson_id)
    instructor.post(f"/api/lessons/{lesson_id}/publish").expect(200)
    assert stack.actions(lesson_id).count("lesson.published") == 2


def test_a_draft_that_is_to_stay_one(stack: Stack, instructor: Caller) -> None:
    lesson_id, _ = ready_lesson(stack, instructor, status="draft")
    assert instructor.seen(lesson_id)["status"] == "draft"
    assert stack.notices(lesson_id) == ["video_ready"]
    published = instructor.patch(f"/api/lessons/{lesson_id}", {"status": "published"}).expect(200).json
    assert published["status"] == "published"


def test_publish_says_why_not(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson(status="draft")["id"]
    assert instructor.post(f"/api/lessons/{lesson_id}/publish").expect(400).error == "no_video"
    temporary = stack.lesson_row(mux_asset_id="temp_123", video_processing_status="processing")
    assert instructor.post(f"/api/lessons/{temporary}/publish").expect(400).error == "temporary_asset"
    ticket = instructor.upload(lesson_id=lesson_id)
    asked = instructor.post(f"/api/lessons/{lesson_id}/publish").expect(202).json
    assert (asked["status"], asked["publish_on_ready"]) == ("draft", True)
    assert "lesson.publish_requested" in stack.actions(lesson_id)
    errors = {"type": "invalid_input", "messages": ["The file is not a video."]}
    asset = stack.mux.asset_of(ticket["upload_id"], "errored", errors=errors)
    stack.hook.asset("errored", asset).expect(204)
    assert instructor.post(f"/api/lessons/{lesson_id}/publish").expect(409).error == "video_error"
    error = instructor.seen(lesson_id)["video"]["error"]
    assert (error["type"], error["message"]) == ("asset_errored", "The file is not a video.")
    assert stack.notices(lesson_id) == ["video_failed"]


def test_a_stuck_lesson_asks_mux_at_once(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    asset = stack.mux.asset_of(ticket["upload_id"])
    stack.hook.asset("created", asset).expect(204)
    stack.sql(
        "UPDATE mux_asset_tracking SET created_at = now() - interval '31 minutes' WHERE lesson_id = %s",
        lesson_id,
    )
    assert status(instructor, lesson_id)["stuck"] is True
    stack.until(lambda: "needs_attention" in stack.notices(lesson_id))
    stack.mux.down = True
    assert instructor.post(f"/api/lessons/{lesson_id}/publish").expect(503).error == "mux_unavailable"
    stack.mux.calm()
    instructor.post(f"/api/lessons/{lesson_id}/publish").expect(202)
    asset["status"] = "ready"
    assert instructor.post(f"/api/lessons/{lesson_id}/publish").expect(200).json["status"] == "published"
    time.sleep(1.5)  # a sweep or two
    assert stack.notices(lesson_id).count("needs_attention") == 1


def test_check_asset_status_counts_and_does_not_ask_mux(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    before = len([call for call in stack.mux.calls if call[2] == "high"])  # the sweep asks with the other
    found = status(instructor, lesson_id)
    assert set(found) == {
        "status", "playback_id", "asset_id", "lesson_status", "progress", "stuck", "error", "next_poll_ms",
    }  # fmt: skip
    assert (found["status"], found["lesson_status"], found["stuck"]) == ("none", "draft", False)
    pauses = [status(instructor, lesson_id, attempt=n)["next_poll_ms"] for n in (0, 1, 2, 4, 5, 60, 1000)]
    assert pauses == [5000, 7500, 11250, 25312, 30000, 30000, 30000]
    assert found["next_poll_ms"] == 5000
    assert len([call for call in stack.mux.calls if call[2] == "high"]) == before
    instructor.get("/api/mux/check-asset-status").expect(400)


def test_check_upload_status_asks_and_applies(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    asset = stack.mux.asset_of(ticket["upload_id"], "ready")
    stack.mux.down = True
    refused = instructor.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(503)
    assert refused.error == "mux_unavailable"
    assert instructor.seen(lesson_id)["video"]["status"] == "uploading"
    stack.mux.calm()
    said = instructor.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200).json
    assert set(said) == {"status", "playback_id", "asset_id", "message"}
    assert (said["status"], said["asset_id"]) == ("ready", asset["id"])
    assert said["playback_id"] == asset["playback_ids"][0]["id"]
    assert instructor.seen(lesson_id)["status"] == "published"
    # gone at Mux: cleared from the rows
    del stack.mux.assets[asset["id"]]
    gone = instructor.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200).json
    assert (gone["status"], gone["playback_id"], gone["asset_id"]) == ("error", None, None)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["publish_on_ready"]) == ("draft", False)
    assert lesson["video"]["error"]["type"] == "deleted_at_mux"
    row = stack.lesson(lesson_id)
    assert (row["mux_asset_id"], row["mux_playback_id"], row["video_processing_status"]) == (
        None,
        None,
        "error",
    )


def test_an_upload_is_cancelled(stack: Stack, instructor: Caller) -> None:
    cancelled = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=cancelled)
    said = instructor.post("/api/mux/cancel-upload", {"upload_id": ticket["upload_id"]}).expect(200).json
    assert set(said) == {"status"}
    assert instructor.seen(cancelled)["video"]["status"] == "none"
    stack.until(lambda: stack.mux.uploads[ticket["upload_id"]]["status"] == "cancelled")
    assert stack.tracking(cancelled)[0]["status"] == "cancelled"
    instructor.post("/api/mux/cancel-upload", {"upload_id": ticket["upload_id"]}).expect(200)
    instructor.post("/api/mux/cancel-upload", {"upload_id": "U-unknown"}).expect(404)


@pytest.mark.parametrize(
    ("event", "expected"), [("errored", "upload_errored"), ("cancelled", "upload_cancelled")]
)
def test_mux_ends_an_upload(stack: Stack, instructor: Caller, event: str, expected: str) -> None:
    lesson_id = instructor.lesson()["id"]
    upload = stack.mux.uploads[instructor.upload(lesson_id=lesson_id)["upload_id"]]
    stack.hook.upload(event, {**upload, "status": event}).expect(204)
    video = instructor.seen(lesson_id)["video"]
    assert (video["status"], video["error"]["type"]) == ("error", expected)


def test_an_upload_runs_out_of_time(stack: Stack, instructor: Caller) -> None:
    expired = instructor.lesson()["id"]
    upload = stack.mux.uploads[instructor.upload(lesson_id=expired)["upload_id"]]
    upload["status"] = "timed_out"
    instructor.get("/api/mux/check-upload-status", lesson_id=expired).expect(200)
    video = instructor.seen(expired)["video"]
    assert (video["status"], video["error"]["type"]) == ("error", "upload_timed_out")
    # after a failure a new attempt can be made
    instructor.upload(lesson_id=expired)
    assert instructor.seen(expired)["video"]["status"] == "uploading"


@pytest.mark.parametrize(
    ("playback_ids", "expected"),
    [([], "no_playback_id"), (None, "no_playback_id"), ([{"id": "P1", "policy": "signed"}], "wrong_policy")],
)
def test_ready_but_not_playable(
    stack: Stack, instructor: Caller, playback_ids: list[Doc] | None, expected: str
) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    asset = stack.mux.asset_of(ticket["upload_id"], "ready", playback_ids=playback_ids)
    if playback_ids is None:
        del asset["playback_ids"]
    stack.hook.asset("ready", asset).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["status"]) == ("draft", "error")
    assert lesson["video"]["error"]["type"] == expected
    assert lesson["video"]["playback_id"] is None


def test_the_right_one_of_several_playback_ids(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    ids = [{"id": "Psigned", "policy": "signed"}, {"id": f"P{uuid.uuid4().hex}", "policy": "public"}]
    stack.hook.asset("ready", stack.mux.asset_of(ticket["upload_id"], "ready", playback_ids=ids)).expect(204)
    assert instructor.seen(lesson_id)["video"]["playback_id"] == ids[1]["id"]


def test_a_new_attempt_takes_the_place_of_an_open_one(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    first, second = instructor.upload(lesson_id=lesson_id), instructor.upload(lesson_id=lesson_id)
    stack.until(lambda: stack.mux.uploads[first["upload_id"]]["status"] == "cancelled")
    assert stack.mux.uploads[second["upload_id"]]["status"] == "waiting"
    rows = stack.tracking(lesson_id)
    assert [row["superseded_at"] is None for row in rows] == [False, True]
    assert instructor.seen(lesson_id)["video"]["upload_id"] == second["upload_id"]


def test_replacing(stack: Stack, instructor: Caller) -> None:
    lesson_id, old = ready_lesson(stack, instructor)
    ticket = instructor.upload(lesson_id=lesson_id)
    lesson = instructor.seen(lesson_id)
    assert lesson["status"] == "published"
    assert (lesson["video"]["status"], lesson["video"]["asset_id"]) == ("ready", old["id"])
    assert lesson["video"]["replacement"] == {
        "status": "uploading", "upload_id": ticket["upload_id"], "progress": None, "error": None,
    }  # fmt: skip
    errors = {"type": "invalid_input", "messages": ["No."]}
    failed = stack.mux.asset_of(ticket["upload_id"], "errored", errors=errors)
    stack.hook.asset("errored", failed).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["status"], lesson["video"]["asset_id"]) == (
        "published",
        "ready",
        old["id"],
    )
    row = stack.one("SELECT * FROM mux_asset_tracking WHERE upload_id = %s", ticket["upload_id"])
    assert (row["status"], row["superseded_at"] is not None) == ("error", True)
    ticket = instructor.upload(lesson_id=lesson_id)
    new = stack.mux.asset_of(ticket["upload_id"], "ready")
    stack.hook.asset("ready", new).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["asset_id"], lesson["video"]["replacement"]) == (
        "published",
        new["id"],
        None,
    )
    assert "video.replaced" in stack.actions(lesson_id)
    playing = [
        row for row in stack.tracking(lesson_id) if row["status"] == "ready" and row["superseded_at"] is None
    ]
    assert [row["mux_asset_id"] for row in playing] == [new["id"]]
    time.sleep(1.2)
    assert old["id"] in stack.mux.assets  # kept for REPLACED_GRACE_SECONDS


def stuck_lessons(staff: Browser) -> float:
    found = re.search(r"^lessonadmin_lessons_stuck (\S+)$", staff.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_a_late_new_video_is_told_and_found_while_the_old_one_plays(stack: Stack, instructor: Caller) -> None:
    staff = stack.browser("support")
    before = stuck_lessons(staff)
    lesson_id, old = ready_lesson(stack, instructor)
    ticket = instructor.upload(lesson_id=lesson_id)
    stack.sql(
        "UPDATE mux_asset_tracking SET created_at = now() - interval '31 minutes' WHERE upload_id = %s",
        ticket["upload_id"],
    )
    stack.until(lambda: "needs_attention" in stack.notices(lesson_id))
    found = status(instructor, lesson_id)
    assert (found["status"], found["stuck"], found["asset_id"]) == ("ready", True, old["id"])
    assert instructor.seen(lesson_id)["status"] == "published"
    assert "New video late" in staff.get("/admin/lesson/?view=stuck").text
    page = staff.get(f"/admin/lesson/details/?id={lesson_id}").text
    assert "The new video is late" in page
    assert "There is nothing to do" not in page
    stack.until(lambda: stuck_lessons(staff) == before + 1)
    time.sleep(1.5)  # a sweep or two
    assert stack.notices(lesson_id).count("needs_attention") == 1
    stack.hook.asset("ready", stack.mux.asset_of(ticket["upload_id"], "ready")).expect(204)
    assert status(instructor, lesson_id)["stuck"] is False
    assert "New video late" not in staff.get(f"/admin/lesson/details/?id={lesson_id}").text


def test_a_file_that_has_not_arrived_is_told_to_its_instructor_alone(
    stack: Stack, instructor: Caller
) -> None:
    staff = stack.browser("support")
    lesson_id = instructor.lesson()["id"]
    ticket = instructor.upload(lesson_id=lesson_id)
    aged = "UPDATE mux_asset_tracking SET created_at = now() - %s::interval, last_answer = 'upload_waiting', last_answer_at = now() WHERE upload_id = %s"
    stack.sql(aged, "2 hours", ticket["upload_id"])
    assert status(instructor, lesson_id)["stuck"] is True
    assert "The file has not arrived" in staff.get("/admin/lesson/?flt0_cause_is=no_file").text
    page = staff.get(f"/admin/lesson/details/?id={lesson_id}").text
    assert "The file of the video has not arrived: Mux has been waiting for it for 2 hours." in page
    time.sleep(1.5)  # a sweep or two
    assert stack.notices(lesson_id) == []
    stack.sql(aged, "25 hours", ticket["upload_id"])
    stack.until(lambda: stack.notices(lesson_id) == ["needs_attention"])
    time.sleep(1.5)  # a sweep or two
    assert stack.notices(lesson_id) == ["needs_attention"], "once, and staff hear nothing"


def test_a_new_video_whose_message_was_lost_is_compared_with_itself(stack: Stack, instructor: Caller) -> None:
    lesson_id, _ = ready_lesson(stack, instructor)
    ticket = instructor.upload(lesson_id=lesson_id)
    new = stack.mux.asset_of(ticket["upload_id"], "ready")
    page = stack.browser("support").get(f"/admin/lesson/details/?id={lesson_id}&look=1").text
    assert "Mux has the new video ready" in page
    assert new["id"] in page
    assert "There is nothing to do" not in page


def test_deleting_by_a_person(stack: Stack, instructor: Caller) -> None:
    lesson_id, asset = ready_lesson(stack, instructor)
    twin = stack.lesson_row(
        mux_asset_id=asset["id"], mux_playback_id=asset["playback_ids"][0]["id"], status="published",
        video_processing_status="ready",
    )  # fmt: skip
    assert instructor.delete(f"/api/mux/assets/{asset['id']}").expect(202).json == {"status": "deleting"}
    for one in (lesson_id, twin):
        row = stack.lesson(one)
        assert (row["mux_asset_id"], row["mux_playback_id"], row["status"]) == (None, None, "draft")
        assert row["publish_on_ready"] is False
        assert row["video_processing_status"] in ("deleting", "none")
    stack.until(lambda: asset["id"] not in stack.mux.assets)
    stack.until(lambda: instructor.seen(lesson_id)["video"]["status"] == "none")
    stack.until(lambda: instructor.seen(twin)["video"]["status"] == "none")
    row = stack.one("SELECT * FROM asset_deletions WHERE mux_asset_id = %s", asset["id"])
    assert row["done_at"] is not None
    assert str(row["requested_by"]) == instructor.id
    assert {"video.delete_requested", "video.deleted"} <= set(stack.actions(lesson_id))
    low = [call for call in stack.mux.calls if call[:2] == ("DELETE", f"/video/v1/assets/{asset['id']}")]
    assert [call[2] for call in low] == ["low"]
    instructor.delete(f"/api/mux/assets/{asset['id']}").expect(404)
    # the echo of Lessonadmin's own deletion changes nothing
    stack.hook.asset("deleted", asset).expect(204)
    assert instructor.seen(lesson_id)["video"]["status"] == "none"


def test_deleting_while_it_is_processing(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    asset = stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"])
    stack.hook.asset("created", asset).expect(204)
    instructor.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    stack.until(lambda: asset["id"] not in stack.mux.assets)
    stack.until(lambda: instructor.seen(lesson_id)["video"]["status"] == "none")


def test_deleted_at_mux_without_us(stack: Stack, instructor: Caller) -> None:
    staff = stack.browser("support")
    lesson_id, asset = ready_lesson(stack, instructor)
    needing = "/admin/lesson/?view=needs-attention"
    assert lesson_id not in staff.get(needing).text
    stack.hook.asset("deleted", {**asset, "status": "ready"}).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["publish_on_ready"]) == ("draft", False)
    assert (lesson["video"]["status"], lesson["video"]["error"]["type"]) == ("error", "deleted_at_mux")
    assert (lesson["video"]["asset_id"], lesson["video"]["playback_id"]) == (None, None)
    assert stack.notices(lesson_id)[-1] == "video_deleted"
    listed = staff.get(needing).text
    assert lesson_id in listed
    assert "Deleted at Mux, not in Lessonadmin" in listed


def test_adopting_an_upload_that_we_did_not_issue(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    foreign = stack.mux.upload({"lesson_id": str(uuid.uuid4())})
    asked = {"lesson_id": lesson_id, "upload_id": foreign["id"]}
    instructor.post("/api/mux/track-upload", asked).expect(404)
    instructor.post("/api/mux/track-upload", {**asked, "upload_id": "U-none"}).expect(404)
    ours = stack.mux.upload({"lesson_id": lesson_id})
    stack.mux.down = True
    instructor.post("/api/mux/track-upload", {**asked, "upload_id": ours["id"]}).expect(503)
    stack.mux.calm()
    instructor.post("/api/mux/track-upload", {**asked, "upload_id": ours["id"]}).expect(200)
    asset = stack.mux.asset_of(ours["id"], "ready")
    stack.hook.asset("ready", asset).expect(204)
    assert instructor.seen(lesson_id)["video"]["asset_id"] == asset["id"]


def test_support_names_the_true_asset(stack: Stack, instructor: Caller, support: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    asset = stack.mux.asset("ready")
    asked = {
        "lesson_id": lesson_id,
        "mux_asset_id": asset["id"],
        "mux_playback_id": asset["playback_ids"][0]["id"],
    }
    instructor.post("/api/mux/update-asset", asked).expect(403)
    support.post("/api/mux/update-asset", {**asked, "mux_playback_id": "P-wrong"}).expect(400)
    support.post("/api/mux/update-asset", {**asked, "mux_asset_id": "A-none"}).expect(400)
    stack.mux.down = True
    support.post("/api/mux/update-asset", asked).expect(503)
    stack.mux.calm()
    camel = {"lessonId": lesson_id, "muxAssetId": asset["id"], "muxPlaybackId": asked["mux_playback_id"]}
    support.post("/api/mux/update-asset", camel).expect(200)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["asset_id"]) == ("published", asset["id"])
