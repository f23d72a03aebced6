"""What was refused leaves a line, a figure and a count, and no client can fill a table or a log with what they type."""

import json
import logging
import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from lessonadmin import metrics
from lessonadmin.db import db
from lessonadmin.domain.models import ApiToken, User
from lessonadmin.observability import logs
from lessonadmin.security import security_events
from tests import owner
from tests.factories import PASSWORD, bearer, make_user, signed_in
from tests.pages import csrf_of
from tests.queries import counted
from tests.settings import overridden


@pytest.fixture(autouse=True)
def written_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No pause between two writes, and nothing left of other tests."""
    security_events._waiting.clear()
    monkeypatch.setattr(security_events, "WRITE_EVERY_SECONDS", 0.0)
    yield
    security_events._waiting.clear()


Lines = list[dict[str, object]]


class Written(logging.Handler):
    """Keeps each line as an operator would read it, written while its request lasts."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Lines = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(logs.JsonLines().format(record)))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Written(), logging.getLogger("lessonadmin.security")
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


def rows(session: object) -> list[tuple[str, str, int]]:
    db.session.rollback()
    query = text("SELECT kind, who, sum(count)::int FROM security_counts GROUP BY 1, 2 ORDER BY 1, 2")
    return [(row[0], row[1], row[2]) for row in db.session.execute(query)]


def metric(kind: str) -> float:
    return float(metrics.security_events.labels(kind)._value.get())


def sign_in(client: FlaskClient, email: str, password: str) -> int:
    data = {"email": email, "password": password, "csrf_token": csrf_of(client)}
    return client.post("/login", data=data).status_code


def test_wrong_passwords_and_the_lock_out(client: FlaskClient, session: object, lines: Lines) -> None:
    user = make_user()
    before = metric("sign_in_failed")
    for _ in range(10):
        assert sign_in(client, user.email.upper(), "not my password") == 400
    assert sign_in(client, user.email, PASSWORD) == 429
    assert [line["kind"] for line in lines] == ["sign_in_failed"] * 10 + ["locked_out"]
    assert len({line["account"] for line in lines}) == 1
    assert {line["address"] for line in lines} == {"127.0.0.1"}
    assert len({line["request_id"] for line in lines} - {"-"}) == 11
    assert user.email not in json.dumps(lines).lower()
    assert "not my password" not in json.dumps(lines)
    assert metric("sign_in_failed") == before + 10
    assert rows(session) == [("locked_out", "", 1), ("sign_in_failed", "", 10)]


def test_a_right_password_is_no_event(client: FlaskClient, session: object, lines: Lines) -> None:
    assert sign_in(client, make_user().email, PASSWORD) == 302
    assert lines == []
    assert rows(session) == []


def test_what_was_typed_is_told_apart_and_cannot_be_found_by_trying_names(app: object) -> None:
    one, other = (
        security_events._account("a@school.example", None),
        security_events._account("b@school.example", None),
    )
    assert one != other
    assert one == security_events._account(" A@School.example ", None)
    with overridden(secret_key="another secret of thirty-two letters"):
        assert security_events._account("a@school.example", None) != one


@pytest.mark.parametrize(
    ("role", "path", "status"), [("student", "/admin/", 404), ("support", "/admin/user/", 403)]
)
def test_a_page_of_another_role(
    client: FlaskClient, session: object, lines: Lines, role: str, path: str, status: int
) -> None:
    user = make_user(role=role)
    assert signed_in(user).get(path).status_code == status
    (line,) = lines
    assert (line["kind"], line["account"], line["path"]) == ("refused", f"user:{user.id}", path)
    assert rows(session) == [("refused", f"user:{user.id}", 1)]


def test_tokens_that_are_over_or_may_only_read_and_none_of_prometheus(
    client: FlaskClient, session: Session, lines: Lines
) -> None:
    reads, over = bearer(make_user(), scope="read"), bearer(make_user())
    newest = select(ApiToken.id).order_by(ApiToken.id.desc()).limit(1).scalar_subquery()
    session.execute(update(ApiToken).where(ApiToken.id == newest).values(expires_at=func.now()))
    session.commit()
    with overridden(metrics_token="of-prometheus"):
        assert client.get("/metrics", headers={"Authorization": "Bearer of-prometheus"}).status_code == 200
        assert lines == []
        assert client.get("/metrics", headers={"Authorization": "Bearer of-nobody"}).status_code == 401
    assert client.post("/api/lessons", json={"title": "x"}, headers=reads).status_code == 403
    assert client.get("/api/lessons", headers=over).status_code == 401
    assert [line["kind"] for line in lines] == ["bad_token", "insufficient_scope", "expired_token"]


def test_a_form_without_its_secret_and_an_unknown_token(
    client: FlaskClient, session: object, lines: Lines
) -> None:
    assert signed_in(make_user()).post("/account/mail", data={"mail_notices": "1"}).status_code == 400
    assert client.get("/api/lessons", headers={"Authorization": "Bearer of-nobody"}).status_code == 401
    assert [line["kind"] for line in lines] == ["csrf_refused", "bad_token"]
    assert "of-nobody" not in json.dumps(lines)
    assert rows(session) == [("bad_token", "", 1), ("csrf_refused", "", 1)]


def test_a_temporary_password_that_is_over(client: FlaskClient, session: Session, lines: Lines) -> None:
    user = make_user()
    session.execute(
        update(User)
        .where(User.id == user.id)
        .values(password_temporary_until=func.now() - func.make_interval(0, 0, 0, 1))
    )
    session.commit()
    assert sign_in(client, user.email, "not my password") == 400
    assert sign_in(client, user.email, PASSWORD) == 400
    assert [line["kind"] for line in lines] == ["sign_in_failed", "temporary_password_ended"]


def test_a_host_that_is_not_ours(client: FlaskClient, session: object, lines: Lines) -> None:
    assert client.get("/login", headers={"Host": "elsewhere.example"}).status_code == 400
    (line,) = lines
    assert (line["kind"], line["path"], line["address"]) == ("host_refused", "/login", "127.0.0.1")
    assert client.get("/healthz", headers={"Host": "elsewhere.example"}).status_code == 200
    assert len(lines) == 1
    assert rows(session) == [("host_refused", "", 1)]


def test_a_visit_without_signing_in_is_no_event(client: FlaskClient, session: object, lines: Lines) -> None:
    assert client.get("/lessons").status_code == 302
    assert client.get("/api/lessons").status_code == 401
    assert client.get("/nothing-here").status_code == 404
    assert lines == []


def test_prometheus_with_its_own_token_is_no_event_and_with_another_one_it_is(
    client: FlaskClient, session: object, lines: Lines
) -> None:
    with overridden(metrics_token="for-prometheus"):
        assert client.get("/metrics", headers={"Authorization": "Bearer for-prometheus"}).status_code == 200
        assert lines == []
        assert client.get("/metrics", headers={"Authorization": "Bearer of-nobody"}).status_code == 401
    assert [line["kind"] for line in lines] == ["bad_token"]


def test_a_flood_costs_one_small_write_and_the_rest_comes_with_any_request(
    client: FlaskClient, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_events, "WRITE_EVERY_SECONDS", 60.0)
    monkeypatch.setattr(security_events, "_written_at", -60.0)
    with counted() as statements:
        for number in range(2000):
            security_events.record("bad_token")
            security_events.record("refused", email=f"somebody{number}@school.example")
    assert len([one for one in statements if "security_counts" in one]) == 1
    assert sum(count for _, _, count in rows(session)) == 1
    monkeypatch.setattr(security_events, "_written_at", time.monotonic() - 61)
    client.get("/login")
    found = rows(session)
    assert sum(count for _, _, count in found) == 4000
    assert len(found) <= security_events.MAX_KEYS + 2


def test_staff_see_the_last_day(client: FlaskClient, session: object) -> None:
    for _ in range(3):
        client.get("/api/lessons", headers={"Authorization": "Bearer of-nobody"})
    page = signed_in(make_user(role="support")).get("/admin/").text
    assert "An unknown token" in page
    assert "no requests were refused" not in page


def test_without_a_database_a_refusal_is_a_refusal_all_the_same(
    client: FlaskClient, session: object, lines: Lines
) -> None:
    owner.execute("ALTER TABLE security_counts RENAME TO elsewhere")
    try:
        answer = client.get("/api/lessons", headers={"Authorization": "Bearer of-nobody"})
    finally:
        owner.execute("ALTER TABLE elsewhere RENAME TO security_counts")
    assert answer.status_code == 401
    event, failure = lines
    assert event["kind"] == "bad_token"
    assert failure["message"] == "security events could not be counted: ProgrammingError"


def test_what_is_exported_and_what_is_ended_is_told_with_address_and_request(
    client: FlaskClient, session: Session, lines: Lines
) -> None:
    admin, user = make_user(role="admin"), make_user()
    signed_in(user), bearer(user)
    browser = signed_in(admin)
    before = [metric(kind) for kind in ("exported", "session_ended", "token_ended")]
    assert browser.get("/admin/user/export/csv/?search=ada", buffered=True).status_code == 200
    csrf = csrf_of(browser, "/account")
    form = {"id": str(user.id), "csrf_token": csrf}
    for path in ("/admin/person/sessions/end", "/admin/user/tokens/revoke"):
        assert browser.post(path, data=form).status_code == 302
    assert [line["kind"] for line in lines] == ["exported", "session_ended", "token_ended"]
    assert [line["account"] for line in lines] == [f"user:{admin.id}", f"user:{user.id}", f"user:{user.id}"]
    assert {line["address"] for line in lines} == {"127.0.0.1"}
    assert "-" not in {line["request_id"] for line in lines}
    assert (lines[0]["list"], lines[0]["rows"]) == ("user", 0)
    assert [metric(kind) for kind in ("exported", "session_ended", "token_ended")] == [
        one + 1 for one in before
    ]
    actions = ("user.exported", "user.sessions_ended", "user.token_revoked")
    query = text("SELECT detail->>'request' FROM audit_log WHERE action = ANY(:actions) ORDER BY id")
    audited = session.scalars(query, {"actions": list(actions)}).all()
    assert audited == [line["request_id"] for line in lines]
