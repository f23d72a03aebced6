"""The usual way of a lesson: bytes up, published by itself within five seconds, for one call to Mux."""

import pytest

from tests.flows.instructor import Instructor
from tests.flows.processes import Stack

# The sweep comes every second. It looks at an upload only after a minute of silence, and a slow machine is not that slow:
# so every look that is seen here was asked for without need.
SETTINGS = {"SWEEP_EVERY_SECONDS": "1", "RECHECK_AFTER_SECONDS": "60", "UPLOADS_PER_HOUR": "1000000"}

pytestmark = pytest.mark.timeout(110)


def test_sunshine(stack: Stack, instructor: Instructor) -> None:
    lesson = instructor.lesson()
    upload_id = instructor.upload(lesson)
    assert stack.mux.upload_file(upload_id) == 200
    status, told = instructor.ask(
        "POST", "/api/mux/track-upload", {"lesson_id": lesson, "upload_id": upload_id}
    )
    assert (status, told["status"]) in {(200, "uploading"), (200, "processing"), (200, "ready")}
    seen = instructor.waits_for_publication(lesson, seconds=5)
    assert seen["video"]["status"] == "ready"
    assert seen["video"]["playback_id"]
    due = "SELECT next_check_at FROM mux_asset_tracking WHERE upload_id = %s"
    assert stack.database.rows(due, upload_id) == [(None,)], "no sweep will ask about it, however many come"
    assert [one["method"] for one in stack.mux.calls(target="api")] == ["POST"]
