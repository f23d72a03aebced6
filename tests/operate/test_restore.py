"""Back up, restore elsewhere, with an empty Redis: one `flask sweep` finds everything that was due."""

import subprocess
import uuid
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from devstack.servers import wheels
from devstack.servers.for_tests import Servers, run_flask
from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.batches import batches, registry
from lessonadmin.domain.figures import kept_sums
from lessonadmin.domain.videos import outbox, removal
from tests.factories import make_lesson, make_view
from tests.mux_sim import MuxSim
from tests.settings import environment

DUE = """
SELECT (SELECT count(*) FROM mux_asset_tracking WHERE status IN ('uploading', 'processing') AND next_check_at IS NOT NULL),
       (SELECT count(*) FROM asset_deletions WHERE done_at IS NULL),
       (SELECT count(*) FROM upload_cancellations WHERE done_at IS NULL),
       (SELECT count(*) FROM mux_events WHERE next_attempt_at IS NOT NULL),
       (SELECT count(*) FROM batch_items WHERE status = 'open')
"""
TABLES = ("users", "lessons", "mux_asset_tracking", "mux_events", "audit_log", "asset_deletions", "purchases")


def run(program: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs, of the version that the server has."""
    command = [str(wheels.postgres_programs() / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def unfinished(mux_sim: MuxSim, redis_url: str) -> list[str]:
    """A school in the middle of things: a webhook lost, a deletion promised, an upload given up, a bulk action begun."""
    waiting = make_lesson()
    mux_sim.uploaded(waiting)
    mux_sim.forget()
    going = make_lesson()
    mux_sim.uploaded(going)
    mux_sim.deliver()
    with transaction(Actor.user(going.creator_id)):
        removal.request_delete(str(mux_sim.lesson(going).mux_asset_id))
    cancelled = make_lesson()
    upload_id = mux_sim.upload(cancelled).upload_id
    with transaction(Actor.user(cancelled.creator_id)):
        outbox.request_cancellation_by_id(upload_id, ("lesson", cancelled.id))
    drafts = [
        make_lesson(mux_asset_id=f"A{n}", mux_playback_id="P", video_processing_status="ready")
        for n in range(3)
    ]
    with transaction(Actor.user(cancelled.creator_id)):
        batches.create(registry.find("lesson", "publish"), [one.id for one in drafts])
    db.session.execute(
        text("UPDATE mux_asset_tracking SET next_check_at = created_at WHERE next_check_at IS NOT NULL")
    )
    db.session.commit()
    return [str(waiting.id), str(going.id), upload_id, *(str(one.id) for one in drafts)]


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect("postgresql://" + url.partition("://")[2]) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def test_everything_that_was_due_is_found_again(
    unfinished: list[str],
    mux_sim: MuxSim,
    real_servers: Servers,
    pg_url: str,
    owner_url: str,
    redis_url: str,
    tmp_path: Path,
) -> None:
    waiting, going, upload_id, *drafts = unfinished
    dump = str(tmp_path / "school.dump")
    run("pg_dump", "-Fc", "--enable-row-security", "-f", dump, "-d", owner_url)
    restored = f"restored_{uuid.uuid4().hex[:8]}"
    real_servers.postgres.create_database(restored)
    url = real_servers.postgres.url(restored)
    run("pg_restore", "--no-owner", "--exit-on-error", "-d", url, dump)
    with redis.Redis.from_url(redis_url) as connection:
        connection.flushdb()

    for table in TABLES:
        count = f"SELECT count(*) FROM {table}"  # noqa: S608  # the names above
        assert rows(url, count) == rows(pg_url, count), table
    assert rows(url, DUE) == rows(pg_url, DUE)
    assert [one > 0 for one in rows(url, DUE)[0][:3]] == [True, True, True]
    assert rows(url, DUE)[0][4] == len(drafts)

    settings = environment(database_url=url, redis_url=redis_url, MUX_API_URL=mux_sim.url)
    run_flask("db", "upgrade", settings=settings)
    run_flask("sweep", settings=settings)

    assert rows(url, f"SELECT status FROM lessons WHERE id = '{waiting}'") == [("published",)]  # noqa: S608 - the id is the product's own
    assert rows(url, f"SELECT video_processing_status FROM lessons WHERE id = '{going}'") == [("none",)]  # noqa: S608 - the id is the product's own
    assert rows(url, DUE)[0][1:3] == (0, 0)
    assert rows(url, DUE)[0][4] == 0
    assert rows(url, "SELECT status, done, failed FROM batches") == [("done", len(drafts), 0)]
    for draft in drafts:
        assert rows(url, f"SELECT status FROM lessons WHERE id = '{draft}'") == [("published",)]  # noqa: S608 - the id is the product's own
    assert mux_sim.control.upload(upload_id)["status"] == "cancelled"
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.Error, match="never changed"):
        connection.execute("DELETE FROM audit_log")  # the triggers came along


VIEWS = """
SELECT (SELECT sum(views) FROM lesson_sums WHERE span = 'all'), (SELECT sum(views) FROM day_sums),
       (SELECT count(*) FROM lesson_views)
"""


@pytest.mark.parametrize(
    ("role", "more", "refusal"),
    [
        ("lessonadmin", [], "row-level security"),
        ("postgres", [], 'relation "lessons" does not exist'),
        ("postgres", ["--disable-triggers"], ""),
    ],
)
def test_rows_alone_are_restored_by_a_superuser_without_triggers(
    session: Session,
    real_servers: Servers,
    owner_url: str,
    tmp_path: Path,
    role: str,
    more: list[str],
    refusal: str,
) -> None:
    make_view(make_lesson())
    kept_sums.renew()
    dump = str(tmp_path / "school.dump")
    run("pg_dump", "-Fc", "--enable-row-security", "-f", dump, "-d", owner_url)
    restored = f"restored_{uuid.uuid4().hex[:8]}"
    real_servers.postgres.create_database(restored)
    url = real_servers.postgres.url(restored)
    run("pg_restore", "--no-owner", "--exit-on-error", "--schema-only", "-d", url, dump)
    by = make_url(url).set(username=role).render_as_string(hide_password=False)
    rest = ("pg_restore", "--exit-on-error", "--data-only", *more, "-d", by, dump)
    if refusal:
        with pytest.raises(AssertionError, match=refusal):
            run(*rest)
    else:
        run(*rest)
        assert rows(url, VIEWS) == [(1, 1, 1)], "sums that are kept are not added up once more"
