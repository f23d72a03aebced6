"""One asset in two lessons, over HTTP: what an instructor does to the one is not done to the other, and nothing is retried
for ever in the panel's list of deletions."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from lessonadmin.db import db
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import AssetDeletion, Lesson, User
from tests.factories import bearer, make_lesson, make_purchase, make_user, signed_in
from tests.mux_sim import MuxSim
from tests.pages import csrf_of, page_of


@pytest.fixture
def support(app: Flask) -> User:
    return make_user(role="support")


@pytest.fixture
def lessons_of_one_asset(
    mux_sim: MuxSim, client: FlaskClient, instructor: User, support: User
) -> tuple[Lesson, Lesson, str]:
    """Support named the same asset for both, and both are published."""
    (asset_id,) = mux_sim.control.seed_assets(1, policy="public", duration=30.0)
    playback_id = mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]
    first, second = make_lesson(creator=instructor), make_lesson(creator=instructor)
    for lesson in (first, second):
        named = {"lesson_id": str(lesson.id), "mux_asset_id": asset_id, "mux_playback_id": playback_id}
        answer = client.post("/api/mux/update-asset", json=named, headers=bearer(support))
        assert answer.json is not None
        assert (answer.status_code, answer.json["status"]) == (200, "published")
    return first, second, asset_id


def remove(browser: FlaskClient, lesson: Lesson) -> None:
    answer = browser.post(f"/lessons/{lesson.id}/remove", data={"csrf_token": csrf_of(browser, "/account")})
    assert answer.status_code == 302


def shown(client: FlaskClient, user: User, lesson_id: uuid.UUID) -> tuple[str, str, str | None]:
    answer = client.get(f"/api/lessons/{lesson_id}", headers=bearer(user)).json
    assert answer is not None
    return answer["status"], answer["video"]["status"], answer["video"]["asset_id"]


def pending(browser: FlaskClient) -> str:
    return page_of(browser.get("/admin/deletion/?view=pending")).text("main")


def hours_pass(hours: int) -> None:
    for _ in range(hours):
        db.session.execute(update(AssetDeletion).values(due_at=func.now() - text("interval '1 second'")))
        db.session.execute(text("DELETE FROM mux_budget"))
        db.session.commit()
        sweep.sweep()


def test_remove_video_of_one_lesson_leaves_the_other_its_video(
    mux_sim: MuxSim,
    client: FlaskClient,
    instructor: User,
    support: User,
    lessons_of_one_asset: tuple[Lesson, Lesson, str],
) -> None:
    first, second, asset_id = lessons_of_one_asset
    page, panel = signed_in(instructor), signed_in(support)
    remove(page, first)
    assert shown(client, instructor, first.id) == ("draft", "none", None)
    hours_pass(3)
    assert shown(client, instructor, second.id) == ("published", "ready", asset_id)
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id]
    assert asset_id not in pending(panel)
    assert db.session.scalars(select(AssetDeletion)).all() == []
    assert "Removed here" in page_of(panel.get(f"/admin/lesson/story/?id={first.id}")).text()

    remove(page, second)
    assert asset_id in pending(panel)
    assert shown(client, instructor, second.id) == ("draft", "deleting", None)
    assert [one["id"] for one in mux_sim.control.assets()] == [asset_id], "kept for the grace time"
    hours_pass(1)
    assert shown(client, instructor, second.id) == ("draft", "none", None)
    assert mux_sim.control.assets() == []
    assert asset_id not in pending(panel)


def test_the_api_takes_the_video_from_both(
    mux_sim: MuxSim,
    client: FlaskClient,
    instructor: User,
    lessons_of_one_asset: tuple[Lesson, Lesson, str],
) -> None:
    first, second, asset_id = lessons_of_one_asset
    answer = client.delete(f"/api/mux/assets/{asset_id}", headers=bearer(instructor))
    assert (answer.status_code, answer.json) == (202, {"status": "deleting"})
    hours_pass(1)
    for lesson in (first, second):
        assert shown(client, instructor, lesson.id) == ("draft", "none", None)
    assert mux_sim.control.assets() == []


def test_support_that_tries_a_stuck_deletion_hears_that_the_asset_stays(
    client: FlaskClient, instructor: User, support: User, lessons_of_one_asset: tuple[Lesson, Lesson, str]
) -> None:
    first, _, asset_id = lessons_of_one_asset
    row = AssetDeletion(mux_asset_id=asset_id, attempts=30, last_error="it plays in a lesson or course again")
    db.session.add(row)
    db.session.commit()
    panel = signed_in(support)
    assert asset_id in pending(panel)
    token = csrf_of(panel, "/account")
    answer = panel.post("/admin/deletion/retry", data={"id": str(row.id), "csrf_token": token})
    assert "uses this asset, so it stays at Mux" in page_of(panel.get(answer.location or "")).text()
    assert asset_id not in pending(panel)
    assert shown(client, instructor, first.id) == ("published", "ready", asset_id)


def test_the_video_of_a_bought_lesson_wants_the_number_of_its_buyers(
    mux_sim: MuxSim, client: FlaskClient, instructor: User, support: User
) -> None:
    lesson = make_lesson(creator=instructor)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    make_purchase(lesson, make_user(role="student", name="Ada"))
    page, panel = signed_in(instructor), signed_in(support)
    asked = page_of(page.get(f"/lessons/{lesson.id}/remove")).text()
    assert "1 student bought this lesson." in asked
    assert "Ada" not in asked, "an instructor is not told who"
    assert "1 student bought this lesson: Ada." in page_of(panel.get(f"/lessons/{lesson.id}/remove")).text()

    def press(**typed: str) -> int:
        form = {"csrf_token": csrf_of(page, "/account"), **typed}
        return page.post(f"/lessons/{lesson.id}/remove", data=form).status_code

    make_purchase(lesson, make_user(role="student"))
    assert [press(), press(typed="1"), press(typed="x")] == [409] * 3
    assert shown(client, instructor, lesson.id)[:2] == ("published", "ready")
    assert press(typed="2") == 302
    assert shown(client, instructor, lesson.id) == ("draft", "deleting", None)
    edit = page_of(page.get(f"/lessons/{lesson.id}/edit")).text()
    assert "Video removed on" in edit
    answer = page.post(f"/lessons/{lesson.id}/restore", data={"csrf_token": csrf_of(page, "/account")})
    assert answer.status_code == 302
    assert shown(client, instructor, lesson.id)[:2] == ("published", "ready")


def test_the_api_deletes_at_once_as_its_contract_says(
    mux_sim: MuxSim, client: FlaskClient, instructor: User
) -> None:
    lesson = make_lesson(creator=instructor)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset_id = mux_sim.lesson(lesson).mux_asset_id
    answer = client.delete(f"/api/mux/assets/{asset_id}", headers=bearer(instructor))
    assert (answer.status_code, answer.json) == (202, {"status": "deleting"})
    sweep.sweep()
    assert mux_sim.control.assets() == []
    assert shown(client, instructor, lesson.id) == ("draft", "none", None)
