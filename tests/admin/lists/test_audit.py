"""The audit trail as a list, over HTTP: who did what to what, in words; found by people and ids; never changed."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lessonadmin.admin.lists import audit
from lessonadmin.db import db
from lessonadmin.domain.audit.words import AUDIT_WORDS
from lessonadmin.domain.models import AuditLog, User
from tests.admin.samples import LISTS, WITHOUT_FILES, browser, exported, one_of_each
from tests.factories import keep, make_course, make_lesson, make_user, signed_in
from tests.pages import page_of

GONE = uuid.UUID("01a1fc30-4459-7d2e-be8a-be56dc97f121")
THINGS = {"lesson": make_lesson, "course": make_course}


def make_row(by: User | None = None, **columns: object) -> AuditLog:
    given = {
        "actor_type": "user" if by else "cli",
        "actor_id": by.id if by else None,
        "target_type": "lesson",
    }
    return keep(AuditLog(**{"action": "lesson.published", **given, **columns}))


@pytest.mark.parametrize("kind", THINGS)
def test_what_was_changed_is_named_and_linked(app: Flask, kind: str) -> None:
    thing = THINGS[kind](title="Circles")
    make_row(target_type=kind, target_id=thing.id)
    page = page_of(browser().get("/admin/audit/"))
    assert "Circles" in page.text("tbody")
    assert page.all("a", href=f"/admin/{kind}/details/?id={thing.id}")


def test_an_account_that_was_changed_is_named_by_its_address(app: Flask) -> None:
    ada = make_user(email="ada@school.example")
    make_row(action="user.disabled", target_type="user", target_id=ada.id)
    assert "ada@school.example" in page_of(browser().get("/admin/audit/")).text("tbody")


@pytest.mark.parametrize("kind", ["lesson", "batch"])
def test_what_has_no_name_is_called_by_the_beginning_of_its_id(app: Flask, kind: str) -> None:
    make_row(target_type=kind, target_id=GONE)
    assert f"{kind} 01a1fc30…" in page_of(browser().get("/admin/audit/")).text("tbody")


@pytest.mark.parametrize(
    ("actor_type", "words"),
    [
        ("webhook", "Mux (webhook)"),
        ("job", "background job"),
        ("cli", "command line"),
        ("user", "a removed account"),
    ],
)
def test_who_did_it(app: Flask, actor_type: str, words: str) -> None:
    make_row(actor_type=actor_type, actor_id=GONE if actor_type == "user" else None)
    assert words in page_of(browser().get("/admin/audit/")).text("tbody")


def test_an_action_is_said_in_words(app: Flask) -> None:
    make_row(action="user.handed_over", target_type="user", detail={"to": "new@school.example"})
    make_row(action="a.new_one")
    text = page_of(browser().get("/admin/audit/")).text("tbody")
    for words in (
        "Transferred content to another instructor",
        "to: new@school.example",
        "a.new_one",
    ):
        assert words in text, words


def test_the_page_of_an_entry_says_everything_whole(app: Flask) -> None:
    ada = make_user(email="ada@school.example")
    lesson = make_lesson(title="Circles")
    long = "Long " * 200
    detail = {
        "before": {"title": long, "price_cents": 900, "course_id": None},
        "after": {"title": "Short", "price_cents": 1200, "course_id": str(GONE)},
        "reason": long,
        "address": "192.0.2.7",
        "lessons": [str(lesson.id), str(GONE)],
        "batch": str(GONE),
    }
    row = make_row(ada, action="lesson.updated", target_id=lesson.id, detail=detail)
    page = page_of(browser().get(f"/admin/audit/details/?id={row.id}"))
    said = page.text()
    for words in ("Changed the lesson", "lesson.updated", "ada@school.example", "Circles", "192.0.2.7"):
        assert words in said, words
    changes = page.text("tbody")
    for words in (f"Title{long.strip()}Short", "PriceEUR 9.00EUR 12.00", "Course idnothing", str(GONE)):
        assert words in changes, words
    assert long.strip() in page.text("dl")
    assert "[" not in page.text("dl")
    for address in (
        f"/admin/person/details/?id={ada.id}",
        f"/admin/lesson/details/?id={lesson.id}",
        f"/admin/search/?q={lesson.id}",
        f"/admin/search/?q={GONE}",
        f"/admin/batch/details/?id={GONE}",
    ):
        assert page.all("a", href=address), address


def test_each_action_has_its_words_once() -> None:
    parts = (AUDIT_WORDS, audit.OTHER_WORDS, audit.EXPORTS)
    assert len(audit.WORDS) == sum(map(len, parts)), "no part overrides another"


def test_a_file_of_each_list_has_its_words() -> None:
    of_lists = {f"{slug}.exported" for slug in LISTS if slug not in WITHOUT_FILES}
    assert set(audit.EXPORTS) == of_lists | {"figures.exported"}  # a file of their own pages


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("search=ada@school.example", {"lesson.updated"}),
        ("search=nobody@school.example", set()),
        (f"search={GONE}", {"lesson.deleted"}),
        ("search=lesson.updated", set()),
        ("flt0_what_is=lesson.deleted", {"lesson.deleted"}),
        ("flt0_who_is=ada", {"lesson.updated"}),
        ("flt0_by_is=cli", {"lesson.published", "lesson.deleted"}),
        (f"flt0_target_id_is={GONE}", {"lesson.deleted"}),
        (
            "flt0_when_from=2000-01-01",
            {"lesson.published", "lesson.updated", "lesson.deleted", "audit.exported"},
        ),
        ("flt0_when_until=2000-01-01", set()),
    ],
)
def test_a_search_and_a_filter_find_their_rows(app: Flask, query: str, actions: set[str]) -> None:
    make_row()
    make_row(make_user(name="Ada", email="ada@school.example"), action="lesson.updated")
    make_row(action="lesson.deleted", target_id=GONE)
    assert {row["What"] for row in exported(browser(), "audit", query)} == actions


def test_its_own_id_finds_a_row(app: Flask) -> None:
    row, _ = make_row(), make_row(action="lesson.deleted")
    assert [one["Id"] for one in exported(browser(), "audit", f"search={row.id}")] == [str(row.id)]


def test_a_file_says_who_by_address_and_what_changed(app: Flask) -> None:
    ada = make_user(email="ada@school.example")
    make_row(ada, target_id=GONE, detail={"before": {"title": "Old"}, "after": {"title": "New"}})
    (row,) = exported(browser(), "audit", f"search={GONE}")
    assert (row["Who"], row["On"]) == ("ada@school.example", str(GONE))
    assert row["Details"] == "title: “Old” → “New”"


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


def test_support_sees_what_was_done_to_accounts_but_not_to_those_of_admins_and_no_network_address(
    app: Flask,
) -> None:
    root, ada = make_user(role="admin", email="root@school.example"), make_user(email="ada@school.example")
    detail = {"address": "203.0.113.7", "reason": "spring"}
    hidden = make_row(root, action="user.signed_in", target_type="user", target_id=root.id, detail=detail)
    export = make_row(root, action="user.exported", target_type="user", detail={"rows": 3})
    shown = make_row(root, action="user.disabled", target_type="user", target_id=ada.id, detail=detail)
    support = signed_in(make_user(role="support"))

    def seen(by: FlaskClient) -> list[bool]:
        """The three rows in the list, in the file and as pages; and whether an address is anywhere."""
        pages = [by.get(path).text for path in ("/admin/audit/", "/admin/audit/export/csv/")]
        details = [by.get(f"/admin/audit/details/?id={row.id}") for row in (hidden, export, shown)]
        told = "".join([*pages, *(one.text for one in details)])
        inside = [all(str(row.id) in page for page in pages) for row in (hidden, export, shown)]
        return [*inside, *(one.status_code == 200 for one in details), "203.0.113.7" in told]

    assert seen(support) == [False, False, True, False, False, True, False]
    assert seen(browser("admin")) == [True, True, True, True, True, True, True]
    assert "1 entry" in page_of(support.get(f"/admin/audit/?flt0_target_id_is={ada.id}")).text()
