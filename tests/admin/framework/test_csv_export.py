"""The CSV file of a list, over HTTP: what it leaves behind. What stands in it is tested with the lists."""

import gc

from flask import Flask
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog
from tests.admin.samples import browser, one_of_each
from tests.factories import make_user
from tests.pages import page_of


def test_no_connection_is_kept_by_a_file_that_was_sent(app: Flask) -> None:
    with app.app_context():
        one_of_each()
        db.session.remove()
        pool = db.engine.pool
    staff = browser()
    gc.disable()  # a connection that only the collector gives back is kept
    try:
        before = pool.checkedout()  # type: ignore[attr-defined]  # of a QueuePool
        for _ in range(3):
            assert staff.get("/admin/lesson/export/csv/").text.startswith('"Id"')
        assert pool.checkedout() == before  # type: ignore[attr-defined]  # of a QueuePool
    finally:
        gc.enable()


def test_a_csv_file_leaves_a_row_that_says_who_took_what(app: Flask) -> None:
    one_of_each()
    make_user(role="student", email="other@school.example")
    admin = browser()
    address = "/admin/user/export/csv/?flt0_role_is=student&search=stu@"
    assert len(admin.get(address).text.splitlines()) == 3
    assert admin.get("/admin/purchase/export/csv/").status_code == 200
    with app.app_context():
        rows = db.session.scalars(
            select(AuditLog).where(AuditLog.action.like("%.exported")).order_by(AuditLog.id)
        ).all()
    assert [(row.action, row.actor_type, row.detail["rows"]) for row in rows] == [
        ("user.exported", "user", 2),
        ("purchase.exported", "user", 1),
    ]
    assert rows[0].detail["search"] == "stu@"
    assert list(rows[0].detail["filters"].values()) == ["student"]
    page = page_of(admin.get("/admin/audit/"))
    assert "Exported a CSV file of people" in page.text()
