"""One call under way: ids that never leave, answers about something else, and the one line and figure of each call."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from lessonadmin import mux
from lessonadmin.mux import web_concurrency
from lessonadmin.mux.request import mux_request
from muxsim.client import Control
from tests.cases import each_of
from tests.mux.calls import CALLS, DELETIONS, OF_MANY, create, kind, problem
from tests.mux.fake_server import FakeServer, answer, hang_up
from tests.settings import overridden

Counted = Callable[[str, str], float]


@each_of(
    ("given", "category"),
    [
        ("", "not_found"),
        ("temp_1700000000", "temp_asset"),
        ("temp_", "temp_asset"),
        (" ", "not_found"),
        (".", "not_found"),
        ("..", "not_found"),
        ("../uploads", "not_found"),
        ("a/b", "not_found"),
        ("a?b", "not_found"),
        ("a#b", "not_found"),
        ("a%2fb", "not_found"),
        ("a\nb", "not_found"),
        ("a\n", "not_found"),
        ("ä", "not_found"),
        ("\ud800", "not_found"),
        ("x" * 256, "not_found"),
        (None, "not_found"),
    ],
)
@each_of("operation", ["get_asset", "delete_asset", "get_upload", "cancel_upload", "list_assets"])
def test_an_id_that_mux_never_gave_is_refused_without_a_request(
    fake: FakeServer, counted: Counted, operation: str, given: Any, category: str
) -> None:
    fake.script(answer({"data": []}))
    call = getattr(mux, operation)
    if operation == "list_assets" and given is None:
        given = ""  # None means "no filter" there
    ask = (
        (lambda: call(upload_id=given, priority="low"))
        if operation == "list_assets"
        else lambda: call(given, priority="low")
    )
    found = problem(ask)
    assert (found.kind, found.category, found.status) == ("refused", category, None)
    assert fake.asked == []
    assert counted(operation, category) == 0


def test_every_call_is_counted_and_logged_in_one_line(
    simulator: Control, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    [asset_id] = simulator.seed_assets(1)
    mux.get_asset(asset_id, priority="low")
    mux.delete_asset(asset_id, priority="high")
    problem(lambda: mux.get_asset(asset_id, priority="low"))
    assert [counted("get_asset", "ok"), counted("get_asset", "not_found"), counted("delete_asset", "ok")] == [
        1,
        1,
        1,
    ]
    lines = [record for record in caplog.records if record.name == "lessonadmin.mux"]
    told = [
        (
            vars(one)["operation"],
            vars(one)["outcome"],
            vars(one)["status"],
            vars(one)["priority"],
            vars(one)["subject"],
        )
        for one in lines
    ]
    assert told == [
        ("get_asset", "ok", 200, "low", asset_id),
        ("delete_asset", "ok", 204, "high", asset_id),
        ("get_asset", "not_found", 404, "low", asset_id),
    ]


@each_of("operation", sorted(set(CALLS) - DELETIONS - OF_MANY))
@each_of(
    "data", [None, 3, "x", True, {}, [{}], [None], [{"id": ""}], {"id": None}, {"id": 5}, {"status": "ready"}]
)
def test_an_answer_without_an_id_is_nonsense(fake: FakeServer, operation: str, data: object) -> None:
    fake.script(answer({"data": data}, 201 if operation == "create_upload" else 200))
    assert kind(operation)[:2] == ("nonsense", "unknown")


@pytest.mark.parametrize("operation", ["get_upload", "cancel_upload", "get_asset"])
def test_an_answer_about_something_else_is_nonsense(fake: FakeServer, operation: str) -> None:
    fake.script(answer({"data": {"id": "another", "status": "ready"}}))
    assert kind(operation) == ("nonsense", "unknown", 200)


def test_a_token_that_cannot_be_sent_is_refused_by_name(fake: FakeServer) -> None:
    fake.script(answer({"data": {"id": "a1", "status": "ready"}}))
    with overridden(mux_worker_token_secret="schlüssel-漢"):
        assert kind("get_asset") == ("refused", "auth_error", None)
    assert fake.asked == []


def test_an_error_that_is_none_of_the_four_kinds_is_counted_as_unknown(counted: Counted) -> None:
    with pytest.raises(ZeroDivisionError), mux_request("get_asset", "asset", "a1", priority="low"):
        raise ZeroDivisionError
    assert counted("get_asset", "unknown") == 1
    assert counted("get_asset", "ok") == 0


def test_a_call_that_got_no_answer_is_logged_without_a_status(
    fake: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    fake.script(hang_up)
    assert kind("get_asset") == ("later", "network", None)
    (line,) = [vars(one) for one in caplog.records if one.name == "lessonadmin.mux"]
    assert (line["levelname"], line["outcome"], line["status"]) == ("WARNING", "network", None)


@pytest.mark.usefixtures("in_request")
def test_only_starting_an_upload_takes_the_place_that_is_kept_for_it(fake: FakeServer) -> None:
    fake.script(answer({"data": {"id": "u1", "status": "waiting", "url": "https://x.example/u1"}}, 201))
    web_concurrency.mark_counted()
    with ExitStack() as questions:
        for _ in range(web_concurrency.MAX_AT_ONCE - web_concurrency.RESERVED_FOR_UPLOADS):
            questions.enter_context(web_concurrency.slot(for_upload=False))
        assert kind("get_upload") == ("later", "busy", None)
        assert fake.asked == []
        assert create().id == "u1"
