"""Doctor: missing, late, refused and foreign webhooks are found and said."""

from sqlalchemy import text

from lessonadmin import mux
from lessonadmin.db import db
from lessonadmin.domain import hourly_statistics
from tests.doctor import examined
from tests.factories import make_event, make_lesson, make_playing_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden


def test_no_webhook_has_come(mux_sim: MuxSim) -> None:
    assert examined()["last webhook"].level == "warn"
    mux_sim.uploaded(make_lesson())
    db.session.execute(text("UPDATE mux_asset_tracking SET asset_seen_at = now()"))
    db.session.commit()
    line = examined()["last webhook"]
    assert line.level == "FAIL"
    assert "http://localhost/api/webhooks/mux" in line.todo


def test_webhooks_stopped_while_videos_became_ready(well: MuxSim) -> None:
    db.session.execute(text("UPDATE mux_events SET received_at = now() - interval '3 hours'"))
    db.session.commit()
    assert examined()["last webhook"].level == "ok"  # silence is none while nothing happens
    make_playing_lesson()
    db.session.execute(text("UPDATE mux_asset_tracking SET ready_found_by = 'sweep'"))
    db.session.commit()
    assert examined()["last webhook"].level == "FAIL"


def test_late_webhooks(well: MuxSim) -> None:
    db.session.execute(text("UPDATE mux_events SET occurred_at = received_at - interval '10 minutes'"))
    db.session.commit()
    assert examined()["webhook delay"].level == "warn"


def test_events_of_two_environments(well: MuxSim) -> None:
    make_event(environment_id="env2", outcome="ignored")
    line = examined()["environment"]
    assert (line.level, "2 Mux environments" in line.says) == ("warn", True)


def test_which_secret_was_used_last(well: MuxSim) -> None:
    with overridden(mux_webhook_secrets=("new-secret", "test-webhook-secret")):
        line = examined()["webhook secrets"]
        assert line.level == "ok"
        assert "Secret 2 of 2" in line.says
        assert "Secret 1 signed none" in line.says
        make_event(secret_hint=mux.hint("new-secret"), outcome="ignored")
        assert "Secret 1 of 2" in examined()["webhook secrets"].says
    with overridden(mux_webhook_secrets=("another",)):
        line = examined()["webhook secrets"]
    assert (line.level, "not configured any more" in line.says) == ("warn", True)


def test_refused_webhooks_are_told(well: MuxSim) -> None:
    hourly_statistics.add("rejected", "mismatch", 7)
    db.session.commit()
    line = examined()["refused webhooks"]
    assert line.level == "warn"
    assert "mismatch 7" in line.says
