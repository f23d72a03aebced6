"""Old rows go in small batches; audit rows only here; the memory of events outlives every validity."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from lessonadmin import config
from lessonadmin.db import db
from lessonadmin.domain import retention
from tests.factories import make_event

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
    monkeypatch.setattr(retention, "MOST_BATCHES", 3)
    db.session.execute(
        text(
            "INSERT INTO sign_in_failures (email_hash, address, at) SELECT 'a', 'b', now() - interval '3 days' FROM generate_series(1, 45)"
        )
    )
    db.session.commit()
    assert retention.prune() == {"sign_in_failures": 30}
    assert retention.prune() == {"sign_in_failures": 15}


def test_audit_rows_are_removed_by_nobody_else(app: Flask, session: object) -> None:
    db.session.execute(
        text("INSERT INTO audit_log (actor_type, action, target_type) VALUES ('cli', 'young', 'user')")
    )
    db.session.execute(
        text(
            "INSERT INTO audit_log (actor_type, action, target_type, at) VALUES ('cli', 'user.created', 'user', now() - interval '4 years')"
        )
    )
    db.session.commit()
    for statement in ("DELETE FROM audit_log", "UPDATE audit_log SET action = 'x'", "TRUNCATE audit_log"):
        with pytest.raises(ProgrammingError, match="never changed"):
            db.session.execute(text(statement))
        db.session.rollback()
    before = count("audit_log")
    assert retention.prune() == {"audit_log": 1}
    assert count("audit_log") == before - 1
    with pytest.raises(ProgrammingError, match="never changed"):  # the permission ended with its transaction
        db.session.execute(text("DELETE FROM audit_log"))
    db.session.rollback()


def test_event_ids_are_remembered_longer_than_mux_repeats_itself() -> None:
    lives = [life.days for life in retention.LIVES if life.table == "mux_events"]
    assert min(lives) > 30 * DAYS_THAT_MUX_SENDS_AGAIN


def test_lives_can_be_set_but_not_below_what_is_safe(app: Flask, session: object) -> None:
    make_event(outcome="applied")
    db.session.execute(text("UPDATE mux_events SET received_at = now() - interval '50 days'"))
    db.session.commit()
    assert retention.prune() == {}
    with config.overridden(keep_days=config._keep_days("mux_events=40, notifications = 90")):
        first, second = (life for life in retention.LIVES if life.table == "mux_events")
        assert (retention.days_of(first), retention.days_of(second)) == (40, 365)
        assert retention.prune() == {"mux_events": 1}
    for wrong in ("mux_events=1", "users=30", "mux_events", "mux_events=-5", "mux_events=x"):
        with pytest.raises(ValueError, match="must"):
            config._keep_days(wrong)
    assert set(config.SHORTEST_LIVES) <= {life.table for life in retention.LIVES}
    assert all(life.days >= config.SHORTEST_LIVES.get(life.table, 0) for life in retention.LIVES)
