"""Every route has a guard, stands in the checked-in table, and the guard does what the table says, over HTTP."""

from collections.abc import Iterator
from difflib import unified_diff

import pytest
from flask import Flask

from lessonadmin import config, create_app
from lessonadmin.db import db
from tests.structure.roles import TABLE, UNGUARDED, table

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


def test_the_table_names_the_inner_guards_of_the_api() -> None:
    written = set(TABLE.read_text().splitlines())
    assert {
        "POST /api/lessons: instructors and staff",
        "POST /api/mux/update-asset: support and admin",
        "POST /api/lessons/<uuid:lesson_id>/purchase: students",
        "GET /api/lessons: anyone signed in",
    } <= written
