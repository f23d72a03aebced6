"""Web behind a pooler in transaction mode: pgbouncer, with one connection to PostgreSQL for all requests."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import places
from devstack.servers.for_tests import Running, Servers
from tests.operate.pgbouncer import PgBouncer
from tests.settings import environment

TURNS = 1000
TWO_INSTRUCTORS = """
import json, sys, threading
from sqlalchemy import func, select, text, true
from app import app
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.accounts import rate_limits, tokens
from lessonadmin.domain.models import Course, Lesson, User

turns = int(sys.argv[1])
with app.app_context():
    found = []
    with transaction(CLI):
        for name in ("one", "two"):
            user = User(email=f"{name}@school.example", role="instructor", name=name)
            db.session.add(user)
            db.session.flush()
            db.session.add(Lesson(creator_id=user.id, title=f"of {name}"))
            db.session.add(Course(instructor_id=user.id, title=f"course of {name}"))
            found.append((name, tokens.create(user, name="test", scope="write")))

rate_limits.MAX_LISTS = 10**6
# the conditions that the first wall stands on are gone
permissions.lessons_for = lambda user: true()
permissions.courses_for = lambda user: true()

crossings, answers, failures = [], [], []

def ask(number):
    for turn in range(turns // 4):
        name, token = found[(turn + number) % 2]
        path = "/api/lessons" if turn % 2 else "/api/courses"
        answer = app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 200:
            failures.append([answer.status_code, answer.text[:200]])
            continue
        rows = answer.json["items"]
        titles = [one["title"] for one in rows]
        answers.append(len(titles))
        if not titles or not all(title.endswith(f"of {name}") for title in titles):
            crossings.append([name, titles])

threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
[one.start() for one in threads]
[one.join() for one in threads]
with app.app_context():
    processes = {db.session.scalar(select(func.pg_backend_pid())) for _ in range(3) if not db.session.remove()}
    limits = db.session.execute(text("SELECT current_setting('statement_timeout'), current_setting('timezone')")).one()
print(json.dumps({"crossings": crossings[:3], "answers": len(answers), "failures": failures[:3],
                  "processes": len(processes), "limits": list(limits)}))
"""


@pytest.fixture
def through_pooler(
    real_servers: Servers, redis_url: str, worker_id: str, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The settings of a web process on a database of its own, behind a pooler with one connection."""
    name = f"pooled_{worker_id}"
    real_servers.database(name)
    folder = places.private_folder("pooler")
    pooler = PgBouncer(folder=folder, postgres_sockets=Path(real_servers.sockets))
    pooler.prepare()
    running = Running(pooler.program(name), tmp_path / "pgbouncer.log")
    try:
        running.wait_ready()
        yield environment(database_url=pooler.url(name), redis_url=redis_url, DATABASE_POOLER="transaction")
    finally:
        running.stop()


def test_a_thousand_requests_of_two_instructors_over_one_connection_never_cross(
    through_pooler: dict[str, str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_INSTRUCTORS, str(TURNS)],
        cwd=places.ROOT,
        env=through_pooler,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {
        "crossings": [],
        "answers": TURNS,
        "failures": [],
        "processes": 1,
        "limits": ["30s", "UTC"],
    }
