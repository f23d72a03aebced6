"""Old rows go in small batches; audit rows only here; the memory of events outlives every validity."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from devstack.servers.for_tests import Servers
from lessonadmin import setting_values
from lessonadmin.db import db
from lessonadmin.domain.maintenance import retention
from tests.factories import make_event
from tests.settings import overridden

DAYS_THAT_MUX_SENDS_AGAIN = 1


def count(table: str) -> int:
    return int(db.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - names that the tests write


def test_every_life_names_a_real_table_and_column(app: Flask, session: object) -> None:
    assert retention.prune() == {}


def test_old_rows_go_and_young_ones_stay(app: Flask, session: object) -> None:
    make_event(outcome="applied")
    make_event(outcome="applied", mux_event_id="old")
    make_event(outcome="failed", mux_event_id="dead")
    db.session.execute(
        text(
            "UPDATE mux_events SET received_at = now() - interval '200 days' WHERE mux_event_id IN ('old', 'dead')"
        )
    )
    db.session.commit()
    assert retention.prune() == {"mux_events": 1}
    assert count("mux_events") == 2


def test_many_old_rows_go_a_batch_at_a_time(
    app: Flask, session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    monkeypatch.setattr(retention, "MAX_BATCHES", 3)
    db.session.execute(
        text(
            "INSERT INTO sign_in_failures (email_hash, address, at) SELECT 'a', 'b', now() - interval '3 days' FROM generate_series(1, 45)"
        )
    )
    db.session.commit()
    assert retention.prune() == {"sign_in_failures": 30}
    assert retention.prune() == {"sign_in_failures": 15}


WRITE_AUDIT = (
    "INSERT INTO audit_log (actor_type, action, target_type, at)"
    " VALUES ('cli', :action, 'user', clock_timestamp() - make_interval(days => :days))"
)


@pytest.fixture
def aged_audit_rows(session: object, real_servers: Servers, pg_url: str) -> None:
    """Rows of an age, which the product itself can write none of: by a superuser, with the triggers silent."""
    name = pg_url.partition("?")[0].rpartition("/")[2]
    with real_servers.postgres.superuser(name) as connection:
        connection.execute("SET session_replication_role = replica")
        for action, days in (("young", 0), ("364 days", 364), ("2 years", 730), ("4 years", 1461)):
            connection.execute(WRITE_AUDIT.replace(":action", "%s").replace(":days", "%s"), [action, days])


def audit_actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(text("SELECT action FROM audit_log ORDER BY at")))


def test_old_audit_rows_go_and_the_trail_says_how_many(aged_audit_rows: None) -> None:
    assert retention.prune() == {"audit_log": 1}
    assert audit_actions() == ["2 years", "364 days", "young", "rows.removed"]
    row = db.session.execute(
        text("SELECT target_type, detail FROM audit_log WHERE action = 'rows.removed'")
    ).one()
    assert (row[0], row[1]) == ("audit_log", {"rows": 1, "older_than_days": 1095})
    with overridden(keep_days=(("audit_log", 365),)):
        assert retention.prune() == {"audit_log": 1}
    assert audit_actions()[0] == "364 days"


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM audit_log WHERE action = 'young'",
        "DELETE FROM audit_log WHERE action = '364 days'",
        "UPDATE audit_log SET action = 'x' WHERE action = '4 years'",
        "UPDATE audit_log SET at = at - interval '2 years'",
        "TRUNCATE audit_log",
    ],
)
def test_no_setting_opens_the_audit_trail(aged_audit_rows: None, attack: str) -> None:
    before = audit_actions()
    db.session.execute(text("SELECT set_config('lessonadmin.retention', 'on', true)"))
    with pytest.raises(ProgrammingError, match=r"never changed|permission denied"):
        db.session.execute(text(attack))
    assert audit_actions() == before


def test_the_function_of_the_database_removes_no_young_row_whatever_it_is_asked(
    aged_audit_rows: None,
) -> None:
    assert db.session.scalar(text("SELECT remove_old_audit_rows(1000, -100000)")) == 2
    db.session.commit()
    assert audit_actions() == ["364 days", "young"]


def test_no_process_writes_a_row_that_is_old_already(session: object) -> None:
    db.session.execute(text(WRITE_AUDIT), {"action": "forged", "days": 1000})
    db.session.commit()
    assert db.session.scalar(text("SELECT clock_timestamp() - at < interval '1 minute' FROM audit_log"))
    assert retention.prune() == {}


def test_event_ids_are_remembered_longer_than_mux_repeats_itself() -> None:
    lives = [life.days for life in retention.LIVES if life.table == "mux_events"]
    assert min(lives) > 30 * DAYS_THAT_MUX_SENDS_AGAIN


def test_lives_can_be_set_but_not_below_what_is_safe(app: Flask, session: object) -> None:
    make_event(outcome="applied")
    db.session.execute(text("UPDATE mux_events SET received_at = now() - interval '50 days'"))
    db.session.commit()
    assert retention.prune() == {}
    with overridden(keep_days=(("mux_events", 40), ("notifications", 90))):
        first, second = (life for life in retention.LIVES if life.table == "mux_events")
        assert (retention.days_of(first), retention.days_of(second)) == (40, 365)
        assert retention.prune() == {"mux_events": 1}
    assert set(setting_values.MIN_KEEP_DAYS) <= {life.table for life in retention.LIVES}
    assert all(life.days >= setting_values.MIN_KEEP_DAYS.get(life.table, 0) for life in retention.LIVES)
