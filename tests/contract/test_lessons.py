"""Sections 3 and 5: lessons and courses over JSON, and who may what."""

import json
import uuid

import pytest

from tests.contract.callers import Caller, Doc
from tests.contract.stack import Stack

LESSON_KEYS = {
    "id", "title", "description", "course_id", "section_id", "section_title", "creator_id", "price_cents", "currency", "status",
    "publish_on_ready",
    "published_at", "publish_not_before", "unpublish_at", "created_at", "updated_at", "deleted_at", "visible_to_students", "video",
}  # fmt: skip
VIDEO_KEYS = {
    "status", "upload_id", "asset_id", "playback_id", "playback_policy", "progress", "duration", "error",
    "replacement", "captions",
}  # fmt: skip
NO_CAPTIONS = {"status": "none", "language": None}


def ready_lesson(stack: Stack, owner: Caller, **more: object) -> tuple[str, Doc]:
    """A lesson that went the whole way: upload, webhook, ready."""
    lesson_id = owner.lesson(**more)["id"]
    ticket = owner.upload(lesson_id=lesson_id)
    asset = stack.mux.asset_of(ticket["upload_id"], "ready")
    stack.hook.asset("ready", asset).expect(204)
    return lesson_id, asset


def test_a_new_lesson_is_a_draft_that_wants_to_be_published(instructor: Caller) -> None:
    made = instructor.post("/api/lessons", {"title": "Fractions"}).expect(201)
    lesson = made.json
    assert made.headers["Content-Type"].startswith("application/json")
    assert set(lesson) == LESSON_KEYS
    assert set(lesson["video"]) == VIDEO_KEYS
    assert str(uuid.UUID(lesson["id"])) == lesson["id"]
    assert (lesson["status"], lesson["publish_on_ready"]) == ("draft", True)
    assert lesson["creator_id"] == instructor.id
    assert lesson["video"] == dict.fromkeys(VIDEO_KEYS) | {"status": "none", "captions": NO_CAPTIONS}
    assert lesson["created_at"].endswith(("Z", "+00:00"))
    assert lesson["visible_to_students"] is False


def test_asked_again_with_its_key_a_lesson_is_made_once(instructor: Caller) -> None:
    body = {"title": "Fractions", "client_key": str(uuid.uuid4())}
    first = instructor.post("/api/lessons", body).expect(201).json
    again = instructor.post("/api/lessons", body).expect(200).json
    assert first == again
    assert set(first) == LESSON_KEYS


@pytest.mark.parametrize(("given", "wanted"), [("published", True), ("draft", False)])
def test_the_status_of_a_new_lesson_is_an_intent(instructor: Caller, given: str, wanted: bool) -> None:
    lesson = instructor.lesson(status=given, description="d", price_cents=999, course_id=None)
    assert (lesson["status"], lesson["publish_on_ready"], lesson["price_cents"]) == ("draft", wanted, 999)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": 5}, "title"),
        ({"title": "x" * 5000}, "title"),
        ({"title": "x", "price_cents": -1}, "price_cents"),
        ({"title": "x", "price_cents": "9.99"}, "price_cents"),
        ({"title": "x", "price_cents": 9.99}, "price_cents"),
        ({"title": "x", "price_cents": True}, "price_cents"),
        ({"title": "x", "status": "archived"}, "status"),
        ({"title": "x", "course_id": "not-an-id"}, "course_id"),
        ({"title": "x", "creator_id": str(uuid.uuid4())}, "creator_id"),
        ({"title": "x", "mux_asset_id": "A1"}, "mux_asset_id"),
        ({"title": "x", "surprise": 1}, "surprise"),
        ({"title": "a\u0000b"}, "title"),
    ],
)
def test_invalid_input_names_its_field(instructor: Caller, given: Doc, field: str) -> None:
    answer = instructor.post("/api/lessons", given).expect(400)
    error = answer.json["error"]
    assert set(error) == {"type", "message", "fields"}
    assert field in error["fields"]


def test_other_errors_have_no_fields_and_the_same_shape(instructor: Caller) -> None:
    error = instructor.get(f"/api/lessons/{uuid.uuid4()}").expect(404).json["error"]
    assert set(error) == {"type", "message"}
    assert "error" in instructor.get("/api/lessons/not-an-id").expect(404).json
    assert "error" in instructor.get("/api/no/such/call").expect(404).json
    assert "error" in instructor.call("PUT", "/api/lessons").expect(405).json


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff"])
def test_a_body_that_is_no_json_object_has_an_error_of_the_same_shape(
    instructor: Caller, body: bytes
) -> None:
    assert instructor_raw(instructor, body)["error"]["message"]


def instructor_raw(instructor: Caller, body: bytes) -> Doc:
    from tests.contract.callers import send

    headers = {"Authorization": f"Bearer {instructor.token}", "Content-Type": "application/json"}
    found: Doc = send(instructor.origin, "POST", "/api/lessons", body=body, headers=headers).expect(400).json
    return found


def test_camel_case_is_understood(instructor: Caller) -> None:
    course = instructor.course()
    lesson = instructor.lesson(courseId=course["id"])
    assert lesson["course_id"] == course["id"]
    ticket = (
        instructor.post("/api/mux/upload-url", {"lessonId": lesson["id"], "filename": "a.mp4"})
        .expect(201)
        .json
    )
    told = {"lessonId": lesson["id"], "uploadId": ticket["upload_id"], "tempAssetId": "temp_1"}
    instructor.post("/api/lessons/update-upload-id", told).expect(200)
    as_noted = {"lessonId": lesson["id"], "muxUploadId": ticket["upload_id"]}
    instructor.post("/api/lessons/update-upload-id", as_noted).expect(200)
    instructor.post("/api/lessons/update-upload-id", {**as_noted, "upload_id": ticket["upload_id"]}).expect(
        400
    )
    instructor.get("/api/mux/check-asset-status", lessonId=lesson["id"]).expect(200)


def test_a_list_has_pages_a_filter_and_a_search(stack: Stack) -> None:
    owner = stack.who("colleague")
    word = f"w{uuid.uuid4().hex[:8]}"
    for number in range(3):
        owner.lesson(title=f"{word} {number}")
    page = owner.get("/api/lessons", page=1, per_page=2, q=word).expect(200).json
    assert set(page) == {"items", "total", "page", "per_page"}
    assert (page["total"], page["page"], page["per_page"], len(page["items"])) == (3, 1, 2, 2)
    assert len(owner.get("/api/lessons", page=2, per_page=2, q=word).json["items"]) == 1
    assert owner.get("/api/lessons", status="published", q=word).json["total"] == 0
    assert owner.get("/api/lessons", q=f"{word} 1").json["total"] == 1
    assert owner.get("/api/lessons", q="").json["total"] >= 3
    assert owner.get("/api/lessons", page=99).expect(200).json["items"] == []
    owner.get("/api/lessons", page=0).expect(400)
    owner.get("/api/lessons", status="nonsense").expect(400)
    owner.get("/api/lessons", surprise=1).expect(400)
    assert stack.who("support").get("/api/lessons", q=word).json["total"] == 3
    assert stack.who("instructor").get("/api/lessons", q=word).json["total"] == 0


def test_change_and_delete(stack: Stack, instructor: Caller) -> None:
    lesson = instructor.lesson()
    course = instructor.course()
    changed = instructor.patch(
        f"/api/lessons/{lesson['id']}",
        {"title": "New", "description": "More", "price_cents": 5, "course_id": course["id"]},
    ).expect(200).json  # fmt: skip
    assert (changed["title"], changed["description"], changed["price_cents"]) == ("New", "More", 5)
    assert changed["course_id"] == course["id"]
    out = instructor.patch(f"/api/lessons/{lesson['id']}", {"course_id": None}).expect(200).json
    assert out["course_id"] is None
    withdrawn = instructor.patch(f"/api/lessons/{lesson['id']}", {"status": "draft"}).expect(200).json
    assert withdrawn["publish_on_ready"] is False
    instructor.patch(f"/api/lessons/{lesson['id']}", {"title": None}).expect(400)
    instructor.patch(f"/api/lessons/{lesson['id']}", {"publish_on_ready": True}).expect(400)
    instructor.patch(f"/api/lessons/{lesson['id']}", {}).expect(200)
    deleted = instructor.delete(f"/api/lessons/{lesson['id']}").expect(204)
    assert deleted.body == b""
    instructor.get(f"/api/lessons/{lesson['id']}").expect(404)
    assert {"lesson.created", "lesson.updated", "lesson.publish_withdrawn", "lesson.deleted"} <= set(
        stack.actions(lesson["id"])
    )


def test_courses_likewise(stack: Stack, instructor: Caller) -> None:
    course = instructor.post("/api/courses", {"title": "Maths", "description": "All of it"}).expect(201).json
    assert set(course["video"]) == VIDEO_KEYS
    lesson = instructor.lesson(course_id=course["id"])
    assert instructor.get("/api/courses").expect(200).json["total"] >= 1
    assert (
        instructor.patch(f"/api/courses/{course['id']}", {"title": "More"}).expect(200).json["title"]
        == "More"
    )
    ticket = instructor.upload(course_id=course["id"])
    asset = stack.mux.asset_of(ticket["upload_id"], "ready")
    stack.hook.asset("ready", asset).expect(204)
    seen = instructor.get(f"/api/courses/{course['id']}").expect(200).json
    assert (seen["video"]["status"], seen["video"]["asset_id"]) == ("ready", asset["id"])
    row = stack.one("SELECT * FROM courses WHERE id = %s", course["id"])
    assert row["mux_preview_asset_id"] == asset["id"]
    assert row["mux_preview_playback_id"] == asset["playback_ids"][0]["id"]
    instructor.delete(f"/api/courses/{course['id']}").expect(204)
    assert instructor.seen(lesson["id"])["course_id"] is None
    instructor.post(f"/api/courses/{course['id']}/restore").expect(200)
    assert instructor.seen(lesson["id"])["course_id"] == course["id"]
    instructor.delete(f"/api/courses/{course['id']}").expect(204)
    stack.sql("UPDATE courses SET deleted_at = now() - interval '31 days' WHERE id = %s", course["id"])
    stack.until(lambda: not stack.sql("SELECT 1 FROM courses WHERE id = %s", course["id"]))
    instructor.post(f"/api/courses/{course['id']}/restore").expect(404)
    stack.until(lambda: asset["id"] not in stack.mux.assets)


def test_what_is_not_ones_own_does_not_exist(stack: Stack, instructor: Caller) -> None:
    other = stack.who("colleague")
    lesson, course = instructor.lesson(), instructor.course()
    ticket = instructor.upload(lesson_id=lesson["id"])
    for answer in (
        other.get(f"/api/lessons/{lesson['id']}"),
        other.patch(f"/api/lessons/{lesson['id']}", {"title": "mine"}),
        other.delete(f"/api/lessons/{lesson['id']}"),
        other.post(f"/api/lessons/{lesson['id']}/publish"),
        other.get(f"/api/courses/{course['id']}"),
        other.patch(f"/api/courses/{course['id']}", {"title": "mine"}),
        other.delete(f"/api/courses/{course['id']}"),
        other.post("/api/mux/upload-url", {"lesson_id": lesson["id"], "filename": "a.mp4"}),
        other.post("/api/mux/cancel-upload", {"upload_id": ticket["upload_id"]}),
        other.post("/api/mux/track-upload", {"lesson_id": lesson["id"], "upload_id": ticket["upload_id"]}),
        other.get("/api/mux/check-asset-status", lesson_id=lesson["id"]),
        other.get("/api/mux/check-upload-status", lesson_id=lesson["id"]),
        other.get(f"/api/lessons/{lesson['id']}/playback"),
        other.post("/api/lessons", {"title": "x", "course_id": course["id"]}),
    ):
        answer.expect(404)
    _, asset = ready_lesson(stack, instructor)
    other.delete(f"/api/mux/assets/{asset['id']}").expect(404)
    assert stack.mux.uploads[ticket["upload_id"]]["status"] == "waiting"
    asked = {"lesson_id": lesson["id"], "mux_asset_id": asset["id"], "mux_playback_id": "P"}
    other.post("/api/mux/update-asset", asked).expect(403)


def test_another_instructor_meets_a_published_lesson_like_a_student(stack: Stack, instructor: Caller) -> None:
    other = stack.who("colleague")
    lesson_id, _ = ready_lesson(stack, instructor, price_cents=500)
    seen = other.seen(lesson_id)
    assert [seen["video"][key] for key in ("asset_id", "playback_id", "upload_id")] == [None] * 3
    assert other.get(f"/api/lessons/{lesson_id}/playback").expect(403).error == "purchase_required"
    other.patch(f"/api/lessons/{lesson_id}", {"title": "mine"}).expect(404)
    other.post(f"/api/lessons/{lesson_id}/purchase").expect(403)


def test_a_student_reads_what_is_out_and_writes_nothing(
    stack: Stack, instructor: Caller, student: Caller
) -> None:
    draft = instructor.lesson()["id"]
    paid, _ = ready_lesson(stack, instructor, price_cents=100)
    free, asset = ready_lesson(stack, instructor)
    student.get(f"/api/lessons/{draft}").expect(404)
    assert student.seen(paid)["video"]["playback_id"] is None
    assert student.seen(free)["video"]["playback_id"] == asset["playback_ids"][0]["id"]
    for answer in (
        student.post("/api/lessons", {"title": "x"}),
        student.patch(f"/api/lessons/{free}", {"title": "x"}),
        student.delete(f"/api/lessons/{free}"),
        student.post(f"/api/lessons/{free}/publish"),
        student.post("/api/courses", {"title": "x"}),
        student.post("/api/mux/upload-url", {"lesson_id": free, "filename": "a.mp4"}),
        student.post(
            "/api/mux/update-asset", {"lesson_id": free, "mux_asset_id": "A", "mux_playback_id": "P"}
        ),
        student.delete(f"/api/mux/assets/{asset['id']}"),
    ):
        answer.expect(403)
    student.get(f"/api/lessons/{draft}/playback").expect(404)
    listed = student.get("/api/lessons", per_page=100).expect(200).json["items"]
    bought = {str(row["lesson_id"]) for row in stack.sql("SELECT lesson_id FROM purchases")}
    assert {one["status"] for one in listed if one["id"] not in bought} == {"published"}
    assert draft not in {one["id"] for one in listed}
    # from the database only, also for users who may not play it
    status = student.get("/api/mux/check-asset-status", lesson_id=paid).expect(200).json
    assert (status["playback_id"], status["asset_id"]) == (None, None)


def test_buying(stack: Stack, instructor: Caller, student: Caller) -> None:
    lesson_id, asset = ready_lesson(stack, instructor, price_cents=1234)
    assert student.get(f"/api/lessons/{lesson_id}/playback").expect(403).error == "purchase_required"
    for one in (instructor, stack.who("support"), stack.who("admin")):
        one.post(f"/api/lessons/{lesson_id}/purchase").expect(403)
    student.post(f"/api/lessons/{lesson_id}/purchase").expect(201)
    student.post(f"/api/lessons/{lesson_id}/purchase").expect(200)
    row = stack.one("SELECT * FROM purchases WHERE lesson_id = %s", lesson_id)
    assert (str(row["user_id"]), row["price_cents"]) == (student.id, 1234)
    assert stack.actions(lesson_id).count("purchase.made") == 1
    source = student.get(f"/api/lessons/{lesson_id}/playback").expect(200).json
    assert source == {
        "src": f"{stack.mux.url}/{asset['playback_ids'][0]['id']}.m3u8",
        "playback_id": asset["playback_ids"][0]["id"],
        "policy": "public",
        "token": None,
        "thumbnail_token": None,
    }
    assert student.seen(lesson_id)["video"]["playback_id"] == asset["playback_ids"][0]["id"]
    assert instructor.delete(f"/api/lessons/{lesson_id}").expect(409).error == "has_purchases"
    # what was bought stays visible when it is taken back
    instructor.patch(f"/api/lessons/{lesson_id}", {"status": "draft"}).expect(200)
    student.get(f"/api/lessons/{lesson_id}").expect(200)
    student.get(f"/api/lessons/{lesson_id}/playback").expect(200)


def test_not_for_sale(stack: Stack, instructor: Caller, student: Caller) -> None:
    draft = instructor.lesson()["id"]
    assert student.post(f"/api/lessons/{draft}/purchase").expect(409).error == "not_for_sale"
    written = stack.lesson_row(status="published", price_cents=5, publish_on_ready=False)
    assert student.post(f"/api/lessons/{written}/purchase").expect(409).error == "not_for_sale"
    student.post(f"/api/lessons/{uuid.uuid4()}/purchase").expect(404)
    assert instructor.get(f"/api/lessons/{draft}/playback").expect(409).error == "not_ready"


def test_support_does_everything_about_content(stack: Stack, instructor: Caller, support: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    support.patch(f"/api/lessons/{lesson_id}", {"title": "Better"}).expect(200)
    support.upload(lesson_id=lesson_id)
    support.get("/api/mux/check-upload-status", lesson_id=lesson_id).expect(200)
    support.delete(f"/api/lessons/{lesson_id}").expect(204)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/lessons"),
        ("POST", "/api/lessons"),
        ("GET", "/api/lessons/8a4b1f7e-0000-4000-8000-000000000001"),
        ("POST", "/api/mux/upload-url"),
        ("GET", "/api/mux/check-asset-status"),
        ("DELETE", "/api/mux/assets/A1"),
        ("GET", "/api/openapi.json"),
    ],
)
def test_who_is_not_signed_in(stack: Stack, method: str, path: str) -> None:
    answer = stack.stranger.call(method, path).expect(401)
    assert answer.json["error"]["type"]


def test_an_unknown_token_opens_nothing(stack: Stack) -> None:
    Caller(stack.url, "no-such-token").get("/api/lessons").expect(401)


def test_a_session_needs_the_csrf_header(stack: Stack) -> None:
    browser = stack.browser("instructor")
    body = json.dumps({"title": "From a page"}).encode()
    plain = {"Content-Type": "application/json"}
    refused = browser.send("POST", "/api/lessons", body=body, headers=plain).expect(400)
    assert refused.json["error"]["type"]
    token = browser.csrf()
    browser.send("POST", "/api/lessons", body=body, headers={**plain, "X-CSRFToken": token}).expect(201)
    wrong = {**plain, "X-CSRFToken": "wrong"}
    browser.send("POST", "/api/lessons", body=body, headers=wrong).expect(400)


def test_the_description_of_everything(student: Caller) -> None:
    document = student.get("/api/openapi.json").expect(200).json
    assert document["openapi"].startswith("3.")
    paths = set(document["paths"])
    for path in (
        "/api/lessons", "/api/courses", "/api/mux/upload-url", "/api/mux/upload", "/api/mux/track-upload",
        "/api/lessons/update-upload-id", "/api/mux/cancel-upload", "/api/mux/check-asset-status",
        "/api/mux/check-upload-status", "/api/mux/update-asset", "/api/webhooks/mux",
    ):  # fmt: skip
        assert path in paths or path.removeprefix("/api") in paths, path


def test_a_course_without_a_preview_has_the_picture_of_a_lesson(stack: Stack, instructor: Caller) -> None:
    course_id = instructor.post("/api/courses", {"title": "Rye"}).expect(201).json["id"]
    plays = {"video_processing_status": "ready", "mux_asset_id": "a-cover", "mux_playback_id": "play-cover"}
    lesson_id = stack.lesson_row(
        course_id=course_id, status="published", playback_policy="public", price_cents=900, **plays
    )
    student = stack.browser("student")

    def cover() -> str:
        return str(instructor.get(f"/api/courses/{course_id}").expect(200).json["cover"])

    assert cover() == "None", "paid: the address of its picture would give the video away"
    assert "play-cover" not in student.get("/catalog/courses").text
    stack.sql("UPDATE lessons SET price_cents = 0 WHERE id = %s", lesson_id)
    assert "/play-cover/" in cover()
    assert "/play-cover/" in student.get("/catalog/courses").text
    stack.sql("UPDATE lessons SET status = 'draft' WHERE id = %s", lesson_id)
    assert cover() == "None"
