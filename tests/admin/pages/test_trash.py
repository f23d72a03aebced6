"""The trash in the panel: what all instructors deleted, restored with a reason, and put back."""

import uuid

import pytest
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Lesson, Tracking
from tests.factories import in_context, make_playing_lesson, make_user, signed_in
from tests.pages import page_of, post
from tests.trash import delete, there

pytestmark = pytest.mark.usefixtures("app")


def deleted(title: str) -> Lesson:
    lesson = make_playing_lesson(title=title)
    with in_context():
        delete(lesson)
    return lesson


def test_support_restores_with_a_reason_and_undoes_it() -> None:
    lesson = deleted("Rye")
    support = signed_in(make_user(role="support"))
    said = page_of(support.get("/admin/trash/"))
    assert "Rye" in said.text("main")
    assert "Publish it again" in said.text("main")
    named = {"kind": "lesson", "id": str(lesson.id)}
    assert post(support, "/admin/trash/restore", **named).status_code == 400  # without a reason
    post(support, "/admin/trash/restore", **named, reason="Asked by mail", publish="1")
    page = page_of(support.get("/admin/trash/"))
    assert "“Rye” is restored and published." in page.text()
    with in_context():
        assert there(lesson).status == "published"
    assert page.one("form", action="/admin/trash/put-back")
    post(support, "/admin/trash/put-back", **named, reason="Undo: Asked by mail")
    with in_context():
        assert there(lesson).deleted_at is not None
        rows = select(AuditLog.action, AuditLog.detail["reason"].astext).where(
            AuditLog.target_id == lesson.id
        )
        found = db.session.execute(rows.order_by(AuditLog.id)).all()
    assert ("lesson.restored", "Asked by mail") in found
    assert found[-1] == ("lesson.deleted", "Undo: Asked by mail")


def test_what_names_nothing_is_missing_and_a_refusal_is_said() -> None:
    support = signed_in(make_user(role="support"))
    for named in (
        {"kind": "user", "id": str(uuid.uuid4())},
        {"kind": "lesson", "id": "x"},
        {"kind": "course", "id": str(uuid.uuid4())},
    ):
        assert post(support, "/admin/trash/restore", **named, reason="Asked").status_code == 404
    assert [page_of(support.get(f"/admin/trash/?page={odd}")).text("h1") for odd in ("x", "2")] == [
        "Trash"
    ] * 2
    draft = deleted("Draft")
    with in_context():
        lesson = there(draft)
        lesson.before_trash = {"status": "draft", "published_at": None, "publish_on_ready": False}
        db.session.commit()
    named = {"kind": "lesson", "id": str(draft.id)}
    post(support, "/admin/trash/restore", **named, reason="Asked", publish="1")
    assert "Restore it as a draft" in page_of(support.get("/admin/trash/")).text()
    assert signed_in(make_user()).get("/admin/trash/").status_code == 404


def test_an_upload_of_what_is_in_the_trash_leads_there() -> None:
    with in_context():
        upload_id = db.session.scalars(
            select(Tracking.id).where(Tracking.lesson_id == deleted("Rye").id)
        ).one()
    support = signed_in(make_user(role="support"))
    for address in ("/admin/tracking/", f"/admin/tracking/details/?id={upload_id}"):
        page = page_of(support.get(address))
        assert "lesson in the trash" in page.text("main")
        assert page.all("a", href="/admin/trash/")


def test_support_finds_what_was_deleted_by_its_id_and_its_words() -> None:
    lesson = deleted("Quince jelly")
    support = signed_in(make_user(role="support"))
    for text in (lesson.id, "quince"):
        assert support.get(f"/admin/search/?q={text}").location == "/admin/trash/"
    deleted("Quince paste")
    assert "In the trash" in page_of(support.get("/admin/search/?q=quince")).text("main")
