"""The page of a bulk action over HTTP: it stops, goes on, is tried again and undone, and shows all its rows."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lessonadmin.db import db
from lessonadmin.domain.batches import batches, runner
from lessonadmin.domain.models import Batch, BatchItem, Lesson
from tests.admin.posting import BATCH_PAGE, act, fresh, ready_drafts, said
from tests.factories import make_user, signed_in
from tests.pages import csrf_of, page_of


@pytest.fixture
def support(app: Flask) -> FlaskClient:
    return signed_in(make_user(role="support"))


def a_batch(support: FlaskClient, count: int = 25) -> uuid.UUID:
    answer = act(support, "lesson", "publish", *(one.id for one in ready_drafts(count)), reason="test")
    held = BATCH_PAGE.match(answer.location)
    assert held is not None
    return uuid.UUID(held[1])


def press(support: FlaskClient, what: str, batch_id: uuid.UUID, **more: str) -> Any:
    data = {"id": str(batch_id), "csrf_token": csrf_of(support, "/account"), **more}
    return support.post(f"/admin/batch/{what}", data=data)


def test_a_batch_is_stopped_goes_on_and_is_undone(support: FlaskClient, session: object) -> None:
    batch_id = a_batch(support)
    press(support, "stop", batch_id)
    assert batches.progress(batch_id).status == "stopped"
    runner.run_some(batch_id, seconds=5)
    assert batches.progress(batch_id).done == 0
    page = page_of(support.get(f"/admin/batch/details/?id={batch_id}"))
    assert "Stopped with 25 lessons left." in page.text()
    press(support, "resume", batch_id)
    runner.run_some(batch_id, seconds=10)
    assert batches.progress(batch_id).done == 25
    assert "Undo this for 25 lessons?" in page_of(support.get(f"/admin/batch/details/?id={batch_id}")).text()
    answer = press(support, "undo", batch_id, reason="wrong course")
    held = BATCH_PAGE.match(answer.location)
    assert held is not None
    assert held[1] != str(batch_id)
    runner.run_some(uuid.UUID(held[1]), seconds=10)
    assert {
        row.status for row in db.session.scalars(select(Lesson).execution_options(populate_existing=True))
    } == {"draft"}
    words = page_of(support.get(answer.location))
    assert words.text("h1") == "Undo of “Publish 25 lessons”"
    assert words.all("a", href=f"/admin/batch/details/?id={batch_id}")
    words = page_of(support.get(f"/admin/batch/details/?id={batch_id}"))
    assert "Undone" in words.text()
    assert words.all("a", href=f"/admin/batch/details/?id={held[1]}")
    listed = page_of(support.get("/admin/batch/")).text()
    assert "Undo of “Publish 25 lessons”" in listed
    assert "Undone" in listed


def test_the_time_left_of_a_batch_that_was_stopped_overnight(support: FlaskClient, session: object) -> None:
    batch_id = a_batch(support, 100)
    once = iter([True, False])
    runner.run_some(batch_id, seconds=30, alive=lambda: next(once))
    press(support, "stop", batch_id)
    night = timedelta(hours=12)
    db.session.execute(update(Batch).values(created_at=Batch.created_at - night, running_seconds=10.0))
    db.session.commit()
    press(support, "resume", batch_id)
    page = page_of(support.get(f"/admin/batch/details/?id={batch_id}"))
    assert "50 of 100 lessons" in page.text()
    assert "5.0 a second, about 10 s left" in page.text()


def test_its_page_keeps_itself_fresh_and_shows_its_rows_in_pages(
    support: FlaskClient, session: object
) -> None:
    batch_id = a_batch(support, 60)
    address = f"/admin/batch/details/?id={batch_id}"
    fragment = support.get(address, headers={"X-Fragment": "batch"})
    assert fragment.headers["X-Fragment"] == "batch"
    assert 'data-next="1000"' in fragment.text
    runner.run_some(batch_id, seconds=10)
    fragment = support.get(address, headers={"X-Fragment": "batch"})
    assert 'data-next=""' in fragment.text
    first = page_of(support.get(address))
    (following,) = [a["href"] for a in first.all("a", rel="next")]
    shown = set(re.findall(r"“?Draft \d+", first.text())) | set(
        re.findall(r"Draft \d+", page_of(support.get(following or "")).text())
    )
    assert len(shown) == 60
    assert "No such rows" in page_of(support.get(f"{address}&rows=failed")).text()
    assert support.get(f"{address}&rows=bogus&after=x").status_code == 200


def test_a_batch_that_ends_while_its_page_is_drawn_is_asked_about_again(
    support: FlaskClient, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the page would say "done, 0 of 25 lessons" and never ask again."""
    batch_id = a_batch(support)
    lines = batches.items

    def ends_meanwhile(*args: Any, **options: Any) -> list[batches.Item]:
        runner.run_some(batch_id, seconds=10)
        return lines(*args, **options)

    monkeypatch.setattr(batches, "items", ends_meanwhile)
    fragment = support.get(f"/admin/batch/details/?id={batch_id}", headers={"X-Fragment": "batch"})
    assert batches.progress(batch_id).status == "done"
    assert 'data-next="1000"' in fragment.text
    assert "0 of 25 lessons" in fragment.text
    assert "Ended" not in fragment.text


def test_failed_rows_are_tried_again_one_or_all(support: FlaskClient, session: object) -> None:
    batch_id = a_batch(support)
    runner.run_some(batch_id, seconds=10)
    items = db.session.scalars(select(BatchItem.id).where(BatchItem.batch_id == batch_id).limit(3)).all()
    db.session.execute(update(BatchItem).where(BatchItem.id.in_(items)).values(status="failed", error="boom"))
    db.session.execute(update(Batch).where(Batch.id == batch_id).values(done=22, failed=3))
    db.session.commit()
    page = page_of(support.get(f"/admin/batch/details/?id={batch_id}&rows=failed"))
    assert page.text().count("boom") == 3
    press(support, "retry-row", batch_id, item=str(items[0]))
    runner.run_item(items[0])
    assert batches.progress(batch_id).failed == 2
    press(support, "retry", batch_id)
    assert batches.progress(batch_id).failed == 0
    press(support, "retry", batch_id)
    assert "No row of this batch has failed." in said(support)


@pytest.mark.parametrize("what", ["stop", "resume", "retry", "retry-row", "undo"])
def test_buttons_of_a_batch_that_is_not_there(support: FlaskClient, session: object, what: str) -> None:
    assert press(support, what, uuid.uuid4()).status_code == 404
    token = csrf_of(support, "/account")
    assert support.post(f"/admin/batch/{what}", data={"id": "x", "csrf_token": token}).status_code == 404
    assert support.get("/admin/batch/details/?id=x").status_code == 404


def test_the_undo_is_offered_where_the_action_was_and_leads_back_there(
    support: FlaskClient, session: object
) -> None:
    (lesson,) = ready_drafts(1)
    back = "/admin/lesson/?search=draft"
    act(support, "lesson", "publish", lesson.id, reason="test", url=back)
    page = page_of(support.get(back))
    assert page.all("form", action="/admin/batch/undo")
    batch_id = db.session.scalars(select(Batch.id)).one()
    answer = press(support, "undo", batch_id, url=back)
    assert (answer.status_code, answer.location) == (302, back)
    words = said(support)
    assert "Undo of “Publish 1 lesson”: It is again what it was before." in words
    assert fresh(lesson).status == "draft"
    assert not page_of(support.get(back)).all("form", action="/admin/batch/undo"), "an undo has none"


def test_an_undo_says_row_by_row_what_it_left_alone(support: FlaskClient, session: object) -> None:
    kept, changed = ready_drafts(2)
    act(support, "lesson", "publish", kept.id, changed.id, reason="test")
    batch_id = db.session.scalars(select(Batch.id)).one()
    tina = signed_in(make_user(role="support", name="Tina"))
    act(tina, "lesson", "unpublish", changed.id)
    answer = press(support, "undo", batch_id)
    page = page_of(support.get(answer.location)).text()
    assert "Changed since by Tina on" in page
    first = page_of(support.get(f"/admin/batch/details/?id={batch_id}")).text()
    assert "Partly undone" in first
    assert "Undo this for" not in first


def test_what_ran_before_rows_were_recorded_says_that_it_cannot_be_undone(
    support: FlaskClient, session: object
) -> None:
    (lesson,) = ready_drafts(1)
    act(support, "lesson", "publish", lesson.id, reason="test")
    db.session.execute(update(BatchItem).values(before=None))
    db.session.commit()
    batch_id = db.session.scalars(select(Batch.id)).one()
    page = page_of(support.get(f"/admin/batch/details/?id={batch_id}")).text()
    assert "so it cannot be undone" in page
    press(support, "undo", batch_id)
    assert "was not recorded" in said(support)
    assert fresh(lesson).status == "published"


def test_an_empty_list_says_how_to_begin(support: FlaskClient, session: object) -> None:
    assert "Select rows in Lessons" in page_of(support.get("/admin/batch/")).text()
