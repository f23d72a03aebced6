"""Worker and clock outlive PostgreSQL and Redis, web answers meanwhile, and all work again by themselves."""

from tests.contract.callers import Caller
from tests.contract.stack import Stack
from tests.contract.test_lessons import ready_lesson


def works(stack: Stack, instructor: Caller, within: float) -> None:
    """Web takes an upload and an event, the worker tells Mux to delete, the clock finds what no webhook told."""
    stack.until(lambda: stack.stranger.get("/readyz").status == 200, seconds=within)
    _, asset = ready_lesson(stack, instructor)
    instructor.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    stack.until(lambda: asset["id"] not in stack.mux.assets, seconds=within)
    lesson_id = instructor.lesson()["id"]
    stack.mux.asset_of(instructor.upload(lesson_id=lesson_id)["upload_id"], "ready")
    stack.sql("UPDATE mux_asset_tracking SET next_check_at = '2020-01-01' WHERE lesson_id = %s", lesson_id)
    stack.until(lambda: instructor.seen(lesson_id)["status"] == "published", seconds=within)


def test_redis_comes_back_empty(stack: Stack, instructor: Caller) -> None:
    stack.restart_redis()
    works(stack, instructor, within=30)
    assert stack.alive() == ["web", "worker", "clock"]


def test_postgresql_is_restarted(stack: Stack, instructor: Caller) -> None:
    stack.restart_postgres()
    works(stack, instructor, within=30)
    assert stack.alive() == ["web", "worker", "clock"]
