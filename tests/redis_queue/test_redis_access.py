"""Who may command Redis: what the doctor says of it, and that the user of the manual is enough for the product."""

import re
import socketserver
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import NoPermissionError

from devstack.places import ROOT
from lessonadmin import config, queue
from lessonadmin.db import db
from lessonadmin.domain.health.doctor import host_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext, Line
from lessonadmin.redis_queue import inspection, redis_access
from tests.settings import overridden
from tests.workers import work_off

CHECK, RUN = "lessonadmin.jobs.videos.check_asset", "lessonadmin.jobs.batches.run_batch_item"
ELSEWHERE = "::1"
GOOD = "a-long-random-password"


def redis_that_says(answer: bytes) -> Iterator[int]:
    """A server on all addresses of this machine; its port."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def obedient() -> Iterator[int]:
    yield from redis_that_says(b"+PONG\r\n")


@pytest.fixture
def strict() -> Iterator[int]:
    yield from redis_that_says(b"-NOAUTH Authentication required.\r\n")


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_access, "is_loopback", lambda host: False)


def said(url: str) -> Line:
    with overridden(redis_url=url):
        (line,) = host_checks.redis_access(DoctorContext(db.engine, config.current()))
    assert GOOD not in line.says + line.todo
    return line


@pytest.mark.usefixtures("far")
def test_another_machine_that_obeys_without_password_is_red(
    app: Flask, session: object, obedient: int
) -> None:
    line = said(f"rediss://u:{GOOD}@127.0.0.1:1/0")
    assert line.level == "ok", "nobody is there"
    line = said(f"redis://u:{GOOD}@127.0.0.1:{obedient}/0")
    assert line.level == "FAIL"
    assert f"127.0.0.1:{obedient}" in line.says


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("user", ["", ":@", ":redis@", ":foobared@", ":short@"])
def test_no_password_or_an_easy_one_is_red(app: Flask, session: object, strict: int, user: str) -> None:
    line = said(f"rediss://{user}127.0.0.1:{strict}/0")
    assert (line.level, "short or a common one" in line.says) == ("FAIL", True)


@pytest.mark.usefixtures("far")
def test_a_way_that_is_not_encrypted_is_a_warning(app: Flask, session: object, strict: int) -> None:
    assert said(f"redis://u:{GOOD}@127.0.0.1:{strict}/0").level == "warn"
    assert said(f"rediss://u:{GOOD}@127.0.0.1:{strict}/0").level == "ok"


def test_on_loopback_its_other_addresses_count(
    app: Flask, session: object, obedient: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_access, "own_addresses", lambda: ("127.0.0.1",))
    line = said(f"redis://localhost:{obedient}/0")
    assert (line.level, f"127.0.0.1:{obedient}" in line.says) == ("FAIL", True)
    monkeypatch.setattr(redis_access, "own_addresses", lambda: (ELSEWHERE,))
    assert said(f"redis://localhost:{obedient}/0").level == "ok", "it listens on one address only"


def test_a_socket_and_the_redis_of_this_test_are_well(app: Flask, session: object, redis_url: str) -> None:
    assert said("unix:///run/redis.sock").level == "ok"
    assert said(redis_url).level == "ok"


# The user of the manual


def manual() -> list[str]:
    text = (ROOT / "docs" / "operate.md").read_text()
    (line,) = re.findall(r"^\s*user lessonadmin on >PASSWORD (.+)$", text, re.MULTILINE)
    return str(line).split()


@pytest.fixture
def user(redis_url: str, redis_connection: "Redis[Any]") -> Iterator[str]:
    """A user that has what the manual gives; the tests of other workers share the server."""
    name = f"lessonadmin-{uuid.uuid4().hex[:8]}"
    redis_connection.execute_command("ACL", "SETUSER", name, "reset", "on", f">{GOOD}", *manual())
    yield name
    redis_connection.execute_command("ACL", "DELUSER", name)


def address(redis_url: str, user: str) -> str:
    return re.sub(r"//:[^@]+@", f"//{user}:{GOOD}@", redis_url)


def refused(redis_connection: "Redis[Any]", user: str) -> set[tuple[str, str]]:
    return {(one["reason"], one["object"]) for one in redis_connection.acl_log() if one["username"] == user}


def everything(app: Flask, redis_connection: "Redis[Any]") -> int:
    """All that the product does with Redis; how many jobs have failed."""
    assert queue.enqueue(CHECK, str(uuid.uuid4()))
    assert queue.enqueue(RUN, "no id", job_id="known")
    assert queue.in_line(RUN, "known")
    assert queue.answers()
    assert queue.max_wait_seconds() is not None
    redis_connection.hset("rq:job:strange", "data", "x")
    redis_connection.hset("rq:job:stuck", mapping={"data": "x", "origin": "bulk"})
    redis_connection.rpush("rq:queue:urgent", "strange")
    redis_connection.rpush("rq:intermediate:bulk", "stuck")
    redis_connection.zadd("rq:wip:bulk", {"stuck:1": 1})
    work_off(app)
    failed = len(inspection.look().failures)
    assert inspection.retry_all() == 1
    work_off(app)
    for one in inspection.look().failures:
        inspection.forget(one.id)
    assert not inspection.look().failures
    return failed


def test_the_user_of_the_manual_is_enough(
    app: Flask, session: object, redis_url: str, redis_connection: "Redis[Any]", user: str
) -> None:
    with overridden(redis_url=address(redis_url, user)):
        assert everything(app, redis_connection) == 3
    assert refused(redis_connection, user) == set()


def test_of_the_test_a_user_with_less_is_refused(
    app: Flask, session: object, redis_url: str, redis_connection: "Redis[Any]", user: str
) -> None:
    redis_connection.execute_command("ACL", "SETUSER", user, "-@stream")
    with overridden(redis_url=address(redis_url, user)), pytest.raises(NoPermissionError):
        queue.connection().xadd("rq:results:x", {"a": "b"})
    assert refused(redis_connection, user) == {("command", "xadd")}


@pytest.mark.parametrize(
    "command", ["FLUSHDB", "CONFIG GET *", "KEYS *", "EVAL x 0", "MODULE LIST", "SET other x", "PUBLISH x y"]
)
def test_the_user_of_the_manual_may_nothing_else(redis_url: str, user: str, command: str) -> None:
    with Redis.from_url(address(redis_url, user)) as connection, pytest.raises(NoPermissionError):
        connection.execute_command(*command.split())
