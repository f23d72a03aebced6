"""Worker and clock outlive PostgreSQL and Redis, web answers meanwhile, and all work again by themselves."""

from tests.contract.callers import Caller
from tests.contract.house import House
from tests.contract.test_lessons import ready_lesson


def works(house: House, teacher: Caller, within: float) -> None:
    """Web takes an upload and an event, the worker tells Mux to delete, the clock finds what nobody told."""
    house.until(lambda: house.nobody.get("/readyz").status == 200, seconds=within)
    _, asset = ready_lesson(house, teacher)
    teacher.delete(f"/api/mux/assets/{asset['id']}").expect(202)
    house.until(lambda: asset["id"] not in house.mux.assets, seconds=within)
    lesson_id = teacher.lesson()["id"]
    house.mux.asset_of(teacher.upload(lesson_id=lesson_id)["upload_id"], "ready")
    house.sql("UPDATE mux_asset_tracking SET next_check_at = '2020-01-01' WHERE lesson_id = %s", lesson_id)
    house.until(lambda: teacher.seen(lesson_id)["status"] == "published", seconds=within)


def test_redis_comes_back_empty(house: House, teacher: Caller) -> None:
    house.restart_redis()
    works(house, teacher, within=30)
    assert house.alive() == ["web", "worker", "clock"]


def test_postgresql_is_restarted(house: House, teacher: Caller) -> None:
    house.restart_postgres()
    works(house, teacher, within=30)
    assert house.alive() == ["web", "worker", "clock"]
