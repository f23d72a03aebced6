"""Error pages: in the shell for people, in the contract's JSON for programs, also while the database is away."""

import os
import socket
from collections.abc import Iterator

import pytest
from flask import Flask, abort, request
from flask.testing import FlaskClient
from sqlalchemy import select, text

from lessonadmin import auth, config, create_app
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import errors
from lessonadmin.domain.models import ErrorReference
from tests.factories import make_user, signed_in
from tests.pages import page_of
from tests.settings import environment

PROBLEMS = {
    "invalid": (errors.Invalid.field("title", "Enter a title."), 400),
    "forbidden": (errors.Forbidden("forbidden", "You may not do this."), 403),
    "missing": (errors.Missing(), 404),
    "conflict": (errors.Conflict("has_purchases", "Somebody bought it."), 409),
    "too_large": (errors.TooLarge("too_large", "Too large."), 413),
    "wrong_type": (errors.WrongType("wrong_type", "No such kind."), 415),
    "too_many": (errors.TooMany("Slower, please.", retry_after=7), 429),
    "unavailable": (errors.Unavailable("mux_unavailable", "Mux does not answer."), 503),
}
STATES = {"full": "53300", "lock": "55P03", "deadlock": "40P01"}


def end_connection() -> None:
    """As PostgreSQL does when it crashes; the product learns of it with its next statement."""
    driver = db.session.connection().connection.driver_connection
    with socket.socket(fileno=os.dup(driver.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def faulty(settings_environment: dict[str, str]) -> Iterator[Flask]:
    """An application with views in which everything goes wrong."""
    application = create_app(config.load(settings_environment))
    application.testing = False
    application.config["PROPAGATE_EXCEPTIONS"] = False

    def go_wrong(kind: str) -> str:
        if kind in PROBLEMS:
            raise PROBLEMS[kind][0]
        if kind == "token":
            raise errors.Unavailable("mux_unavailable", "Uploads are away.", for_support=True)
        if kind.isdigit():
            abort(int(kind))
        if kind == "sql":
            db.session.execute(text("SELECT nonsense"))
        if kind == "lost":
            db.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        if kind in ("after_the_answer", "before_the_refusal"):
            db.session.execute(text("SELECT 1"))
            end_connection()
            if kind == "after_the_answer":
                return "what was asked for"
            raise errors.Conflict("has_purchases", "Somebody bought it.")
        if kind in STATES:
            db.session.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{STATES[kind]}'; END $$"))
        if kind == "half":
            with transaction(CLI):
                db.session.execute(text("SELECT 1/0"))
        raise RuntimeError("whsec_secret and <script>alert(1)</script>")

    for path in ("/faulty/<kind>", "/api/faulty/<kind>"):
        application.add_url_rule(path, path.split("/")[1], go_wrong)
    # open to every visitor: the guard is not what is tried here
    guards = {"faulty": auth.PUBLIC, "api": auth.PUBLIC}
    application.before_request_funcs[None] = [
        function for function in application.before_request_funcs[None] if function.__name__ != "_check"
    ]

    @application.before_request
    def _recognise() -> None:
        assert guards
        if not request.path.startswith("/api/"):
            auth._recognise()

    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_kind_of_no_has_its_status_and_words(faulty: Flask, kind: str) -> None:
    problem, status = PROBLEMS[kind]
    page = faulty.test_client().get(f"/faulty/{kind}")
    assert page.status_code == status
    assert problem.message in page_of(page).text("main")
    answer = faulty.test_client().get(f"/api/faulty/{kind}")
    assert answer.status_code == status
    assert answer.json is not None
    error = answer.json["error"]
    assert (error["type"], error["message"]) == (problem.type, problem.message)
    assert error.get("fields") == problem.fields
    if kind == "too_many":
        assert page.headers["Retry-After"] == answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 429, 500, 503])
@pytest.mark.parametrize("role", ["nobody", "student", "admin"])
def test_every_status_has_a_page_for_every_role(faulty: Flask, app: Flask, status: int, role: str) -> None:
    browser = faulty.test_client()
    if role != "nobody":
        with signed_in(make_user(role=role)).session_transaction() as cookie:
            secret = cookie["secret"]
        with browser.session_transaction() as cookie:
            cookie["secret"] = secret
    answer = browser.get(f"/faulty/{status}")
    assert answer.status_code == status
    page = page_of(answer)
    assert page.text("h1")
    assert answer.headers["X-Request-Id"] in page.html
    assert ("Account" in page.text()) == (role != "nobody")


@pytest.mark.parametrize("path", ["/faulty/other", "/faulty/sql", "/api/faulty/other", "/faulty/half"])
def test_what_went_wrong_inside_is_not_shown(
    faulty: Flask, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = faulty.test_client().get(path)
    assert answer.status_code == 500
    for secret in ("whsec_secret", "RuntimeError", "nonsense", "Traceback", "alert(1)", "division"):
        assert secret not in answer.text
    assert any(record.exc_info for record in caplog.records), "but it is logged whole"


@pytest.mark.parametrize("kind", STATES)
def test_what_another_try_may_mend_is_503(faulty: Flask, kind: str) -> None:
    assert faulty.test_client().get(f"/faulty/{kind}").status_code == 503
    answer = faulty.test_client().get(f"/api/faulty/{kind}")
    assert (answer.status_code, answer.get_json()["error"]["type"]) == (503, "unavailable")


def kept() -> list[tuple[str, str, str]]:
    rows = db.session.execute(select(ErrorReference.reference, ErrorReference.route, ErrorReference.kind))
    return [(one.reference, one.route, one.kind) for one in rows]


@pytest.mark.usefixtures("session")
def test_the_reference_of_an_unexpected_error_is_kept_for_support(faulty: Flask) -> None:
    browser = faulty.test_client()
    page = browser.get("/faulty/other")
    browser.get("/faulty/404")
    reference = page.headers["X-Request-Id"]
    assert kept() == [(reference, "GET /faulty/<kind>", "RuntimeError")]
    assert "Reference for support" in page.text
    assert reference in page.text


@pytest.mark.usefixtures("session")
def test_what_only_an_operator_ends_has_a_reference_for_support(faulty: Flask) -> None:
    page = faulty.test_client().get("/faulty/token")
    assert page.headers["X-Request-Id"] in page_of(page).text("main")
    answer = faulty.test_client().get("/api/faulty/token")
    reference = answer.headers["X-Request-Id"]
    said = f"Uploads are away. Reference for support: {reference}"
    assert answer.get_json()["error"] == {"type": "mux_unavailable", "message": said}
    assert kept()[1] == (reference, "GET /api/faulty/<kind>", "mux_unavailable")


def test_a_lost_database_is_503_and_the_next_request_works(faulty: Flask, app: Flask) -> None:
    browser = signed_in(make_user())
    with browser.session_transaction() as cookie:
        secret = cookie["secret"]
    outside = faulty.test_client()
    with outside.session_transaction() as cookie:
        cookie["secret"] = secret
    answer = outside.get("/faulty/lost")
    assert answer.status_code == 503
    page = page_of(answer)
    assert "Try again" in page.text("main")
    assert outside.get("/faulty/404").status_code == 404


@pytest.mark.parametrize(("kind", "status"), [("after_the_answer", 200), ("before_the_refusal", 409)])
def test_a_connection_that_ends_after_its_last_statement_changes_no_answer(
    faulty: Flask, kind: str, status: int
) -> None:
    outside = faulty.test_client()
    assert outside.get(f"/api/faulty/{kind}").status_code == status
    assert (
        outside.get("/api/faulty/half").status_code == 500
    )  # PostgreSQL was asked, by a connection that works


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/login/", 404), ("/lessons", 405)])
def test_an_address_that_is_none(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path) if status == 404 else client.put(path)
    # a page behind a guard sends strangers to the sign-in page before it says what it takes
    assert answer.status_code in (status, 302)
    if answer.status_code == status:
        page_of(answer)


def test_an_address_that_is_none_knows_who_asks(app: Flask) -> None:
    user = make_user()
    assert "Account" in page_of(signed_in(user).get("/nowhere")).text()


def test_an_api_address_that_is_none_answers_json(client: FlaskClient) -> None:
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.json == {"error": {"type": "not_found", "message": "There is nothing here."}}


@pytest.fixture(scope="module")
def without_database(app: Flask, settings_environment: dict[str, str]) -> Iterator[Flask]:
    """The product while no server listens where the database should be."""
    before = config.current()
    nowhere = environment(
        database_url="postgresql://u:p@127.0.0.1:1/db", redis_url=settings_environment["REDIS_URL"]
    )
    application = create_app(config.load(nowhere))
    application.testing = False
    yield application
    config.use(before)


def test_without_a_database_every_page_says_so_in_the_shell(without_database: Flask) -> None:
    browser = without_database.test_client()
    with browser.session_transaction() as cookie:
        cookie["secret"] = "whatever"
    for path in ("/", "/lessons", "/account", "/admin/", "/login"):
        answer = browser.get(path)
        assert answer.status_code == 503, path
        page_of(answer)
    answer = browser.get("/nowhere")
    assert answer.status_code == 404
    page_of(answer)
    answer = browser.get("/api/nowhere")
    assert answer.is_json


def test_without_a_database_strangers_still_see_the_sign_in_page(without_database: Flask) -> None:
    browser = without_database.test_client()
    page = page_of(browser.get("/login"))
    data = {"email": "a@school.example", "password": "x", "csrf_token": page.csrf}
    answer = browser.post("/login", data=data)
    assert answer.status_code == 503
    page_of(answer)
    assert browser.get("/healthz").status_code == 200
