"""/healthz and /readyz: what each says when a part is away."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from lessonadmin import config, create_app
from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from tests import owner
from tests.settings import environment, overridden

ALL_WELL = dict.fromkeys(heartbeats.CHECKS, True)


@pytest.fixture
def processes_alive(session: Session) -> None:
    heartbeats.record("worker:here:1")
    heartbeats.record("clock")


def age(session: Session, name: str, seconds: int) -> None:
    session.execute(
        text("UPDATE heartbeats SET at = at - make_interval(secs => :s) WHERE name = :n"),
        {"s": seconds, "n": name},
    )
    session.commit()


def signs(client: FlaskClient) -> tuple[int, dict[str, bool]]:
    answer = client.get("/readyz")
    assert answer.json is not None
    assert (answer.json["status"] == "ok") == (answer.status_code == 200)
    found: dict[str, bool] = answer.json["checks"]
    return answer.status_code, found


def test_alive_asks_for_nothing(client: FlaskClient, accept_json: list[tuple[str, str]]) -> None:
    answer = client.get("/healthz", headers=accept_json)
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert "Set-Cookie" not in answer.headers


def test_ready_when_everything_answers(client: FlaskClient, processes_alive: None) -> None:
    assert signs(client) == (200, ALL_WELL)


def test_no_process_was_ever_seen(client: FlaskClient) -> None:
    assert signs(client) == (503, {**ALL_WELL, "worker": False, "clock": False})


@pytest.mark.parametrize(("name", "sign"), [("worker:here:1", "worker"), ("clock", "clock")])
def test_one_fell_silent_a_minute_ago(
    client: FlaskClient, session: Session, processes_alive: None, name: str, sign: str
) -> None:
    age(session, name, 58)
    assert signs(client)[0] == 200
    age(session, name, 4)
    assert signs(client) == (503, {**ALL_WELL, sign: False})


def test_one_live_worker_is_enough(client: FlaskClient, session: Session, processes_alive: None) -> None:
    heartbeats.record("worker:there:2")
    age(session, "worker:here:1", 3600)
    assert signs(client)[0] == 200


def test_redis_is_away(client: FlaskClient, processes_alive: None) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        assert signs(client) == (503, {**ALL_WELL, "redis": False})
    assert signs(client)[0] == 200


@pytest.fixture
def behind(session: Session) -> Iterator[None]:
    """A database at a migration of before."""
    head = session.scalar(text("SELECT version_num FROM alembic_version"))
    session.rollback()
    owner.execute("UPDATE alembic_version SET version_num = 'before'")
    yield
    owner.execute(f"UPDATE alembic_version SET version_num = '{head}'")  # noqa: S608 - a revision's number


def test_the_database_is_behind(client: FlaskClient, processes_alive: None, behind: None) -> None:
    status, found = signs(client)
    assert status == 503
    assert (found["database"], found["migrations"], found["redis"]) == (True, False, True)


@pytest.fixture
def other(settings_environment: dict[str, str], request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    """The product on the database of another address: `request.param` changes the configured one."""
    before = config.current() if config._current else None
    changed = request.param(settings_environment["DATABASE_URL"])
    application = create_app(
        config.load(environment(database_url=changed, redis_url=settings_environment["REDIS_URL"]))
    )
    yield application.test_client()
    with application.app_context():
        db.engine.dispose()
    if before is not None:
        config.use(before)


@pytest.mark.parametrize("other", [lambda _: "postgresql://u:p@127.0.0.1:1/db"], indirect=True)
def test_the_database_is_away(other: FlaskClient) -> None:
    status, found = signs(other)
    assert status == 503
    assert found == {**dict.fromkeys(heartbeats.CHECKS, False), "redis": True}
    assert other.get("/healthz").status_code == 200
