"""Support, as the panel's own forms are sent: bulk actions over many lessons, and what became of them."""

import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lessonadmin import mux
from tests.flows.instructor import Instructor
from tests.flows.processes import Stack, wait_for


class Support(Instructor):
    """Staff may do whatever an instructor may, and more."""

    role = "support"

    def begin(self, action: str, lessons: list[str]) -> str:
        """Choose these lessons and an action, more than are done while one waits; the bulk action's id."""
        form = [("action", action), ("reason", "flow"), *(("rowid", one) for one in lessons)]
        answer = self.browser().post("/admin/lesson/action/", form).expect(302)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["id"][0]

    def figures(self, batch_id: str) -> dict[str, Any]:
        query = "SELECT status, total, done, failed, skipped FROM batches WHERE id = %s"
        (row,) = self.stack.database.rows(query, batch_id)
        return dict(zip(("status", "total", "done", "failed", "skipped"), row, strict=True))

    def waits_for_the_end(self, batch_id: str, *, seconds: float) -> None:
        wait_for(lambda: self.figures(batch_id)["status"] == "done", seconds=seconds, what="the bulk action")

    def check_each_once(self, batch_id: str, lessons: list[str]) -> None:
        """Every row is done, the counters say so, and no lesson was published twice."""
        count = len(lessons)
        assert self.figures(batch_id) == {"status": "done", "total": count, "done": count, "failed": 0, "skipped": 0}  # fmt: skip
        rows = "SELECT status, count(*) FROM batch_items WHERE batch_id = %s GROUP BY 1"
        assert self.stack.database.rows(rows, batch_id) == [("done", count)]
        trail = "SELECT count(*), count(DISTINCT target_id) FROM audit_log WHERE action = 'lesson.published' AND target_id = ANY(%s::uuid[])"
        assert self.stack.database.rows(trail, lessons) == [(count, count)]


def _lessons(stack: Stack, count: int, columns: str, values: str) -> list[str]:
    query = f"INSERT INTO lessons (creator_id, title{columns}) SELECT (SELECT id FROM users WHERE role = 'instructor'), 'Lesson ' || n{values} FROM generate_series(1, %s) n RETURNING id::text"  # noqa: S608 - columns and values are a flow's own
    return [one for (one,) in stack.database.rows(query, count)]


def ready_drafts(stack: Stack, count: int) -> list[str]:
    """Lessons whose video is there and that were not to be published: publishing them does not ask Mux."""
    columns = ", publish_on_ready, video_processing_status, mux_asset_id, mux_playback_id"
    return _lessons(
        stack, count, columns, ", false, 'ready', gen_random_uuid()::text, gen_random_uuid()::text"
    )


def lost(stack: Stack, count: int) -> list[str]:
    """Lessons whose videos are ready at Mux, which no webhook told, and that no sweep asks about for an hour."""
    lessons = _lessons(stack, count, "", "")
    rows = [uuid.uuid4() for _ in lessons]
    options = [
        {"upload_id": f"up-{row}", "passthrough": mux.Passthrough(lesson_id=uuid.UUID(one), tracking_id=row).text()}
        for one, row in zip(lessons, rows, strict=True)
    ]  # fmt: skip
    assets = stack.mux.seed_each(options)
    query = (
        "INSERT INTO mux_asset_tracking (id, lesson_id, upload_id, mux_asset_id, status, next_check_at)"
        " SELECT id, lesson, 'up-' || id, asset, 'processing', now() + interval '1 hour'"
        " FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS given (id, lesson, asset)"
    )
    stack.database.rows(query, rows, lessons, assets)
    return lessons
