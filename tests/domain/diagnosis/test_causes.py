"""The whole table of causes: each that the diagnosis can name is brought about here by rows, and has its words and buttons.

The causes are read from the modules that name them: a new one needs a row.
"""

import ast
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain.diagnosis import diagnose, findings, findings_at_mux, outages
from lessonadmin.domain.diagnosis.finding import Finding
from lessonadmin.domain.diagnosis.mux_comparison import Look
from lessonadmin.domain.models import Alarm, AssetDeletion, Course, Lesson, MuxCall, Tracking
from tests.domain.diagnosis.support import fresh
from tests.factories import (
    keep,
    make_course,
    make_event,
    make_lesson,
    make_playing_lesson,
    make_tracking,
    make_user,
)
from tests.settings import overridden

NOW = datetime.now(UTC)
OLD = NOW - timedelta(hours=2)
Case = Callable[[], Lesson | Course]
# Cause -> how it comes about, what its sentence says, its buttons in their order.
Row = tuple[Case, str, list[str]]


def upload(video: str = "uploading", *, lesson: dict[str, Any] | None = None, **row: Any) -> Case:
    """A lesson whose one upload is like this, its times counted from when it is made: a run of the tests takes a while."""

    def make() -> Lesson:
        since = datetime.now(UTC) - NOW
        times = {name: value + since for name, value in row.items() if isinstance(value, datetime)}
        made = make_lesson(
            creator=make_user(name="Tina Vale"), video_processing_status=video, **(lesson or {})
        )
        make_tracking(made, **({"status": video} | row | times))
        return made

    return make


def failed(error: str, **lesson: Any) -> Case:
    columns = {"video_error_type": error, **lesson}
    return upload("error", lesson=columns, error_type=error)


def not_begun(category: str) -> Case:
    def make() -> Lesson:
        lesson = make_lesson(creator=make_user(name="Tina Vale"))
        make_tracking(
            lesson, upload_id=None, status="error", error_type="upload_not_created", superseded_at=NOW
        )
        keep(MuxCall(operation="create_upload", outcome=category, target_type="lesson", target_id=lesson.id))
        return lesson

    return make


def alarm(kind: str) -> Case:
    def make() -> Lesson:
        keep(Alarm(kind=kind, message="It is so."))
        return uploading()

    return make


def uploading() -> Lesson:
    made = upload()()
    assert isinstance(made, Lesson)
    return made


def without(heartbeat: str) -> Case:
    def make() -> Lesson:
        db.session.execute(text("DELETE FROM heartbeats WHERE starts_with(name, :name)"), {"name": heartbeat})
        db.session.commit()
        return uploading()

    return make


def ready(**lesson: Any) -> Case:
    return lambda: make_playing_lesson(**lesson)


def beside(**row: Any) -> Case:
    def make() -> Lesson:
        lesson = make_playing_lesson(creator=make_user(name="Tina Vale"))
        make_tracking(lesson, **row)
        return lesson

    return make


def with_captions(state: str) -> Case:
    def make() -> Lesson:
        lesson = make_playing_lesson()
        db.session.execute(update(Tracking).where(Tracking.lesson_id == lesson.id).values(captions=state))
        db.session.commit()
        return lesson

    return make


def withdrawn(error_type: str) -> Case:
    def make() -> Lesson:
        lesson = make_lesson()
        row = {"status": "cancelled", "error_type": error_type, "withdrawn_at": NOW, "superseded_at": NOW}
        make_tracking(lesson, started_by=make_user().id, **row)
        return lesson

    return make


def waiting_event() -> Lesson:
    lesson = make_playing_lesson()
    make_event(target_id=lesson.id, target_type="lesson", outcome="failed")
    return lesson


def deleting() -> Lesson:
    lesson = make_lesson(video_processing_status="deleting")
    keep(
        AssetDeletion(
            mux_asset_id="a", target_type="lesson", target_id=lesson.id, last_error="timeout", attempts=1
        )
    )
    return lesson


ASK, CHECK, CANCEL, DOCTOR = "upload_again", "recheck", "cancel_upload", "doctor"
WAITS = {"last_answer": "upload_waiting", "last_answer_at": NOW}
IN_DATABASE: dict[str, Row] = {
    "no_video": (make_lesson, "No video was ever uploaded here.", ["form"]),
    "cancelled": (upload("none", status="cancelled"), "was cancelled here", ["form"]),
    "right_lost": (withdrawn("right_lost"), "lost the right to this lesson", ["form"]),
    "held": (withdrawn("held"), "It is held: only staff see it.", ["take_over", "clear_asset"]),
    "temporary_id": (lambda: make_lesson(mux_asset_id="temp_1"), "a temporary video id", [ASK, "clear_asset"]),
    "no_bytes": (upload(created_at=OLD), "Upload started 2 hours ago; no file has arrived.", [CHECK]),
    "bytes_sent": (upload(bytes_in_at=NOW), "Mux has not confirmed it yet.", [CHECK]),
    "no_file": (upload(created_at=OLD, **WAITS), "Mux has been waiting for it for 2 hours.", [ASK, CANCEL, CHECK]),
    "url_expired": (upload(expires_at=OLD), "the time to finish it is over", [CHECK, ASK]),
    "preparing": (upload("processing"), "Mux is preparing this video", [CHECK]),
    "preparing_slowly": (upload("processing", created_at=OLD), "for 2 hours", [CHECK]),
    "planned": (
        ready(status="draft", publish_on_ready=True, publish_not_before=datetime(2999, 1, 1, tzinfo=UTC)),
        "is published on 1 Jan 2999, 00:00 (UTC)",
        ["publish"],
    ),
    "promise_unkept": (ready(status="draft", publish_on_ready=True), "that did not happen", ["publish"]),
    "draft": (ready(status="draft", publish_on_ready=False), "the lesson is a draft", ["publish"]),
    "published": (make_playing_lesson, "There is nothing to do.", []),
    "fine": (lambda: make_course(video_processing_status="ready", mux_asset_id="a", mux_playback_id="p"), "The preview plays.", []),
    "captions_failed": (with_captions("failed"), "Mux made no captions.", [CHECK]),
    "captions_skipped": (with_captions("skipped"), "Mux heard no speech", []),
    "captions_preparing": (with_captions("preparing"), "Mux is making its captions", [CHECK]),
    "replacement": (beside(), "the current one plays until it is ready", []),
    "replacement_late": (beside(created_at=OLD, **WAITS), "The file of the new video has not arrived", [ASK, CANCEL, CHECK]),
    "upload_errored": (failed("upload_errored"), "Tina Vale must upload it again.", [ASK, CHECK]),
    "cancelled_elsewhere": (failed("upload_cancelled"), "cancelled at Mux, not here", [ASK, CHECK]),
    "deleted_at_mux": (failed("deleted_at_mux"), "deleted at Mux, not here", [ASK, CHECK]),
    "asset_errored": (failed("asset_errored"), "check that the file plays", [ASK, CHECK]),
    "no_playback_id": (failed("no_playback_id"), "has no playback id", ["republish"]),
    "wrong_policy": (failed("wrong_policy"), "another playback policy", ["republish"]),
    "deletion_pending": (deleting, "It is tried again automatically.", [CHECK]),
    "upload_not_begun": (not_begun("timeout"), "The file is not the cause", [ASK]),
    "plan_used_up": (not_begun("quota"), "the limit of the Mux plan is reached", [DOCTOR, ASK]),
    "wrong_token": (not_begun("auth_error"), "did not accept Lessonadmin’s access token", [DOCTOR, ASK]),
    "events_waiting": (waiting_event, "could not be applied or matched", ["replay"]),
    "no_workers": (without("worker"), "An operator must start a worker.", [DOCTOR]),
    "no_clock": (without("clock"), "An operator must start the clock.", [DOCTOR]),
    "redis_away": (uploading, "An operator must start Redis.", [DOCTOR]),
    "queue_stands": (alarm("queue_stands"), "the queue does not move", ["jobs"]),
    "wrong_environment": (alarm("wrong_environment"), "another Mux environment", [DOCTOR]),
    "webhooks_refused": (alarm("signatures"), "MUX_WEBHOOK_SECRETS", [CHECK, DOCTOR]),
    "webhooks_silent": (alarm("no_events"), "do not arrive", [CHECK, DOCTOR]),
    "webhooks_not_applied": (alarm("events_waiting"), "None is lost", [CHECK, DOCTOR]),
    "mux_unreachable": (upload(last_look_error="timeout: No answer"), "The file is not the cause.", [CHECK, DOCTOR]),
    "mux_busy": (upload(last_look_error="rate_limit: Fewer calls"), "wait a minute", [CHECK]),
    "nothing_at_mux": (upload(last_look_error="not_found: No such upload"), "No such upload.", []),
}  # fmt: skip
READY = mux.Asset(id="x", status="ready", playback_ids=(mux.PlaybackId("p9", "public"),))
AT_MUX: dict[str, tuple[Case, Look, list[str]]] = {
    "processing_not_told": (uploading, Look(asset=mux.Asset(id="x", status="preparing")), [CHECK]),
    "ready_not_told": (uploading, Look(asset=READY), [CHECK]),
    "ready_after_all": (failed("asset_errored"), Look(asset=READY), ["republish"]),
    "wrong_playback_id": (make_playing_lesson, Look(asset=READY), ["republish"]),
}


def test_every_cause_has_a_row() -> None:
    named: set[str] = set()
    for module in (diagnose, findings, findings_at_mux, outages):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Finding", "unplayable")
            ):
                place = 0 if node.func.id == "Finding" else 1
                named |= {one.value for one in ast.walk(node.args[place]) if isinstance(one, ast.Constant)}
    for table in (findings.FAILURES, findings.LASTING, findings_at_mux.ENDINGS):
        named |= {cause for cause, _ in table.values()}
    assert named == IN_DATABASE.keys() | AT_MUX.keys()


def pressed(found: Finding) -> list[str]:
    return [one.action or one.deed or one.page or "" for one in found.buttons]


@pytest.mark.parametrize("cause", IN_DATABASE)
def test_a_cause_is_named_from_rows(cause: str) -> None:
    make, words, buttons = IN_DATABASE[cause]
    owner = make()
    with overridden(**({"redis_url": "redis://127.0.0.1:1/0"} if cause == "redis_away" else {})):
        (found,) = [one for one in diagnose.diagnose(fresh(owner)) if one.cause == cause]
    assert words in found.sentence
    assert pressed(found) == buttons
    if found.severity == "trouble" and not buttons:
        assert cause == "nothing_at_mux"


@pytest.mark.parametrize("cause", AT_MUX)
def test_a_cause_is_named_from_what_mux_answers(cause: str) -> None:
    make, look, buttons = AT_MUX[cause]
    found = diagnose.diagnose(fresh(make()), look=look)[0]
    assert found.cause == cause
    assert pressed(found) == buttons
