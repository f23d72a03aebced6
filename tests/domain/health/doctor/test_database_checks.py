"""Doctor: a schema that is behind, processes that stopped and work that waits are found and said."""

import pytest
from sqlalchemy import create_engine, make_url, text

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import heartbeats
from lessonadmin.domain.health.doctor import all_checks, database_checks
from lessonadmin.domain.health.doctor.examination import DoctorContext
from tests import owner
from tests.doctor import examined
from tests.factories import make_event, make_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden


def test_the_schema_is_behind(well: MuxSim) -> None:
    owner.execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        line = examined()["migrations"]
    finally:
        head = heartbeats.expected_revision()
        owner.execute(f"UPDATE alembic_version SET version_num = '{head}'")  # noqa: S608 - a revision's number
    assert line.level == "FAIL"
    assert "db upgrade" in line.todo


ROWS = "row-level security"


def test_rows_are_kept_apart(well: MuxSim) -> None:
    line = examined()[ROWS]
    assert (line.level, line.says) == (
        "ok",
        "The role lessonadmin_app owns nothing, and 15 tables have their policies.",
    )


def test_a_table_without_its_policies_is_named(well: MuxSim) -> None:
    owner.execute("ALTER TABLE lessons DISABLE ROW LEVEL SECURITY")
    try:
        line = examined()[ROWS]
    finally:
        owner.execute("ALTER TABLE lessons ENABLE ROW LEVEL SECURITY")
    assert line.level == "FAIL"
    assert "lessons without it" in line.says
    assert "MIGRATION_DATABASE_URL" in line.todo


def test_one_role_that_does_all_is_a_warning(well: MuxSim) -> None:
    engine = create_engine(owner.url().replace("postgresql:", "postgresql+psycopg:"))
    (line,) = database_checks.row_security(DoctorContext(engine, config.current()))
    engine.dispose()
    assert line.level == "warn"
    assert "Two roles for the database" in line.todo


def test_a_superuser_is_a_failure(well: MuxSim) -> None:
    superuser = make_url(owner.url()).set(drivername="postgresql+psycopg", username="postgres")
    engine = create_engine(superuser)
    (line,) = database_checks.row_security(DoctorContext(engine, config.current()))
    engine.dispose()
    assert line.level == "FAIL"
    assert "NOSUPERUSER" in line.todo


@pytest.mark.parametrize(
    ("client", "encrypted", "warned"),
    [
        (None, False, False),
        ("127.0.0.1", False, False),
        ("10.0.0.7", True, False),
        ("10.0.0.7", False, True),
        ("2001:db8::1", False, True),
    ],
)
def test_the_way_to_another_machine_is_encrypted(client: str | None, encrypted: bool, warned: bool) -> None:
    assert [line.level for line in database_checks._way(client, encrypted=encrypted)] == ["warn"] * warned


def test_the_database_is_away(well: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(all_checks, "DoctorContext", lambda _engine, settings: DoctorContext(away, settings))
    lines = examined()
    assert lines["database"].level == "FAIL"
    assert "DATABASE_URL" in lines["database"].todo
    assert lines["Redis"].level == "ok"
    assert lines["web token"].level == "ok"
    away.dispose()


def test_redis_is_away(well: MuxSim) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        line = examined()["Redis"]
    assert line.level == "FAIL"
    assert "REDIS_URL" in line.todo


@pytest.mark.parametrize(("prefix", "name"), [("worker:", "workers"), ("clock", "clock")])
def test_a_heart_stopped(well: MuxSim, prefix: str, name: str) -> None:
    db.session.execute(
        text("UPDATE heartbeats SET at = now() - interval '5 minutes' WHERE starts_with(name, :prefix)"),
        {"prefix": prefix},
    )
    db.session.commit()
    line = examined()[name]
    assert (line.level, "5 minutes ago" in line.says) == ("FAIL", True)
    assert "flask --app app" in line.todo
    db.session.execute(text("DELETE FROM heartbeats"))
    db.session.commit()
    assert "never" in examined()[name].says or "None has been seen yet" in examined()[name].says


def test_work_that_waits(well: MuxSim) -> None:
    make_event(outcome="failed")
    lesson = make_lesson()
    well.upload(lesson)
    db.session.execute(
        text(
            "UPDATE mux_asset_tracking SET created_at = now() - interval '1 day', next_check_at = now() - interval '1 hour'"
        )
    )
    db.session.execute(
        text("INSERT INTO asset_deletions (mux_asset_id, last_error) VALUES ('a', 'server_error: x')")
    )
    db.session.commit()
    lines = examined()
    names = ("failed events", "deletions", "overdue checks", "stuck videos")
    assert {name: lines[name].level for name in names} == dict.fromkeys(names, "warn")
    assert lines["stuck videos"].says.startswith("1 ")
