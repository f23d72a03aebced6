"""The filters of a list as a plain form: what it offers and shows, its chips, and the bookmarkable address it leads to."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_admin.model.base import ViewArgs

from lessonadmin.admin.framework import filter_form
from lessonadmin.admin.framework.filter_form import DATE, MOMENT, OPTIONS, RANGE, TEXT, FilterRow, Operation
from tests.admin.example_views import LIST, Specimen, make_three
from tests.admin.samples import browser, titles, views
from tests.factories import make_lesson
from tests.pages import page_of

STATES = (("draft", "Draft"), ("published", "Published"))
IS = Operation("is", "is", OPTIONS, STATES)
IS_NOT = Operation("is_not", "is not", OPTIONS, STATES)
LIKE = Operation("like", "like", TEXT)


@pytest.fixture
def view(panel: Flask) -> Specimen:
    return next(one for one in panel.extensions["admin"][0]._views if isinstance(one, Specimen))


def index_of(view: Specimen, argument: str) -> int:
    """The number by which Flask-Admin calls a filter."""
    return int(view._filter_args[argument][0])


def leads_to(panel: Flask, view: Specimen, **sent: str) -> dict[str, str] | None:
    """The arguments of the address that a sent form leads to."""
    with panel.test_request_context(f"{LIST}?{urlencode(sent)}"):
        address = filter_form.canonical(view)
    return None if address is None else dict(parse_qsl(urlsplit(address).query))


def test_the_filter_form_leads_to_a_bookmarkable_address(staff: FlaskClient) -> None:
    make_three()
    form = {
        "op-0": "status_equals",
        "value-0": "draft",
        "op-1": "price_cents_greater_than",
        "value-1": "200",
        "op-3": "publish_on_ready_equals",
        "value-3": "",
        "search": "sq",
    }
    answer = staff.get(LIST, query_string=form)
    assert answer.status_code == 302
    assert answer.location == (f"{LIST}?search=sq&flt0_status_equals=draft&flt1_price_cents_greater_than=200")
    page = page_of(staff.get(answer.location))
    assert titles(staff, answer.location) == ["Squares 100%"]
    assert "Status equals Draft" in page.text()
    removes = [a["href"] or "" for a in page.all("a") if a.get("class") == "chip__remove"]
    assert len(removes) == 3
    assert titles(staff, removes[1]) == ["Squares 100%"]
    assert "status_equals" not in removes[1]


@pytest.mark.parametrize(
    ("sent", "arguments"),
    [
        ({"search": "sq", "sort": "0", "desc": "1"}, None),
        ({"flt0_status_equals": "draft"}, None),
        ({"op-0": "status_equals", "value-0": "draft"}, {"flt0_status_equals": "draft"}),
        ({"op-0": "status_equals", "value-0": " draft "}, {"flt0_status_equals": "draft"}),
        ({"op-0": "status_equals", "value-0": " "}, {}),
        ({"op-0": "status_equals"}, {}),
        ({"op-0": "status_equals", "value-1": "draft"}, {}),
        ({"op-0": "bogus", "value-0": "draft"}, {}),
        ({"op-x": "status_equals", "value-x": "draft"}, {"flt0_status_equals": "draft"}),
        ({"op-0": "status_equals", "value-0": "draft", "page": "3"}, {"flt0_status_equals": "draft"}),
        ({"op-0": "bogus", "search": "sq", "sort": "0", "desc": "1"}, {"search": "sq", "sort": "0", "desc": "1"}),
    ],
)  # fmt: skip
def test_a_sent_form_leads_to_the_first_page_of_what_it_chooses(
    panel: Flask, view: Specimen, sent: dict[str, str], arguments: dict[str, str] | None
) -> None:
    assert leads_to(panel, view, **sent) == arguments


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [
        ("created_at_equals", "2026-01-31T14:00", "2026-01-31 14:00"),
        ("created_at_equals", "2026-01-31 14:00", "2026-01-31 14:00"),
        ("id_equals", "aTb", "aTb"),
        ("created_at_between", "aTb", "aTb"),
    ],
)
def test_only_a_moment_loses_the_letter_that_browsers_put_into_it(
    panel: Flask, view: Specimen, argument: str, value: str, expected: str
) -> None:
    sent = {"op-0": argument, "value-0": value}
    assert leads_to(panel, view, **sent) == {f"flt0_{argument}": expected}


def test_the_form_offers_each_thing_once_with_its_operations(panel: Flask, view: Specimen) -> None:
    with panel.test_request_context(LIST):
        rows = filter_form.rows(view, None)
    assert [(row.number, row.label) for row in rows] == [
        (0, "Status"), (1, "Price Cents"), (2, "Created At"), (3, "Publish On Ready"), (4, "Id"),
    ]  # fmt: skip
    assert [(one.arg, one.label) for one in rows[0].operations] == [
        ("status_equals", "equals"),
        ("status_in_list", "in list"),
    ]
    assert [(row.chosen, row.value) for row in rows] == [("", "")] * 5


def test_the_form_shows_what_is_chosen(panel: Flask, view: Specimen) -> None:
    active = [(index_of(view, "price_cents_greater_than"), "Price Cents", "200")]
    with panel.test_request_context(LIST):
        rows = filter_form.rows(view, active)
    assert [(row.label, row.current.arg, row.value) for row in rows if row.chosen] == [
        ("Price Cents", "price_cents_greater_than", "200")
    ]


@pytest.mark.parametrize(
    ("argument", "kind"),
    [
        ("status_equals", OPTIONS),
        ("status_in_list", TEXT),
        ("price_cents_equals", TEXT),
        ("price_cents_empty", OPTIONS),
        ("created_at_equals", MOMENT),
        ("created_at_between", RANGE),
        ("id_equals", TEXT),
    ],
)
def test_each_operation_has_its_kind_of_input(panel: Flask, view: Specimen, argument: str, kind: str) -> None:
    with panel.test_request_context(LIST):
        offered = {one.arg: one for row in filter_form.rows(view, None) for one in row.operations}
    assert offered[argument].kind == kind
    assert bool(offered[argument].options) == (kind == OPTIONS)


def test_a_day_is_chosen_by_a_calendar(app: Flask) -> None:
    with app.test_request_context("/admin/lesson/"):
        rows = filter_form.rows(views(app)["lesson"], None)
    (made,) = [row for row in rows if row.label == "Created"]
    assert [(one.label, one.kind) for one in made.operations] == [("from", DATE), ("until", DATE)]


def test_both_ends_of_a_range_are_fields_and_what_is_typed_is_shown(app: Flask) -> None:
    view = views(app)["lesson"]
    active = [
        (view._filter_args[argument][0], "", value)
        for argument, value in (("created_until", "2026-12-31"), ("price_at_least", "9"))
    ]
    with app.test_request_context("/admin/lesson/"):
        rows = {row.label: row for row in filter_form.rows(view, active)}
    shown = {label: [(one.operation.label, one.value) for one in rows[label].bounds] for label in rows}
    assert shown["Created"] == [("from", ""), ("until", "2026-12-31")]
    assert shown["Updated"] == [("from", ""), ("until", "")]
    assert shown["Price"] == [("at least", "9"), ("at most", "")]
    assert shown["Owner"] == shown["State"] == []
    numbers = [one.number for row in rows.values() for one in row.bounds]
    assert len(set(numbers)) == len(numbers)


def test_both_ends_that_are_sent_narrow_the_list(app: Flask) -> None:
    for day in (1, 15, 28):
        make_lesson(title=f"Of day {day}", created_at=datetime(2026, 1, day, 12, tzinfo=UTC))
    admin = browser()
    page = page_of(admin.get("/admin/lesson/"))
    sent = {}
    for field in page.all("input", type="hidden"):
        name = field["name"] or ""
        if name.startswith("op-") and (field["value"] or "").startswith("created_"):
            sent[name] = field["value"]
            sent[name.replace("op", "value")] = {"created_from": "2026-01-02", "created_until": "2026-01-27"}[
                field["value"] or ""
            ]
    address = admin.get("/admin/lesson/", query_string=sent).location
    assert titles(admin, address) == ["Of day 15"]
    page = page_of(admin.get(address))
    assert "Created from 2 Jan 2026" in page.text("li")
    assert "Created until 27 Jan 2026" in page.text("li")
    assert [one["value"] for one in page.all("input", type="date")][:2] == ["2026-01-02", "2026-01-27"]


@pytest.mark.parametrize(
    ("operations", "kinds"),
    [([IS, IS_NOT], [IS]), ([IS, LIKE, IS_NOT], [IS, LIKE]), ([LIKE, IS], [LIKE, IS])],
)
def test_an_input_that_operations_share_is_drawn_once(
    operations: list[Operation], kinds: list[Operation]
) -> None:
    assert FilterRow(0, "State", operations).kinds == kinds


@pytest.mark.parametrize(("chosen", "current"), [("like", LIKE), ("", IS), ("bogus", IS)])
def test_the_first_operation_is_shown_until_one_is_chosen(chosen: str, current: Operation) -> None:
    assert FilterRow(0, "State", [IS, LIKE], chosen).current == current


def test_a_chip_says_one_filter_and_leads_to_the_list_without_it(panel: Flask, view: Specimen) -> None:
    active = [
        (index_of(view, "status_equals"), "Status", "draft"),
        (index_of(view, "price_cents_greater_than"), "Price Cents", "200"),
    ]
    with panel.test_request_context(LIST):
        state, price = filter_form.chips(view, ViewArgs(page=3, search="sq", filters=active))
    assert state.label == "Status equals Draft", "as the form words it"
    assert state.remove_url == f"{LIST}?search=sq&flt0_price_cents_greater_than=200"
    assert price.label == "Price Cents greater than 200"
    assert price.remove_url == f"{LIST}?search=sq&flt0_status_equals=draft"


def test_no_filter_has_no_chip(panel: Flask, view: Specimen) -> None:
    with panel.test_request_context(LIST):
        assert filter_form.chips(view, ViewArgs()) == []


def test_a_filter_that_is_not_understood_is_said_once(staff: FlaskClient) -> None:
    """Beside one that is, so that there is a chip."""
    page = page_of(staff.get(f"{LIST}?sort=1&flt0_status_equals=bogus&flt1_price_cents_greater_than=200"))
    toasts = [one for one in page.all("div") if "toast" in (one.get("class") or "").split()]
    assert len(toasts) == 1
    assert page.text().count("The filter “Status” does not understand “bogus” and is left out.") == 1
    assert [a["href"] for a in page.all("a") if a.get("class") == "chip__remove"] == [f"{LIST}?sort=1"]
