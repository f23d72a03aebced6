"""What proxies write into requests, over HTTP: who counts, which host is the product's, and what is remembered for the doctor."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain.accounts.sign_in import WRONG_TRIES
from lessonadmin.domain.health.doctor import host_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line
from lessonadmin.domain.models import AuditLog, Heartbeat, SignInFailure, UserSession
from lessonadmin.security import addresses
from lessonadmin.web import visitors
from tests.factories import PASSWORD, make_user, signed_in
from tests.pages import csrf_of, page_of
from tests.settings import overridden

PROXY = "10.0.0.7"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute of the test before is over."""
    monkeypatch.setattr(visitors, "_remembered_at", -1e9)


@pytest.fixture
def behind_a_proxy(app: Flask) -> Iterator[None]:
    with overridden(trusted_proxies=addresses.trusted((PROXY, "198.51.100.0/24"))):
        yield


def knock(app: Flask, email: str, password: str, forwarded: str, peer: str = PROXY) -> TestResponse:
    browser = app.test_client()
    form = {"email": email, "password": password, "csrf_token": csrf_of(browser)}
    return browser.post(
        "/login",
        data=form,
        headers={"X-Forwarded-For": forwarded},
        environ_overrides={"REMOTE_ADDR": peer},
    )


def test_invented_addresses_do_not_open_the_limit(app: Flask) -> None:
    """A client that claims another address with each try is still one client."""
    answers = [
        knock(app, f"u{number}@x.example", "x" * 12, f"203.0.113.{number}").status_code
        for number in range(WRONG_TRIES + 2)
    ]
    assert answers == [400] * WRONG_TRIES + [429, 429]


def test_no_client_can_lock_others_out_in_their_name(app: Flask, behind_a_proxy: None) -> None:
    """Ten wrong tries that claim the address of the school; its people come by a known proxy."""
    user = make_user()
    for number in range(WRONG_TRIES):
        knock(app, f"u{number}@x.example", "x" * 12, "203.0.113.80", peer="172.16.9.9")
    assert knock(app, user.email, PASSWORD, "203.0.113.80").status_code == 302


def test_behind_two_hops_each_client_has_a_limit_of_its_own(app: Flask, behind_a_proxy: None) -> None:
    user = make_user()
    for number in range(WRONG_TRIES):
        knock(app, f"u{number}@x.example", "x" * 12, "203.0.113.1, 198.51.100.4")
    assert knock(app, user.email, PASSWORD, "203.0.113.1, 198.51.100.4").status_code == 429
    assert knock(app, user.email, PASSWORD, "203.0.113.2, 198.51.100.4").status_code == 302


def test_one_network_of_ipv6_is_one_client_but_the_whole_address_is_kept(
    app: Flask, behind_a_proxy: None
) -> None:
    user = make_user()
    assert knock(app, user.email, PASSWORD, "2001:db8:5::1234").status_code == 302
    for number in range(WRONG_TRIES):
        knock(app, f"u{number}@x.example", "x" * 12, f"2001:db8:5::{number + 1:x}")
    assert knock(app, user.email, PASSWORD, "2001:db8:5::ffff").status_code == 429
    with app.app_context():
        assert set(db.session.scalars(select(SignInFailure.address))) == {"2001:db8:5::/64"}
        kept = db.session.scalars(select(UserSession.address).where(UserSession.user_id == user.id)).all()
        told = db.session.scalars(select(AuditLog.detail).where(AuditLog.action == "user.signed_in")).all()
    assert kept == ["2001:db8:5::1234"]
    assert "2001:db8:5::1234" in str(told)


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP", "X_Forwarded_For"],
)
def test_only_one_header_says_where_a_request_comes_from(
    app: Flask, behind_a_proxy: None, header: str
) -> None:
    said = "for=203.0.113.9" if header == "Forwarded" else "203.0.113.9"
    environ = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "203.0.113.50"}
    with app.test_request_context(
        "/", headers={header: said} if "_" not in header else {}, environ_overrides=environ
    ):
        assert visitors.address() == "203.0.113.50"


def asked(app: Flask, peer: str, **headers: str) -> tuple[str, str]:
    """Scheme and address of a request that comes through the proxy."""
    found: list[tuple[str, str]] = []

    def inside(environ: dict[str, str], _start: object) -> list[bytes]:
        found.append((environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")))
        return []

    given = {f"HTTP_{name}": value for name, value in headers.items()}
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "localhost", **given}
    list(visitors.ProxyMiddleware(inside)(environ, None))
    return found[0]


def test_the_scheme_is_believed_from_a_proxy_of_ours_only(app: Flask, behind_a_proxy: None) -> None:
    assert asked(app, PROXY, X_FORWARDED_PROTO="https")[0] == "https"
    assert asked(app, PROXY, X_FORWARDED_PROTO="http, HTTPS")[0] == "https"
    assert asked(app, PROXY, X_FORWARDED_PROTO="javascript")[0] == "http"
    assert asked(app, "10.0.0.8", X_FORWARDED_PROTO="https")[0] == "http"
    assert asked(app, PROXY, X_FORWARDED_HOST="evil.example")[1] == "localhost"


# Hosts

FOREIGN = [
    "evil.example",
    "localhost.evil.example",
    "evil.example:80",
    "localhost@evil.example",
    "a b",
    "",
    "é.example",
]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/login", "/admin/lesson", "/nowhere", "/static/x.js", "/api/lessons"])
def test_a_host_that_is_not_ours_gets_no_page(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True) + str(answer.headers)
    if path.startswith("/api/"):
        assert answer.get_json() == {"error": {"type": "bad_request", "message": visitors.NOT_OUR_HOST}}
    else:
        assert visitors.NOT_OUR_HOST in page_of(answer).text()


def test_what_programs_ask_is_answered_under_any_host(client: FlaskClient) -> None:
    host = {"HTTP_HOST": "10.2.3.4:8000", "REMOTE_ADDR": "10.2.3.1"}
    assert client.get("/healthz", environ_overrides=host).status_code == 200
    assert client.get("/readyz", environ_overrides=host).status_code in (200, 503)
    assert client.get("/metrics", environ_overrides=host).status_code in (401, 404)
    assert client.post("/api/webhooks/mux", environ_overrides=host).status_code == 401
    assert client.get("/login", environ_overrides=host).status_code == 400


@pytest.mark.parametrize("public_url", ["https://lessons.example", "https://lessons.example:8443"])
@pytest.mark.parametrize(
    ("host", "peer", "headers", "status"),
    [
        ("lessons.example", "203.0.113.9", {}, 200),
        ("LESSONS.example:8443", "203.0.113.9", {}, 200),
        ("other.lessons.example", "203.0.113.9", {}, 400),
        ("lessons.example.", "203.0.113.9", {}, 400),
        ("localhost", "203.0.113.9", {}, 400),
        ("localhost:8000", "127.0.0.1", {}, 200),
        ("[::1]:8000", "::1", {}, 200),
        ("127.0.0.1:8000", "", {}, 200),
        ("127.0.0.1:8000", "127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 400),
        ("127.0.0.1:8000", "127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 400),
        ("evil.example", "127.0.0.1", {}, 400),
    ],
)
def test_our_hosts_are_that_of_public_url_and_this_machines_own_for_itself(
    client: FlaskClient, public_url: str, host: str, peer: str, headers: dict[str, str], status: int
) -> None:
    with overridden(public_url=public_url):
        environ = {"HTTP_HOST": host, "REMOTE_ADDR": peer}
        assert client.get("/login", headers=headers, environ_overrides=environ).status_code == status


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]", "127.0.0.53"])
def test_on_one_machine_all_its_names_are_ours(client: FlaskClient, host: str) -> None:
    for public_url in ("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"):
        with overridden(public_url=public_url):
            environ = {"HTTP_HOST": host, "REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}
            assert client.get("/login", environ_overrides=environ).status_code == 200


def test_a_name_outside_ascii_is_compared_as_browsers_send_it(client: FlaskClient) -> None:
    with overridden(public_url="https://schüle.example"):
        environ = {"HTTP_HOST": "xn--schle-mva.example", "REMOTE_ADDR": "203.0.113.9"}
        assert client.get("/login", environ_overrides=environ).status_code == 200


# What is remembered


def proxies(app: Flask) -> Line:
    with app.app_context():
        (line,) = host_checks.proxies(DoctorContext(db.engine, config.current()))
    return line


def test_the_doctor_names_a_proxy_that_is_not_believed(app: Flask, client: FlaskClient) -> None:
    assert proxies(app).level == "ok"
    client.get("/login", environ_overrides={"REMOTE_ADDR": PROXY})
    assert proxies(app).level == "ok", "it says nothing of others"
    for _ in range(3):
        client.get(
            "/login", headers={"X-Forwarded-For": "203.0.113.9"}, environ_overrides={"REMOTE_ADDR": PROXY}
        )
    line = proxies(app)
    assert line.level == "warn"
    assert line.says == (
        f"Requests come from {PROXY} with X-Forwarded-For, which TRUSTED_PROXIES does not name: "
        "everyone behind it counts as one address."
    )
    assert f"TRUSTED_PROXIES={PROXY}" in line.todo
    with app.app_context():
        assert db.session.scalar(select(Heartbeat.detail)) == {"peer": PROXY}
    with overridden(trusted_proxies=addresses.trusted((PROXY,))):
        assert proxies(app).level == "ok", "as soon as it is named"


def test_the_doctor_knows_unix_sockets(app: Flask, client: FlaskClient) -> None:
    client.get("/login", headers={"X-Forwarded-For": "203.0.113.9"}, environ_overrides={"REMOTE_ADDR": ""})
    line = proxies(app)
    assert line.says.startswith("Requests come from a unix socket with X-Forwarded-For")
    assert "TRUSTED_PROXIES=unix" in line.todo


def test_a_flood_is_remembered_once_a_minute(app: Flask, client: FlaskClient) -> None:
    for number in range(20):
        environ = {"REMOTE_ADDR": f"203.0.113.{number}", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}
        client.get("/login", environ_overrides=environ)
    with app.app_context():
        assert db.session.scalars(select(Heartbeat.detail)).all() == [{"peer": "203.0.113.0"}]


def test_the_log_says_where_a_request_came_from(
    app: Flask, behind_a_proxy: None, caplog: pytest.LogCaptureFixture
) -> None:
    browser = signed_in(make_user())
    with caplog.at_level("INFO", logger="lessonadmin.request"):
        browser.get(
            "/account", headers={"X-Forwarded-For": "203.0.113.9"}, environ_overrides={"REMOTE_ADDR": PROXY}
        )
    assert [getattr(record, "address", None) for record in caplog.records] == ["203.0.113.9"]
