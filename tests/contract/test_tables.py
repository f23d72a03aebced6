"""Section 7: rows written by an outsider with the contract's columns only behave like the product's own."""

import json
import uuid

import psycopg
import pytest

from tests.contract.callers import Caller
from tests.contract.stack import Stack

COLUMNS = {
    "users": "id, email, name, role, active",
    "courses": "id, title, description, instructor_id, mux_preview_asset_id, mux_preview_playback_id",
    "lessons": "id, course_id, creator_id, title, description, price_cents, status, publish_on_ready, published_at,"
    " video_processing_status, mux_asset_id, mux_playback_id, created_at, updated_at",
    "mux_asset_tracking": "id, lesson_id, course_id, upload_id, temp_asset_id, mux_asset_id, mux_playback_id,"
    " playback_policy, status, error_type, error_message, attempts, next_check_at, superseded_at, created_at, updated_at",
    "batches": "id, action, status, total, done, failed, skipped, reason, created_by, created_at, finished_at",
    "batch_items": "id, batch_id, target_id, status, error",
    "mux_events": "id, mux_event_id, type, object_id, received_at, processed_at, outcome, attempts, error, payload",
    "asset_deletions": "id, mux_asset_id, reason, requested_by, attempts, last_error, requested_at, done_at",
    "purchases": "id, lesson_id, user_id, price_cents, created_at",
    "audit_log": "id, at, actor_type, actor_id, action, target_type, target_id, detail",
    "notifications": "id, user_id, kind, lesson_id, message, created_at, read_at",
}  # fmt: skip


@pytest.mark.parametrize("table", COLUMNS)
def test_columns(stack: Stack, table: str) -> None:
    stack.sql(f"SELECT {COLUMNS[table]} FROM {table} LIMIT 1")  # noqa: S608 - names that the tests write


def test_a_lesson_written_by_hand_wants_to_be_published(stack: Stack, instructor: Caller) -> None:
    row = stack.lesson(stack.lesson_row())
    assert (row["status"], row["publish_on_ready"], row["video_processing_status"]) == ("draft", True, "none")
    assert instructor.seen(str(row["id"]))["publish_on_ready"] is True


def test_a_row_has_exactly_one_owner_and_an_upload_one_row(stack: Stack, instructor: Caller) -> None:
    lesson_id, course_id = stack.lesson_row(), instructor.course()["id"]
    for owners in ({}, {"lesson_id": lesson_id, "course_id": course_id}):
        with pytest.raises(psycopg.errors.IntegrityError):
            stack.insert("mux_asset_tracking", upload_id="U-x", **owners)
    upload_id = f"U{uuid.uuid4().hex}"
    stack.insert("mux_asset_tracking", lesson_id=lesson_id, upload_id=upload_id)
    with pytest.raises(psycopg.errors.UniqueViolation):
        stack.insert("mux_asset_tracking", course_id=course_id, upload_id=upload_id)
    with pytest.raises(psycopg.errors.UniqueViolation):
        stack.insert("mux_asset_tracking", lesson_id=lesson_id, upload_id=f"U{uuid.uuid4().hex}")


@pytest.mark.parametrize(
    "columns",
    [
        {"video_processing_status": "processing"},
        {"video_processing_status": "uploading"},
        {},
    ],
)
def test_an_asset_on_the_lesson_alone(stack: Stack, instructor: Caller, columns: dict[str, str]) -> None:
    """From before tracking: the lesson names the asset, and no tracking row does."""
    asset = stack.mux.asset("ready")
    lesson_id = stack.lesson_row(mux_asset_id=asset["id"], **columns)
    stack.hook.asset("ready", asset).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["status"]) == ("published", "ready")
    assert lesson["video"]["playback_id"] == asset["playback_ids"][0]["id"]
    assert [row["status"] for row in stack.tracking(lesson_id)] == ["ready"]


@pytest.fixture(params=["uploading", "processing"])
def by_hand(request: pytest.FixtureRequest, stack: Stack) -> tuple[str, str, str]:
    """A lesson with a tracking row that only the outsider knows of."""
    lesson_id, upload_id = stack.lesson_row(), f"U{uuid.uuid4().hex}"
    row_id = stack.insert(
        "mux_asset_tracking", lesson_id=lesson_id, upload_id=upload_id, status=request.param
    )
    return lesson_id, upload_id, row_id


def test_a_webhook_for_a_row_written_by_hand(
    stack: Stack, instructor: Caller, by_hand: tuple[str, str, str]
) -> None:
    lesson_id, upload_id, row_id = by_hand
    asset = stack.mux.asset("ready", upload_id=upload_id)
    stack.hook.asset("ready", asset).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["asset_id"]) == ("published", asset["id"])
    rows = stack.tracking(lesson_id)
    assert [(str(row["id"]), row["status"]) for row in rows] == [(row_id, "ready")]
    assert rows[0]["mux_playback_id"] == asset["playback_ids"][0]["id"]
    assert rows[0]["playback_policy"] == "public"


def test_a_sweep_finds_a_row_written_by_hand(
    stack: Stack, instructor: Caller, by_hand: tuple[str, str, str]
) -> None:
    lesson_id, upload_id, row_id = by_hand
    asset = stack.mux.asset("ready", upload_id=upload_id)
    stack.mux.uploads[upload_id] = {"id": upload_id, "status": "asset_created", "asset_id": asset["id"]}
    stack.sql(
        "UPDATE mux_asset_tracking SET next_check_at = now() - interval '1 second' WHERE id = %s", row_id
    )
    stack.until(lambda: instructor.seen(lesson_id)["status"] == "published")
    assert stack.one("SELECT attempts FROM mux_asset_tracking WHERE id = %s", row_id)["attempts"] >= 1


def test_a_row_without_a_word_on_its_lesson_counts(stack: Stack, instructor: Caller) -> None:
    lesson_id = stack.lesson_row()
    stack.insert(
        "mux_asset_tracking", lesson_id=lesson_id, upload_id=f"U{uuid.uuid4().hex}", status="processing",
        created_at="2020-01-01T00:00:00Z", next_check_at="2999-01-01T00:00:00Z",
    )  # fmt: skip
    said = instructor.get("/api/mux/check-asset-status", lesson_id=lesson_id).expect(200).json
    assert (said["status"], said["stuck"]) == ("processing", True)
    old = stack.lesson_row(
        mux_asset_id="temp_old", video_processing_status="processing", created_at="2020-01-01T00:00:00Z"
    )
    assert instructor.get("/api/mux/check-asset-status", lesson_id=old).json["stuck"] is True


def test_publishing_a_lesson_written_by_hand(stack: Stack, instructor: Caller) -> None:
    playing = stack.lesson_row(
        mux_asset_id=f"A{uuid.uuid4().hex}", mux_playback_id="P1", video_processing_status="ready"
    )
    assert instructor.post(f"/api/lessons/{playing}/publish").expect(200).json["status"] == "published"
    waiting = stack.lesson_row(publish_on_ready=False)
    stack.insert(
        "mux_asset_tracking", lesson_id=waiting, upload_id=f"U{uuid.uuid4().hex}", status="processing"
    )
    assert instructor.post(f"/api/lessons/{waiting}/publish").expect(202).json["publish_on_ready"] is True
    failed = stack.lesson_row(video_processing_status="error")
    assert instructor.post(f"/api/lessons/{failed}/publish").expect(409).error == "video_error"
    asset = stack.mux.asset("ready")
    old = "2020-01-01T00:00:00Z"
    stuck = stack.lesson_row(mux_asset_id=asset["id"], video_processing_status="processing", created_at=old)
    assert instructor.post(f"/api/lessons/{stuck}/publish").expect(200).json["status"] == "published"
    asset = stack.mux.asset("ready")
    lesson_id = stack.lesson_row(video_processing_status="processing", mux_asset_id=asset["id"])
    stack.insert(
        "mux_asset_tracking", lesson_id=lesson_id, upload_id=f"U{uuid.uuid4().hex}", mux_asset_id=asset["id"],
        status="processing", created_at=old,
    )  # fmt: skip
    assert instructor.get("/api/mux/check-asset-status", lesson_id=lesson_id).json["stuck"] is True
    assert instructor.post(f"/api/lessons/{lesson_id}/publish").expect(200).json["status"] == "published"


def test_a_video_written_by_hand_plays_is_bought_and_deleted(
    stack: Stack, instructor: Caller, student: Caller
) -> None:
    asset = stack.mux.asset("ready")
    playback_id = asset["playback_ids"][0]["id"]
    lesson_id = stack.lesson_row(
        status="published", publish_on_ready=False, price_cents=700, video_processing_status="ready",
        mux_asset_id=asset["id"], mux_playback_id=playback_id, published_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    stack.insert(
        "mux_asset_tracking", lesson_id=lesson_id, upload_id=f"U{uuid.uuid4().hex}", mux_asset_id=asset["id"],
        mux_playback_id=playback_id, playback_policy="public", status="ready",
    )  # fmt: skip
    student.get(f"/api/lessons/{lesson_id}/playback").expect(403)
    student.post(f"/api/lessons/{lesson_id}/purchase").expect(201)
    assert student.get(f"/api/lessons/{lesson_id}/playback").expect(200).json["playback_id"] == playback_id
    instructor.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    stack.until(lambda: asset["id"] not in stack.mux.assets)
    stack.until(lambda: instructor.seen(lesson_id)["video"]["status"] == "none")


def test_a_temporary_id_is_replaced_by_the_true_one(stack: Stack, instructor: Caller) -> None:
    upload_id = f"U{uuid.uuid4().hex}"
    lesson_id = stack.lesson_row(mux_asset_id=f"temp_{upload_id}", video_processing_status="processing")
    stack.insert(
        "mux_asset_tracking", lesson_id=lesson_id, upload_id=upload_id, temp_asset_id=f"temp_{upload_id}",
        mux_asset_id=f"temp_{upload_id}", status="processing",
    )  # fmt: skip
    instructor.delete(f"/api/mux/assets/temp_{upload_id}").expect(404)
    assert stack.mux.asked("DELETE", f"/video/v1/assets/temp_{upload_id}") == 0
    asset = stack.mux.asset("ready", upload_id=upload_id, passthrough=json.dumps({"lesson_id": lesson_id}))
    stack.hook.asset("ready", asset).expect(204)
    lesson = instructor.seen(lesson_id)
    assert (lesson["status"], lesson["video"]["asset_id"]) == ("published", asset["id"])


def test_a_temporary_id_is_never_sent_to_mux(stack: Stack, instructor: Caller) -> None:
    upload_id = f"U{uuid.uuid4().hex}"
    lesson_id = stack.lesson_row(mux_asset_id="temp_x", video_processing_status="processing")
    row_id = stack.insert(
        "mux_asset_tracking",
        lesson_id=lesson_id,
        upload_id=upload_id,
        mux_asset_id="temp_x",
        status="processing",
    )
    asset = stack.mux.asset("ready", upload_id=upload_id)
    stack.mux.uploads[upload_id] = {"id": upload_id, "status": "asset_created", "asset_id": asset["id"]}
    stack.sql("UPDATE mux_asset_tracking SET next_check_at = '2020-01-01' WHERE id = %s", row_id)
    stack.until(lambda: instructor.seen(lesson_id)["status"] == "published")
    assert stack.mux.asked("GET", "/video/v1/assets/temp_x") == 0


def test_a_deletion_written_by_hand_is_carried_out(stack: Stack) -> None:
    asset = stack.mux.asset("ready")
    row_id = stack.insert("asset_deletions", mux_asset_id=asset["id"], reason="by hand")
    stack.until(lambda: asset["id"] not in stack.mux.assets)
    done = stack.until(
        lambda: stack.one("SELECT done_at FROM asset_deletions WHERE id = %s", row_id)["done_at"]
    )
    assert done is not None
    missing = stack.insert("asset_deletions", mux_asset_id=f"A{uuid.uuid4().hex}")
    stack.until(lambda: stack.one("SELECT done_at FROM asset_deletions WHERE id = %s", missing)["done_at"])


def test_audit_rows_say_who(stack: Stack, instructor: Caller) -> None:
    lesson_id = instructor.lesson()["id"]
    asset = stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
    stack.hook.asset("ready", asset).expect(204)
    rows = stack.sql("SELECT * FROM audit_log WHERE target_id = %s", lesson_id)
    by = {row["action"]: (row["actor_type"], str(row["actor_id"] or ""), row["target_type"]) for row in rows}
    assert by["lesson.created"] == ("user", instructor.id, "lesson")
    assert by["video.upload_started"] == ("user", instructor.id, "lesson")
    assert by["video.ready"] == ("webhook", "", "lesson")
    assert by["lesson.published"] == ("webhook", "", "lesson")
    for attack in (
        "UPDATE audit_log SET action = 'x'",
        "UPDATE audit_log SET at = at - interval '2 years'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ):
        with pytest.raises(psycopg.Error, match=r"never changed|permission denied"):
            stack.sql(f"BEGIN; SELECT set_config('lessonadmin.retention', 'on', true); {attack}; COMMIT")
    assert len(stack.sql("SELECT 1 FROM audit_log WHERE target_id = %s", lesson_id)) == len(rows)
    accounts = stack.sql("SELECT actor_type FROM audit_log WHERE action LIKE 'user.%%'")
    assert {row["actor_type"] for row in accounts} >= {"cli"}


def test_all_that_the_product_wrote_keeps_the_rules(stack: Stack, instructor: Caller) -> None:
    """Over everything that the checks before have left behind, and at least one video that was replaced."""
    lesson_id = instructor.lesson()["id"]
    for _ in range(2):
        asset = stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
        stack.hook.asset("ready", asset).expect(204)
    instructor.upload(lesson_id=lesson_id)
    assert stack.lesson(lesson_id)["status"] == "published"
    assert [row["status"] for row in stack.tracking(lesson_id) if not row["superseded_at"]] == [
        "ready",
        "uploading",
    ]
    for name in ("lesson_id", "course_id"):
        for states in ("('ready')", "('uploading', 'processing')"):
            doubled = stack.sql(
                f"SELECT {name} FROM mux_asset_tracking WHERE superseded_at IS NULL AND status IN {states}"  # noqa: S608 - names that the tests write
                f" AND {name} IS NOT NULL GROUP BY {name} HAVING count(*) > 1"
            )
            assert doubled == []
    unplayable = stack.sql(
        "SELECT l.id FROM lessons l WHERE l.status = 'published' AND published_at IS NOT NULL AND l.mux_playback_id IS NULL"
    )
    assert unplayable == []
