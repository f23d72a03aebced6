"""What PostgreSQL cannot store is refused before any view sees it, wherever in a request it stands."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from lessonadmin import metrics
from lessonadmin.db import db
from lessonadmin.domain.models import UserSession
from lessonadmin.metrics import labels
from tests.factories import PASSWORD, make_user, signed_in
from tests.pages import csrf_of, page_of


@pytest.fixture
def staff(app: Flask) -> FlaskClient:
    return signed_in(make_user(role="support"))


@pytest.mark.parametrize(
    "path", ["/lessons/a%00b/edit", "/a%00b", "/admin/lesson/%00", "/api/mux/assets/a%00b", "/static/%00"]
)
def test_in_a_path_it_is_an_address_that_does_not_exist(staff: FlaskClient, path: str) -> None:
    assert staff.get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["search=%00", "search=a&search=%00", "x=1&flt0_owner_is=a%00b", "nothing_knows_this=%00", "after=%00"],
)
def test_in_a_query_string_also_of_an_argument_that_is_given_twice(staff: FlaskClient, query: str) -> None:
    answer = staff.get(f"/admin/lesson/?{query}")
    assert answer.status_code == 400
    assert "cannot be stored" in page_of(answer).text("main")


@pytest.mark.parametrize("given", [["\x00"], ["a", "b\x00"]])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_in_a_form_also_in_a_field_that_is_given_twice(
    staff: FlaskClient, given: list[str], kind: str
) -> None:
    data = {"csrf_token": csrf_of(staff, "/admin/lesson/"), "reason": given}
    answer = staff.post("/admin/lesson/action/", data=data, content_type=kind)
    assert answer.status_code == 400
    assert "cannot be stored" in page_of(answer).text("main")


def test_in_the_filter_that_a_bulk_action_is_for(staff: FlaskClient) -> None:
    data = {
        "csrf_token": csrf_of(staff, "/admin/lesson/"),
        "action": "publish",
        "scope": "filter",
        "query": "search=a%00b",
    }
    answer = staff.post("/admin/lesson/action/", data=data)
    assert answer.status_code == 400
    assert "cannot be stored" in page_of(answer).text("main")


@pytest.mark.parametrize("text", [b'"a\\u0000b"', b'"a\\ud800b"', b'"a\x00b"'])
@pytest.mark.parametrize("name", [b"title", b"description", b"nothing_knows_this"])
def test_in_json(staff: FlaskClient, name: bytes, text: bytes) -> None:
    answer = staff.post(
        "/api/lessons",
        data=b'{"title": "x", "' + name + b'": ' + text + b"}",
        headers={"Content-Type": "application/json", "X-CSRFToken": csrf_of(staff, "/lessons")},
    )
    assert answer.status_code == 400
    assert answer.get_json()["error"]["type"] in ("invalid_input", "invalid_json")


def test_in_the_one_header_that_is_stored(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    data = {"email": user.email, "password": PASSWORD, "csrf_token": csrf_of(client)}
    answer = client.post("/login", data=data, environ_overrides={"HTTP_USER_AGENT": "Fire\x00fox"})
    assert answer.status_code == 400
    with app.app_context():
        assert db.session.scalars(select(UserSession)).all() == []


def counted_methods() -> dict[str, float]:
    """How many requests `/metrics` tells of each method."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for one in family.samples:
            if one.name == "lessonadmin_http_request_seconds_count":
                found[one.labels["method"]] = found.get(one.labels["method"], 0) + one.value
    return found


def test_unknown_methods_are_refused_and_count_as_one(client: FlaskClient) -> None:
    before = counted_methods().get("OTHER", 0)
    for number in range(25):
        page = client.open("/login", method=f"A{number:07d}")
        assert page.status_code == 501
        assert "knows that method" in page_of(page).text("main")
        answer = client.open("/api/lessons", method=f"BREW-{number}")
        assert answer.status_code == 501
        assert answer.get_json()["error"]["type"] == "not_implemented"
    after = counted_methods()
    assert set(after) <= {*labels.METHODS, "OTHER"}
    assert after["OTHER"] == before + 50


def test_a_method_that_is_known_is_told_which_an_address_takes(client: FlaskClient) -> None:
    answer = client.put("/login")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
