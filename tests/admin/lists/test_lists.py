"""Every list of the panel, over HTTP: whole pages, whatever is sorted, filtered, searched or asked for; few queries."""

import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from lessonadmin import auth
from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog
from tests.admin.samples import LISTS, browser, one_of_each, views
from tests.factories import (
    make_course,
    make_event,
    make_playing_lesson,
    make_tracking,
    make_user,
)
from tests.pages import page_of
from tests.queries import counted

MAX_QUERIES = 15


WORDS = {
    "lesson": "Circles and lines", "course": "Drawing for all", "tracking": "squares.mp4", "event": "video.asset.ready",
    "deletion": "asset-gone", "batch": "asked", "purchase": "stu@school.example", "user": "ada@school.example", "audit": "Changed the lesson",
}  # fmt: skip


@pytest.mark.parametrize("slug", LISTS)
def test_a_list_is_a_whole_page_with_few_queries(app: Flask, slug: str) -> None:
    one_of_each()
    admin = browser()
    with counted() as sent:
        answer = admin.get(f"/admin/{slug}/")
    assert answer.status_code == 200, answer.text
    page = page_of(answer)
    assert WORDS[slug] in page.text()
    assert len(sent) <= MAX_QUERIES, len(sent)


@pytest.mark.parametrize("slug", [slug for slug in LISTS if slug not in ("purchase", "audit")])
def test_a_row_has_a_page(app: Flask, slug: str) -> None:
    row = one_of_each()[slug]
    admin = browser()
    with counted() as sent:
        answer = admin.get(f"/admin/{slug}/details/?id={row.id}")
    assert answer.status_code == 200, answer.text
    page_of(answer)
    assert len(sent) <= MAX_QUERIES, "\n".join(sent)


def test_the_lists_are_those_of_the_contract(app: Flask) -> None:
    assert set(views(app)) == set(LISTS)
    for slug, view in views(app).items():
        assert view.url == f"/admin/{slug}"
        assert (view.can_edit, view.can_create, view.can_delete) == (False, False, False), slug


@pytest.mark.parametrize("slug", LISTS)
def test_every_sort_filter_and_view_is_a_page_with_few_queries(app: Flask, slug: str) -> None:
    one_of_each()
    admin, view = browser(), views(app)[slug]
    addresses = [
        f"sort={[column for column, _ in view._list_columns].index(name)}{desc}"
        for name in view.column_sortable_list or ()
        for desc in ("", "&desc=1")
    ]
    addresses += [f"view={one.name}" for one in view.saved_views] + [
        "end=1",
        "page=2",
        "page_size=100",
        "search=circles",
        f"search={uuid.uuid4()}",
    ]
    for argument, (_, wanted) in (view._filter_args or {}).items():
        options = wanted.get_options(view)
        values = {"datepicker": "2026-01-31"}.get(wanted.data_type or "", "9")
        for value in (
            [key for key, _ in options][:3] if options else [values, "ada@school.example", str(uuid.uuid4())]
        ):
            addresses.append(f"flt0_{argument}={value}")
    for address in addresses:
        with counted() as sent:
            answer = admin.get(f"/admin/{slug}/?{address}")
        assert answer.status_code == 200, (address, answer.status_code)
        page_of(answer)
        assert len(sent) <= MAX_QUERIES, (address, len(sent))
        assert admin.get(f"/admin/{slug}/export/csv/?{address}").status_code == 200, address


ODD = [
    "page=-1", "page=99999999999999999999999", "page=x", "page_size=100000", "sort=99", "sort=-1", "sort=x", "desc=x",
    "search=" + "x" * 5000, "search=%5C", "search=%25", "search=%27", "search=%26%7C%21%28%29", "search=%F0%9F%98%80", "search=%ff%fe", "search=+",
    "after=x", "after=", "before=%21%21", "after=WyJ4IiwieCJd", "after=bnVsbA", "after=MQ", "before=W10", "end=1", "end=x", "after=" + "A" * 3000,
    "view=bogus", "view=", "flt0_state_is=bogus", "flt0_state_is=", "flt0_owner_is=nobody", "flt0_owner_is=%5C", "flt0_course_is=%27",
    "flt0_made_from=yesterday", "flt0_made_from=2026-13-45", "flt0_made_from=9999-12-31", "flt0_made_until=0001-01-01", "flt0_price_at_least=x",
    "flt0_price_at_least=nan", "flt0_price_at_least=1e400", "flt0_price_at_most=99999999999999", "flt0_about_is=x", "flt0_lesson_is=1", "flt0_error_type_is=x",
    "flt0_stuck_is=maybe", "flt0_state_is=draft&flt0_state_is=published", "op-0=bogus&value-0=x", "op-0=state_is&value-0=draft",
    "_scheme=javascript", "_method=DELETE", "endpoint=x", "url=https://evil.example",
]  # fmt: skip


@pytest.mark.parametrize("slug", LISTS)
def test_no_odd_address_is_an_unexpected_error(app: Flask, slug: str) -> None:
    one_of_each()
    admin = browser()
    for query in ODD:
        answer = admin.get(f"/admin/{slug}/?{query}", follow_redirects=True)
        assert answer.status_code == 200, (query, answer.status_code)
        page_of(answer)
        assert admin.get(f"/admin/{slug}/export/csv/?{query}").status_code == 200, query
    for id_ in ("abc", "", "1", str(uuid.uuid4()), "x" * 5000, "%5B%5D", "-1", "%F0%9F%98%80"):
        for path in ("details/", "edit/"):
            found = admin.get(f"/admin/{slug}/{path}?id={id_}").status_code
            assert found == 404 or (
                path == "details/" and slug in ("purchase", "audit") and found in (302, 404)
            ), (path, id_, found)


def test_a_list_never_asks_once_a_row(app: Flask) -> None:
    admin = browser()
    figures = []
    for _ in range(2):
        for _ in range(8):
            full = make_playing_lesson(creator=make_user(), course_id=make_course().id)
            make_tracking(full, upload_id=str(uuid.uuid4()), status="cancelled")
            make_event(target_type="lesson", target_id=full.id)
        found = []
        for slug in ("lesson", "course", "tracking", "event"):
            with counted() as sent:
                admin.get(f"/admin/{slug}/")
            found.append(len(sent))
        figures.append(found)
    assert figures[0] == figures[1]


def test_an_audit_row_cannot_be_changed(app: Flask) -> None:
    one_of_each()
    admin = browser()
    with app.app_context():
        row = db.session.scalars(select(AuditLog)).first()
        assert row is not None
        before, row_id = row.action, str(row.id)
    token = page_of(admin.get("/admin/audit/")).csrf
    for path in ("delete/", f"edit/?id={row_id}", "new/", "action/"):
        data = {"id": row_id, "rowid": row_id, "action": "delete", "csrf_token": token}
        admin.post(f"/admin/audit/{path}", data=data)
    with app.app_context():
        assert db.session.get_one(AuditLog, uuid.UUID(row_id)).action == before


@pytest.mark.parametrize("role", ["student", "instructor", "support"])
def test_who_may_see_what(app: Flask, role: str) -> None:
    rows = one_of_each()
    somebody = browser(role)
    for slug in LISTS:
        expected = 403 if slug == "user" and role == "support" else 200 if role == "support" else 404
        assert somebody.get(f"/admin/{slug}/").status_code == expected, slug
        if rows[slug] is not None and slug != "purchase":
            assert somebody.get(f"/admin/{slug}/details/?id={rows[slug].id}").status_code == expected, slug
    menu = page_of(somebody.get("/account")).text()
    assert ("Support panel" in menu) == (role == "support")
    assert auth.GUARDS["admin_user"].roles == {"admin"}


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
    assert "Took a CSV file of people" in page.text()
