"""Every route, method and role, cell by cell: what a real request gets is what `matrix.txt` says, and that obeys the laws below."""

import os
from collections.abc import Callable
from difflib import unified_diff
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import true

from lessonadmin import auth
from lessonadmin.database import row_access
from lessonadmin.domain import permissions
from lessonadmin.views.api import endpoints
from tests.structure import matrix
from tests.structure.matrix import Measuring, Row
from tests.structure.roles import guard_of
from tests.structure.world import World


@pytest.mark.timeout(400)
def test_the_table_is_the_one_that_was_read_and_agreed(app: Flask, measuring: Measuring) -> None:
    cells = matrix.written(matrix.measure(measuring, matrix.rows_of(app)))
    policies = matrix.written_policies(measuring.policies)
    difference = ""
    for file, found in ((matrix.TABLE, cells), (matrix.POLICIES, policies)):
        if os.environ.get(matrix.WRITE):
            file.write_text("\n".join(found) + "\n")
        agreed = file.read_text().splitlines()
        difference += "\n".join(unified_diff(agreed, found, file.name, "the product", lineterm="", n=0))
    assert not difference, (
        "what a role gets, or what a page may load, has changed:\n"
        f"{difference}\nIf that is meant: .venv/bin/python -m tests.structure.matrix"
    )


# Laws: what no line of the table may say, also a new one.

HERS = (
    "{draft}",
    "{course}",
    "{sending}",
    "{mux_upload",
    "{notice}",
    "{token}",
    "{passkey}",
    "{session}",
    "{upload",
    "{asset}",
)
# What a GET may change, and why.
READS_THAT_WRITE = {
    "GET /api/mux/check-upload-status": "asks Mux and applies what it says: by contract, closed to tokens that may only read",
    **{
        f"GET {address}": "an audit row says who took which rows"
        for address in (
            "/figures/days.csv",
            "/figures/lessons.csv",
            "/lessons/<uuid:lesson_id>/figures/days.csv",
        )
    },
    **{
        f"GET /admin/{slug}/export/<any(csv):export_type>/": "an audit row says who took which rows"
        for slug in (
            "audit",
            "batch",
            "course",
            "deletion",
            "event",
            "lesson",
            "purchase",
            "tracking",
            "user",
        )
    },
}
STUDENTS_CHANGE = {
    "POST /account/data", "POST /account/name", "POST /account/mail", "POST /account/notices", "POST /account/password", "POST /account/tokens", "POST /api/lessons/<uuid:lesson_id>/purchase", "POST /api/lessons/<uuid:lesson_id>/purchase (free)",
    "POST /catalog/<uuid:lesson_id>/purchase", "POST /account/security/app", "POST /account/security/passkeys/options",
}  # fmt: skip

Agreed = dict[str, tuple[Row, dict[str, str]]]


@pytest.fixture(scope="module")
def agreed(app: Flask) -> Agreed:
    cells = matrix.read()
    return {row.label: (row, cells[row.label]) for row in matrix.rows_of(app)}


def breaches(agreed: Agreed, broken: Callable[[Row, dict[str, str]], object]) -> list[str]:
    return [label for label, (row, cells) in agreed.items() if broken(row, cells)]


def guarded(row: Row) -> bool:
    guard = guard_of(row.rule)
    return guard is not None and not guard.public and not guard.signed_by_mux


def blueprint(row: Row) -> str:
    return row.endpoint.partition(".")[0]


def names_hers(row: Row) -> bool:
    sent = str([row.ask.query, row.ask.form, row.ask.json, [{**matrix.PATH, **row.ask.path}.get(name) for name in row.rule.arguments]])  # fmt: skip
    return any(name in sent for name in HERS)


def test_nothing_opens_without_an_account_with_a_disabled_one_or_with_its_token(agreed: Agreed) -> None:
    assert (
        breaches(agreed, lambda row, cells: guarded(row) and cells["anonymous"] not in ("login", "401")) == []
    )
    assert breaches(agreed, lambda row, cells: guarded(row) and cells["disabled"] != cells["anonymous"]) == []
    assert breaches(agreed, lambda row, cells: guarded(row) and cells["ended"] != cells["anonymous"]) == []


def test_a_temporary_password_opens_the_page_to_change_it_and_nothing_else(agreed: Agreed) -> None:
    def broken(row: Row, cells: dict[str, str]) -> bool:
        refused = "403" if row.rule.rule.startswith("/api/") else "own"
        return (
            guarded(row)
            and not auth.OWN_PASSWORD.allows(row.endpoint, blueprint(row))
            and cells["temporary"] != refused
        )

    assert breaches(agreed, broken) == []


def test_staff_without_a_required_second_step_set_one_up_and_do_nothing_else(agreed: Agreed) -> None:
    def broken(row: Row, cells: dict[str, str]) -> bool:
        refused = "403" if row.rule.rule.startswith("/api/") else "factor"
        return (
            guarded(row)
            and not auth.SECOND_FACTOR.allows(row.endpoint, blueprint(row))
            and cells["no_factor"] != refused
        )

    assert breaches(agreed, broken) == []


def test_a_token_opens_the_api_as_its_owner_and_no_page(agreed: Agreed) -> None:
    def broken(row: Row, cells: dict[str, str]) -> bool:
        if blueprint(row) not in auth.TAKES_TOKENS:
            return guarded(row) and {cells[one] for one in ("read", "write", "staff")} != {cells["anonymous"]}
        return cells["write"] != cells["own"] or cells["staff"] != cells["admin"]

    assert breaches(agreed, broken) == []
    assert breaches(agreed, lambda row, cells: "+" in cells["read"] and guarded(row)) == []


def test_nothing_changes_without_the_token_of_a_form(agreed: Agreed) -> None:
    assert (
        breaches(agreed, lambda row, cells: row.method != "GET" and cells["no_csrf"] not in ("400", "401"))
        == []
    )


def test_what_is_another_instructors_is_not_there(agreed: Agreed) -> None:
    def broken(row: Row, cells: dict[str, str]) -> bool:
        if not names_hers(row) or blueprint(row) in ("sign_in", "static") or row.variant == "on sale":
            return False
        return (
            "+" in cells["foreign"]
            or cells["foreign"] == "200"
            or (cells["own"] != "403" and cells["foreign"] == "403")
        )

    assert breaches(agreed, broken) == []


def test_the_panel_is_not_there_for_others_and_accounts_are_for_admins(agreed: Agreed) -> None:
    def broken(row: Row, cells: dict[str, str]) -> bool:
        panel = blueprint(row).startswith("admin")
        return panel and {cells[one] for one in ("student", "own", "foreign")} != {"404"}

    assert breaches(agreed, broken) == []
    assert (
        breaches(agreed, lambda row, cells: blueprint(row) == "admin_user" and cells["support"] != "403")
        == []
    )


def test_students_are_told_no_before_their_input_is_read(measuring: Measuring, agreed: Agreed) -> None:
    headers = measuring.world().headers["student"]
    closed = [
        row
        for row, cells in agreed.values()
        if blueprint(row) == "api" and cells["student"] == "403" and row.method != "GET"
    ]
    for row in closed:
        address = matrix.address_of(row.rule, row.ask, measuring.world())
        answer = measuring.app.test_client(use_cookies=False).open(
            address, method=row.method, headers=headers, json={"nonsense": True}
        )
        assert answer.status_code == 403, row.label
    assert len(closed) > 10


def test_students_change_their_account_and_buy(agreed: Agreed) -> None:
    assert (
        set(breaches(agreed, lambda row, cells: guarded(row) and "+" in cells["student"])) == STUDENTS_CHANGE
    )


def test_a_get_changes_nothing_but_what_is_said_here_with_its_reason(agreed: Agreed) -> None:
    def writes(row: Row, cells: dict[str, str]) -> bool:
        return row.method == "GET" and any("+" in cell for cell in cells.values())

    assert set(breaches(agreed, writes)) == set(READS_THAT_WRITE)


# What a transfer, another role and disabling leave of the rights that were there.


def pressed(app: Flask, world: World, path: str, **form: str) -> None:
    browser = app.test_client(use_cookies=False)
    answer = browser.post(
        f"/admin/user/{path}", data={"id": world["own"], **form}, headers=world.headers["admin"]
    )
    assert answer.status_code == 302


LOSSES: dict[str, tuple[Callable[[Flask, World], None], str, str]] = {
    "transfer": (
        lambda app, world: pressed(app, world, "handover", to=world["subject_email"]),
        "foreign",
        "foreign",
    ),
    "demotion": (lambda app, world: pressed(app, world, "role", role="student"), "anonymous", "anonymous"),
    "disabling": (lambda app, world: pressed(app, world, "active", active="0"), "anonymous", "anonymous"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_lost_is_lost_everywhere(
    app: Flask, measuring: Measuring, agreed: Agreed, loss: str
) -> None:
    lose, session_is, token_is = LOSSES[loss]
    rows = [
        row
        for row, _ in agreed.values()
        if names_hers(row) and blueprint(row) in ("lessons", "courses", "catalog", "api") and guarded(row)
    ]
    assert len(rows) > 40
    before = matrix.measure(measuring, rows[:1], ["own"])
    assert before[rows[0].label]["own"] == agreed[rows[0].label][1]["own"]
    measuring.empty()
    measuring._world, measuring.prepare = None, lambda world: lose(app, world)
    after = matrix.measure(measuring, rows, ["own", "write", "read"])
    wrong = {}
    for row in rows:
        cells, found = agreed[row.label][1], after[row.label]
        api = blueprint(row) == "api"
        wanted = {"own": cells[session_is], "write": cells[token_is]}
        if loss == "transfer" and not api:
            wanted["write"] = cells["write"]
        wrong |= {(row.label, one): (found[one], cell) for one, cell in wanted.items() if found[one] != cell}
        assert "+" not in found["read"]
    assert wrong == {}


def test_a_new_role_is_that_role_and_no_other(app: Flask, measuring: Measuring, agreed: Agreed) -> None:
    """Signed in again after the demotion, an instructor is a student whom nothing belongs to."""

    def demote(world: World) -> None:
        pressed(app, world, "role", role="student")
        world.sign_in(app, "own")

    measuring.prepare = demote
    rows = [
        row
        for row, _ in agreed.values()
        if names_hers(row) and blueprint(row) in ("lessons", "courses", "api")
    ]
    found = matrix.measure(measuring, rows, ["own"])
    assert {label: cells["own"] for label, cells in found.items()} == {
        row.label: agreed[row.label][1]["student"] for row in rows
    }


# Of these tests: a wall that is taken away is seen.


def differences(measuring: Measuring, agreed: Agreed, labels: list[str], column: str) -> list[str]:
    rows = [agreed[label][0] for label in labels]
    found = matrix.measure(measuring, rows, [column])
    return [label for label in labels if found[label][column] != agreed[label][1][column]]


LESSON, EDIT = "/api/lessons/<uuid:lesson_id>", "/lessons/<uuid:lesson_id>/edit"
WALLS: dict[str, tuple[Any, str, Any, str, list[str]]] = {
    "whose a lesson is": (permissions, "owns", lambda user, owner: user.teaches, "foreign", [f"PATCH {LESSON}", f"DELETE {LESSON} (sending)", f"GET {EDIT}", f"POST {EDIT}", "POST /api/mux/upload-url", "POST /api/mux/cancel-upload", "DELETE /api/mux/assets/<asset_id>"]),
    "which lessons may be seen": (permissions, "_theirs", lambda user, owner_id: true(), "foreign", [f"GET {LESSON}", "GET /api/courses/<uuid:course_id>", "GET /api/mux/check-asset-status"]),
    "the guard of a blueprint": (auth, "_refuse", lambda guard: None, "student", ["GET /admin/", "GET /admin/user/", "POST /admin/lesson/note", "GET /admin/lesson/export/<any(csv):export_type>/"]),
    "the role of a call": (endpoints, "_require_role", lambda who: None, "own", ["POST /api/mux/update-asset"]),
    "the scope of a token": (auth, "need_write", lambda: None, "read", ["POST /api/lessons", f"PATCH {LESSON}", "GET /api/mux/check-upload-status"]),
    "the token of a form": (auth.csrf, "protect", lambda: None, "no_csrf", ["POST /admin/lesson/note", "POST /account/mail", "POST /api/lessons"]),
    "where tokens are taken": (auth, "TAKES_TOKENS", frozenset({"api", "metrics", "admin", "admin_user", "account"}), "staff", ["GET /admin/user/", "GET /account", "POST /account/tokens"]),
    "a temporary password": (auth, "_duty_first", lambda: None, "temporary", ["GET /lessons", "POST /api/lessons"]),
}  # fmt: skip


@pytest.mark.parametrize("wall", WALLS)
def test_of_the_table_a_wall_that_is_gone_is_seen(
    measuring: Measuring, agreed: Agreed, monkeypatch: pytest.MonkeyPatch, wall: str
) -> None:
    where, name, instead, column, labels = WALLS[wall]
    assert differences(measuring, agreed, labels, column) == []
    # the second wall, in the database, would hide that the first is gone
    monkeypatch.setattr(row_access, "use", lambda access: None)
    monkeypatch.setattr(where, name, instead)
    assert differences(measuring, agreed, labels, column) == labels


def test_of_the_table_a_get_that_writes_is_seen(
    app: Flask, measuring: Measuring, agreed: Agreed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.view_functions, "notices.index", app.view_functions["notices.mark_all"])
    rows = [agreed["GET /notifications"][0]]
    assert matrix.measure(measuring, rows, ["own"])["GET /notifications"]["own"] == "~+"
