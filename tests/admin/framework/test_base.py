"""The panel's base view: Flask-Admin's traps stay closed, filters and export work without a script.

The views are for the tests only (`example_views.py`).
"""

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson, User
from tests.admin.example_views import LIST, in_panel, make_three
from tests.admin.samples import titles
from tests.factories import make_lesson, make_user
from tests.pages import csrf_of, page_of


def test_the_list_is_a_whole_page(staff: FlaskClient) -> None:
    make_three()
    page = page_of(staff.get(LIST))
    assert titles(staff, LIST) == ["Squares 100%", "Lines", "Circles"], "newest first, by key"
    for words in ("Ada", "Drawing", "3 rows", "just now", "Specimens"):
        assert words in page.text(), words
    assert page.one("link", rel="stylesheet", href=page.all("link")[-1]["href"] or "")
    assert "bootstrap" not in page.html
    assert "jquery" not in page.html


def test_an_empty_list_says_what_to_do(staff: FlaskClient) -> None:
    assert "Nothing here yet" in page_of(staff.get(LIST)).text()
    assert "No results" in page_of(staff.get(f"{LIST}?search=x")).text()


ODD = [
    "page=-1",
    "page=99999999999999999999999",
    "page=x",
    "page=",
    "page_size=100000",
    "page_size=-1",
    "page_size=x",
    "sort=99",
    "sort=-1",
    "sort=x",
    "sort=1",
    "sort=99999999999999999999",
    "desc=x",
    "desc=-5",
    "search=" + "x" * 5000,
    "search=%5C",
    "search=%3D%5C",
    "search=%5E%5C",
    "search=%25",
    "search=" + "a+" * 200,
    "search=%F0%9F%98%80",
    "search=%ff%fe",
    "flt0_status_equals=bogus",
    "flt0_status_equals=",
    "flt0_status_in_list=bogus,draft",
    "flt0_nothing=1",
    "flt=1",
    "flt_=1",
    "fltx_status_equals=draft",
    "flt-1_status_equals=draft",
    "flt99999999999_status_equals=draft",
    "flt0_price_cents_equals=x",
    "flt0_price_cents_equals=" + "9" * 40,
    "flt0_price_cents_greater_than=1e999",
    "flt0_price_cents_in_list=1,x",
    "flt0_price_cents_in_list=,",
    "flt0_created_at_greater_than=yesterday",
    "flt0_created_at_greater_than=2026-13-45+00:00:00",
    "flt0_created_at_between=2026-01-01+00:00:00",
    "flt0_created_at_between=2027-01-01+00:00:00+to+2026-01-01+00:00:00",
    "flt0_created_at_greater_than=9999-12-31+23:59:59",
    "flt0_publish_on_ready_equals=maybe",
    "flt0_id_equals=not-an-id",
    "flt0_status_equals=draft&flt0_status_equals=published",
    "_scheme=javascript",
    "_method=DELETE",
    "_external=1",
    "_anchor=x",
    "endpoint=x",
    "self=x",
    "view_args=x",
    "op-0=bogus&value-0=x",
    "op-0=status_equals",
    "op-x=status_equals&value-x=draft",
    "op-0=price_cents_equals&value-0=x",
    "url=https://evil.example",
]


@pytest.mark.parametrize("query", ODD)
def test_no_odd_address_is_an_unexpected_error(staff: FlaskClient, query: str) -> None:
    make_three()
    answer = staff.get(f"{LIST}?{query}", follow_redirects=True)
    assert answer.status_code == 200, answer.status_code
    page_of(answer)
    export = staff.get(f"{LIST}export/csv/?{query}")
    assert export.status_code == 200
    assert export.mimetype == "text/csv"


@pytest.mark.parametrize("query", ["search=%00", "flt0_status_equals=%00", "page=%00"])
def test_a_nul_is_refused_and_not_an_unexpected_error(staff: FlaskClient, query: str) -> None:
    assert staff.get(f"{LIST}?{query}").status_code == 400


def test_nothing_is_written_without_a_token(staff: FlaskClient, app: Flask) -> None:
    lesson = make_three()[0]
    answer = staff.post(f"{LIST}action/", data={"rowid": str(lesson.id), "action": "publish"})
    assert answer.status_code == 400
    with app.app_context():
        assert db.session.get_one(Lesson, lesson.id).title == "Circles"


def test_a_view_has_the_routes_that_it_offers_and_no_other(staff: FlaskClient, app: Flask) -> None:
    user, lesson = make_user(), make_three()[0]
    token = csrf_of(staff, "/admin/closed/")
    found = {}
    for slug, row in (("closed", user), ("specimen", lesson)):
        for path in ("new/", "edit/", "delete/", "details/", "ajax/lookup/", "ajax/update/"):
            data = {
                "csrf_token": token,
                "id": str(row.id),
                "email": "changed@school.example",
                "title": "Changed",
            }
            address = f"/admin/{slug}/{path}?id={row.id}&url=/account"
            found[address] = staff.get(address).status_code, staff.post(address, data=data).status_code
    assert set(found.values()) == {(404, 404)}, found
    assert staff.get("/admin/closed/export/csv/").status_code == 404
    assert staff.post("/admin/closed/action/", data={"csrf_token": token}).status_code == 404
    assert staff.get(f"{LIST}export/csv/").status_code == 200
    with app.app_context():
        assert db.session.get_one(User, user.id).email == user.email
        assert db.session.get_one(Lesson, lesson.id).title == "Circles"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=lin", ["Lines"]),
        ("search=100%25", ["Squares 100%"]),
        ("flt0_status_equals=draft", ["Squares 100%", "Lines"]),
        ("flt0_status_in_list=published", ["Circles"]),
        ("flt0_price_cents_greater_than=200&flt1_status_equals=draft", ["Squares 100%"]),
        ("flt0_status_equals=draft&search=circ", []),
        ("sort=0", ["Circles", "Lines", "Squares 100%"]),
        ("sort=4&desc=1", ["Circles", "Squares 100%", "Lines"]),
    ],
)
def test_search_and_filters_find(staff: FlaskClient, query: str, expected: list[str]) -> None:
    make_three()
    assert titles(staff, f"{LIST}?{query}") == expected


def test_a_filter_that_is_not_understood_is_left_out_and_told(staff: FlaskClient) -> None:
    make_three()
    address = f"{LIST}?flt0_price_cents_equals=x"
    assert len(titles(staff, address)) == 3
    assert "does not understand “x”" in page_of(staff.get(address)).text()


def test_pages_hold_each_row_once_and_the_last_is_the_last(staff: FlaskClient) -> None:
    instructor = make_user()
    for number in range(45):
        make_lesson(creator=instructor, title=f"Lesson {number:02}", price_cents=7)
    seen = [title for page in range(4) for title in titles(staff, f"{LIST}?page_size=20&sort=4&page={page}")]
    assert len(seen) == 45
    assert len(set(seen)) == 45
    page = page_of(staff.get(f"{LIST}?page_size=20&page=2"))
    assert "45 rows" in page.text()
    assert not [a for a in page.all("a") if a.get("rel") == "next"]


def test_actions_take_rows_and_carry_the_lists_query(staff: FlaskClient) -> None:
    lessons = make_three()
    answer = staff.get(f"{LIST}?flt0_status_equals=draft&search=s")
    page = page_of(answer)
    buttons = [a for a in page.all("button") if a.get("name") == "action"]
    assert [a["value"] for a in buttons] == ["publish", "clear"]
    assert [bool(a.get("data-confirm")) for a in buttons] == [False, True]
    hidden = {a["name"]: a["value"] or "" for a in page.all("input") if a.get("type") == "hidden"}
    ids = [str(lesson.id) for lesson in lessons[1:]]
    data = {**hidden, "action": "publish", "rowid": ids}
    answer = staff.post(f"{LIST}action/", data=data)
    assert answer.location == "/published/2?scope=None&flt0_status_equals=draft&search=s"


@pytest.mark.parametrize("action_name", ["", "bogus", "_action", "delete_view", "x" * 5000])
def test_an_action_that_is_none_does_nothing(staff: FlaskClient, action_name: str) -> None:
    make_three()
    data = {
        "csrf_token": csrf_of(staff, LIST),
        "action": action_name,
        "rowid": ["x"],
        "url": "//evil.example",
    }
    answer = staff.post(f"{LIST}action/", data=data)
    assert answer.status_code == 302
    assert answer.location == LIST


def test_the_export_holds_what_matches_in_a_form_that_no_spreadsheet_runs(staff: FlaskClient) -> None:
    instructor = make_user(name="=cmd|' /C calc'!A0")
    for title in ('=HYPERLINK("http://evil.example")', "+1", "-1+1", "@SUM(A1)", 'plain, "quoted"\nand long'):
        make_lesson(creator=instructor, title=title, price_cents=100)
    make_lesson(creator=instructor, title="not this", price_cents=900)
    answer = staff.get(f"{LIST}export/csv/?flt0_price_cents_equals=100")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=Specimens_")
    head, *rows = list(csv.reader(io.StringIO(answer.text)))
    assert head[:2] == ["Title", "Creator"]
    assert {row[0] for row in rows} == {
        '\'=HYPERLINK("http://evil.example")',
        "'+1",
        "'-1+1",
        "'@SUM(A1)",
        'plain, "quoted"\nand long',
    }
    assert {row[1] for row in rows} == {"'=cmd|' /C calc'!A0"}
    assert {row[4] for row in rows} == {"100"}
    assert {row[5] for row in rows} == {"yes"}


def test_the_export_is_read_in_slices_and_misses_nothing(
    staff: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lessonadmin.domain.querying.slices.MAX_ROWS", 7)
    instructor = make_user()
    for number in range(21):
        make_lesson(creator=instructor, title=f"Lesson {number:02}")
    rows = list(csv.reader(io.StringIO(staff.get(f"{LIST}export/csv/").text)))[1:]
    assert sorted(row[0] for row in rows) == [f"Lesson {number:02}" for number in range(21)]


@pytest.mark.parametrize("role", ["student", "instructor"])
@pytest.mark.parametrize("path", ["", "export/csv/", "?search=x"])
def test_the_panel_does_not_exist_for_others(panel: Flask, role: str, path: str) -> None:
    make_three()
    assert in_panel(panel, role).get(LIST + path).status_code == 404


@pytest.mark.parametrize(("role", "is_shown"), [("student", False), ("instructor", False), ("support", True)])
def test_the_menu_shows_what_may_be_opened(panel: Flask, role: str, is_shown: bool) -> None:
    page = page_of(in_panel(panel, role).get("/admin/" if is_shown else "/account"))
    assert ("Specimens" in page.text()) == is_shown
