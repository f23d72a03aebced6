"""Every route has a guard, stands in the checked-in table, and the guard does what the table says, over HTTP."""

import uuid
from collections.abc import Iterator
from difflib import unified_diff

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from lessonadmin import auth, config, create_app
from lessonadmin.db import db
from lessonadmin.views.api import endpoints
from tests.factories import bearer, make_user, signed_in
from tests.structure.roles import TABLE, UNGUARDED, call_of, guard_of, let_in, methods_of, table

ROLES = ("student", "instructor", "support", "admin")


def test_the_table_of_routes_is_the_one_that_was_read_and_agreed(app: Flask) -> None:
    written = TABLE.read_text().splitlines()
    difference = "\n".join(unified_diff(written, table(app), "roles.txt", "the product", lineterm="", n=0))
    assert not difference, (
        f"routes or their guards changed:\n{difference}\n"
        "If that is meant: .venv/bin/python -m tests.structure.roles > tests/structure/roles.txt"
    )


def test_nothing_in_the_table_is_unguarded() -> None:
    assert UNGUARDED not in TABLE.read_text()


@pytest.fixture
def careless(settings_environment: dict[str, str]) -> Iterator[Flask]:
    """The product with a route that was added without a thought of who may enter."""
    application = create_app(config.load(settings_environment))
    application.add_url_rule("/careless", "careless.show", lambda: "everything")
    application.add_url_rule("/careless-too", "careless_too", lambda: "everything", methods=["POST"])
    yield application
    with application.app_context():
        db.engine.dispose()


def test_of_the_test_a_route_without_a_guard_is_seen_and_closed(careless: Flask) -> None:
    added = set(table(careless)) - set(TABLE.read_text().splitlines())
    assert f"GET /careless: {UNGUARDED}" in added
    assert f"POST /careless-too: {UNGUARDED}" in added
    assert careless.test_client().get("/careless").status_code == 404
    assert careless.test_client().post("/careless-too").status_code == 404


def address_of(rule: Rule) -> str:
    """Some address of the route; ids in it belong to nothing."""
    values: dict[str, object] = {}
    for name in rule.arguments:
        converter = rule._converters[name]
        values[name] = uuid.uuid4() if type(converter).__name__ == "UUIDConverter" else "x"
        if type(converter).__name__ == "AnyConverter":
            values[name] = sorted(converter.items)[0]
    built = rule.build(values)
    assert built is not None
    return built[1]


def knock(browser: FlaskClient, method: str, address: str) -> str:
    """What the guard does: `login`, `401`, `404`, `403`, `catalog`, or `in`. Without a CSRF token nothing is changed."""
    answer = browser.open(address, method=method, buffered=True)
    if answer.status_code == 302 and (answer.location or "").startswith("/login"):
        return "login"
    if answer.status_code == 302 and answer.location == "/catalog":
        return "catalog"
    if method == "GET":
        return str(answer.status_code) if answer.status_code in (401, 403, 404) else "in"
    return "in" if answer.status_code == 400 else str(answer.status_code)


def guards(app: Flask) -> Iterator[tuple[Rule, str, auth.Guard]]:
    for rule in app.url_map.iter_rules():
        guard = guard_of(rule)
        assert guard is not None
        if not guard.public and not guard.signed_by_mux:
            for method in methods_of(rule):
                yield rule, method, guard


def test_strangers_are_sent_away_everywhere(app: Flask) -> None:
    found = {}
    for rule, method, _ in guards(app):
        expected = "401" if rule.rule.startswith("/api/") else "login"
        seen = knock(app.test_client(), method, address_of(rule))
        if seen != expected:
            found[f"{method} {rule.rule}"] = seen
    assert found == {}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_enters_where_the_table_says_and_nowhere_else(app: Flask, role: str) -> None:
    browser = signed_in(make_user(role=role))
    found = {}
    for rule, method, guard in guards(app):
        seen = knock(browser, method, address_of(rule))
        if role in guard.roles:
            # behind the guard: a missing row is 404, an odd question 403 or whatever the view says
            wrong = seen in ("login", "401") or (method != "GET" and seen != "in")
            wrong = wrong and not (rule.rule == "/" and method == "GET")
        elif guard.students_to_catalog:
            wrong = seen != ("catalog" if method == "GET" else "403")
        elif guard.hidden and role not in ("support", "admin"):
            wrong = seen != "404"
        else:
            wrong = seen != "403"
        if wrong:
            found[f"{method} {rule.rule}"] = seen
    assert found == {}


def calls_against_the_table(app: Flask, role: str) -> dict[str, int]:
    """Each call of the JSON API, made with a token, so that it gets past the guard of its blueprint: where it lets in, or
    sends away, whom the table does not say so of."""
    headers = bearer(make_user(role=role))
    found = {}
    for rule in app.url_map.iter_rules():
        call = call_of(rule)
        for method in methods_of(rule) if call is not None else ():
            body = None if method == "GET" else {}
            answer = app.test_client().open(address_of(rule), method=method, headers=headers, json=body)
            # who is let in names nothing and hears 200, 400 or 404
            expected = (200, 201, 400, 404, 409) if call and role in let_in(call) else (403,)
            if answer.status_code not in expected:
                found[f"{method} {rule.rule}"] = answer.status_code
    return found


@pytest.mark.parametrize("role", ROLES)
def test_each_role_makes_the_calls_that_the_table_says_and_no_other(app: Flask, role: str) -> None:
    assert calls_against_the_table(app, role) == {}


def test_of_the_test_a_call_without_its_inner_guard_is_seen(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_require_role", lambda _who: None)
    inner = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if (call := call_of(rule)) is not None and "student" not in let_in(call)
        for method in methods_of(rule)
    }
    seen = calls_against_the_table(app, "student").keys()
    # behind some of these guards the domain refuses once more, by the lesson or the role
    assert {"POST /api/mux/update-asset", "POST /api/lessons", "POST /api/mux/upload-url"} <= seen <= inner


def test_the_table_names_the_inner_guards_of_the_api() -> None:
    written = set(TABLE.read_text().splitlines())
    assert {
        "POST /api/lessons: instructors and staff",
        "POST /api/mux/update-asset: support and admin",
        "POST /api/lessons/<uuid:lesson_id>/purchase: students",
        "GET /api/lessons: anyone signed in",
    } <= written


def test_methods_that_change_something_are_never_get(app: Flask) -> None:
    changing = (
        "delete",
        "publish",
        "revoke",
        "end",
        "logout",
        "purchase",
        "cancel",
        "action",
        "remove",
        "undo",
    )
    found = [
        line
        for line in table(app)
        if line.startswith("GET ") and line.split(" ")[1].rstrip(":").rsplit("/", 1)[-1] in changing
    ]
    assert found in ([], ["GET /logout: anyone"]), "only the page that asks"
