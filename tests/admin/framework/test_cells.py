"""Cells of the panel's tables: words are escaped, links lead to pages that exist for this viewer, nothing is a dash."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from lessonadmin.admin.framework import cells
from lessonadmin.db import CLI, transaction
from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.models import User
from lessonadmin.domain.support.names import Names
from tests.admin.samples import browser
from tests.factories import in_context, make_user
from tests.pages import Page, page_of

ID = uuid.UUID("01a1fc30-4459-7d2e-be8a-be56dc97f121")
NINE = datetime(2026, 11, 24, 9, 5, 7, tzinfo=timezone(timedelta(hours=1)))
VIEW = SimpleNamespace(endpoint="admin_lesson")
DASH = '<span class="quiet">–</span>'


@pytest.fixture
def drawing(app: Flask) -> Iterator[None]:
    """A request for a page of the panel, in which cells are drawn."""
    with app.test_request_context("/admin/"):
        yield


def shown(markup: Any) -> str:
    """What a viewer reads: the text, spaces between its parts."""
    return Page(f"<body>{str(markup).replace('<', ' <')}</body>").text()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("words", ("<b>",)),
        ("linked", ("<b>", None)),
        ("linked", ("<b>", "/here")),
        ("noted", ("<b>", "note")),
        ("noted", ("title", "<b>")),
        ("mux_id", ("<b>", "asset id")),
        ("tracking_state", ("error", "<b>")),
    ],
)
def test_what_people_wrote_is_text_and_no_markup(drawing: None, name: str, values: tuple[Any, ...]) -> None:
    drawn = cells.cell(name, *values)
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn


@pytest.mark.parametrize(
    ("name", "values"),
    [("words", ("",)), ("words", (None,)), ("linked", ("", "/here")), ("mux_id", (None, "id")), ("moment", (None,))],
)  # fmt: skip
def test_nothing_is_a_dash(drawing: None, name: str, values: tuple[Any, ...]) -> None:
    assert cells.cell(name, *values).strip() == DASH


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("lesson_state", ("draft", False), "Draft"),
        ("lesson_state", ("draft", True), "Draft publishes when ready"),
        ("lesson_state", ("published", True), "Published"),
        ("video_state", ("ready", "", None, ""), "Ready"),
        ("video_state", ("ready", "stuck", None, ""), "Ready New video late"),
        ("video_state", ("ready", "no_file", None, ""), "Ready New file missing"),
        ("video_state", ("uploading", "no_file", None, ""), "File not arrived"),
        ("video_state", ("processing", "stuck", 40, ""), "Stuck"),
        ("video_state", ("processing", "", 40.4, ""), "Processing 40 %"),
        ("video_state", ("error", "", None, "no audio"), "Failed no audio"),
        ("tracking_state", ("uploading", ""), "Uploading"),
        ("tracking_state", ("error", "no audio"), "Failed no audio"),
        ("tracking_state", ("a new state", ""), "a new state"),
        ("outcome", (None,), "Waiting"),
        ("outcome", ("no_change",), "No change"),
        ("batch_state", ("stopped",), "Stopped"),
        ("row_state", ("skipped",), "Skipped"),
    ],
)
def test_a_state_is_said_in_words_each_time(
    drawing: None, name: str, values: tuple[Any, ...], words: str
) -> None:
    """Twice, since the second one is remembered."""
    assert name in cells.STILL
    for _ in range(2):
        assert shown(cells.cell(name, *values)) == words


def test_an_address_is_that_of_this_request(app: Flask) -> None:
    """It is remembered by where the application is mounted."""
    found = []
    for mounted_at in ("", "/school", ""):
        with app.test_request_context("/admin/", environ_overrides={"SCRIPT_NAME": mounted_at}):
            found.append(cells.address("admin_lesson.details_view", "id", ID))
    page = f"/admin/lesson/details/?id={ID}"
    assert found == [page, f"/school{page}", page]


@pytest.mark.parametrize("kind", sorted(set(cells.SLUGS_BY_KIND) - {"user"}))
def test_a_thing_that_has_a_page_is_linked_to_it(app: Flask, drawing: None, kind: str) -> None:
    address = cells.link_to(kind, ID)
    assert address is not None
    path, _, query = address.partition("?")
    slug = cells.SLUGS_BY_KIND[kind]
    assert app.url_map.bind("localhost").match(path)[0] == f"admin_{slug}.details_view"
    assert query == f"id={ID}"


@pytest.mark.parametrize(("kind", "row_id"), [("lesson", None), ("note", ID), ("", ID), (None, ID)])
def test_what_has_no_page_is_linked_to_nothing(drawing: None, kind: str | None, row_id: Any) -> None:
    assert cells.link_to(kind, row_id) is None


@pytest.mark.parametrize("role", ["support", "admin"])
def test_an_account_leads_to_the_page_that_all_staff_may_open(app: Flask, role: str) -> None:
    other = make_user(email="ada@school.example")
    with in_context(), transaction(CLI):
        audit_log.record_for("user.disabled", "user", other.id)
    staff, address = browser(role), f"/admin/person/details/?id={other.id}"
    assert page_of(staff.get("/admin/audit/")).all("a", href=address)
    assert staff.get(address).status_code == 200


@pytest.mark.parametrize(("name", "words"), [("Ada Lovelace", "Ada Lovelace"), ("", "ada@school.example")])
def test_a_person_leads_to_their_page(drawing: None, name: str, words: str) -> None:
    drawn = cells.person(User(id=ID, name=name, email="ada@school.example"))
    link = Page(drawn).one("a")
    assert link["href"] == f"/admin/person/details/?id={ID}"
    assert link["title"] == "ada@school.example"
    assert shown(drawn) == words


def test_no_person_leads_nowhere(drawing: None) -> None:
    drawn = cells.person(None)
    assert shown(drawn) == "no account"
    assert Page(drawn).all("a") == []


@pytest.mark.parametrize(
    ("kind", "titles", "words", "links"),
    [
        ("lesson", {("lesson", ID): "Circles"}, "Circles", [f"/admin/lesson/details/?id={ID}"]),
        ("course", {("course", ID): "Drawing"}, "Drawing", [f"/admin/course/details/?id={ID}"]),
        ("lesson", {("course", ID): "Drawing"}, "deleted lesson", []),
        ("course", {}, "deleted course", []),
    ],
)
def test_what_a_row_is_about_is_linked_while_it_is_there(
    drawing: None, kind: str, titles: dict[tuple[str, uuid.UUID], str], words: str, links: list[str]
) -> None:
    drawn = cells.target(SimpleNamespace(target_type=kind, target_id=ID), Names(titles))
    assert shown(drawn) == words
    assert [link["href"] for link in Page(drawn).all("a")] == links


def test_a_row_about_nothing_has_no_words_for_it(drawing: None) -> None:
    assert cells.target(SimpleNamespace(target_type=None, target_id=None), Names()) == ""


def test_the_first_cell_of_a_row_leads_to_its_page(drawing: None) -> None:
    formatter = cells.page_link(lambda row: row.words, lambda row, details: [details, "", row.aside])
    row = SimpleNamespace(id=ID, words="talk.mp4", aside="held")
    drawn = formatter(VIEW, {"data": SimpleNamespace(details="Circles")}, row, "filename")
    assert Page(drawn).one("a")["href"] == f"/admin/lesson/details/?id={ID}"
    assert shown(drawn) == "talk.mp4 Circles · held"


def test_a_formatter_is_given_the_row_and_what_was_prepared_for_all_rows() -> None:
    context = {"data": SimpleNamespace(details={"a": 1})}
    assert cells.of_row(lambda row: row)(VIEW, context, "a", "name") == "a"
    assert cells.with_details(lambda row, details: details[row])(VIEW, context, "a", "name") == 1


@pytest.mark.parametrize(
    ("value", "in_pages", "in_exports"),
    [
        (None, "–", ""),
        (True, "Yes", "yes"),
        (False, "No", "no"),
        (["a", 1], "a, 1", "a, 1"),
        ([], "", ""),
    ],
)
def test_a_value_in_a_page_and_in_a_file(drawing: None, value: Any, in_pages: str, in_exports: str) -> None:
    assert shown(cells.IN_PAGES[type(value)](VIEW, value, "name")) == in_pages
    assert cells.IN_EXPORTS[type(value)](VIEW, value, "name") == in_exports


def test_a_moment_in_a_page_is_kept_fresh_and_in_a_file_it_is_utc(drawing: None) -> None:
    time = Page(cells.IN_PAGES[datetime](VIEW, NINE, "name")).one("time")
    assert time["datetime"] == "2026-11-24T08:05:07Z"
    assert time["title"] == "24 Nov 2026, 08:05 UTC"
    assert cells.IN_EXPORTS[datetime](VIEW, NINE, "name") == "2026-11-24T08:05:07Z"
