"""What keeps every video from going on is said as an outage on the page of each, from what is known already."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, update

from lessonadmin.db import db
from lessonadmin.domain import heartbeats, hourly_statistics
from lessonadmin.domain.diagnosis import diagnose, outages
from lessonadmin.domain.diagnosis.finding import Button
from lessonadmin.domain.health import alarms
from lessonadmin.domain.models import Alarm, Heartbeat, Lesson, Tracking
from lessonadmin.domain.polling import not_found_guard
from tests.domain.diagnosis.support import by_record, causes, fresh
from tests.factories import keep, make_event, make_playing_lesson
from tests.mux_sim import MuxSim

AGAIN = Button("Check with Mux", "recheck")


@pytest.mark.parametrize(
    ("category", "cause", "severity", "pages"),
    [
        ("auth_error", "wrong_token", "trouble", ["doctor"]),
        ("rate_limit", "mux_busy", "waiting", [None]),
        ("temp_asset", "nothing_at_mux", "trouble", []),
        ("not_found", "nothing_at_mux", "trouble", []),
        ("timeout", "mux_unreachable", "trouble", [None, "doctor"]),
        ("of tomorrow", "mux_unreachable", "trouble", [None, "doctor"]),
    ],
)
def test_why_mux_could_not_be_asked(
    category: str, cause: str, severity: str, pages: list[str | None]
) -> None:
    found = outages.mux_trouble(category, "It did not answer", AGAIN)
    assert (found.cause, found.severity, [one.page for one in found.buttons]) == (cause, severity, pages)
    assert found.sentence.startswith("It did not answer.")
    if cause != "nothing_at_mux":
        assert "The file is not the cause." in found.sentence


@pytest.mark.parametrize("end", [".", "…", "!", "?"])
def test_muxs_sentence_is_not_ended_twice(end: str) -> None:
    found = outages.mux_trouble("not_found", f"No access{end}", AGAIN)
    assert found.sentence == f"No access{end}"


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("token_refused", "wrong_token"),
        ("wrong_environment", "wrong_environment"),
        ("signatures", "webhooks_refused"),
        ("no_events", "webhooks_silent"),
        ("webhooks_lost", "webhooks_silent"),
        ("events_waiting", "webhooks_not_applied"),
        ("queue_stands", "queue_stands"),
    ],
)
def test_an_open_alarm_is_said_first_while_it_lasts(uploading: Lesson, kind: str, cause: str) -> None:
    assert kind in alarms.BY_NAME
    assert by_record(uploading).cause == "no_bytes"
    alarm = keep(Alarm(kind=kind, message="It is so."))
    found = by_record(uploading)
    assert (found.cause, found.severity) == (cause, "trouble")
    assert [one for one in found.buttons if one.page in ("doctor", "jobs")], "it leads to who can end it"
    assert "no_bytes" in causes(uploading)
    assert causes(make_playing_lesson()) == ["published"], "what plays waits for nothing"
    db.session.execute(update(Alarm).where(Alarm.id == alarm.id).values(ended_at=func.now()))
    db.session.commit()
    assert by_record(uploading).cause == "no_bytes"


@pytest.mark.parametrize(
    ("category", "cause"),
    [("auth_error", "wrong_token"), ("rate_limit", "mux_busy"), ("server_error", "mux_unreachable"), ("network", "mux_unreachable")],
)  # fmt: skip
def test_what_mux_last_said_to_background_work_counts_until_it_answers(
    uploading: Lesson, category: str, cause: str
) -> None:
    heartbeats.record("mux:ok")
    moved("mux:ok", 60)
    heartbeats.record(f"mux:{category}")
    assert cause in causes(uploading)
    moved(f"mux:{category}", 20)
    heartbeats.record("mux:ok")
    assert causes(uploading) == ["no_bytes"]


def test_a_failure_of_long_ago_is_no_outage(uploading: Lesson) -> None:
    heartbeats.record("mux:server_error")
    moved("mux:server_error", 3600)
    assert causes(uploading) == ["no_bytes"]


def moved(name: str, seconds: float) -> None:
    earlier = Heartbeat.at - timedelta(seconds=seconds)
    db.session.execute(update(Heartbeat).where(Heartbeat.name == name).values(at=earlier))
    db.session.commit()


def test_refused_signatures_are_an_outage_unless_others_are_accepted(uploading: Lesson) -> None:
    hourly_statistics.add("rejected", "mismatch", 2)
    db.session.commit()
    assert causes(uploading) == ["no_bytes"], "two may be anything"
    hourly_statistics.add("rejected", "mismatch", 1)
    hourly_statistics.add("rejected", "body_too_large", 50)
    db.session.commit()
    found = by_record(uploading)
    assert found.cause == "webhooks_refused"
    assert "(3 lately)" in found.sentence
    assert "MUX_WEBHOOK_SECRETS" in found.sentence
    make_event(type="video.upload.created")
    assert causes(uploading) == ["no_bytes"], "the secret is right: a stranger guesses"


@pytest.mark.parametrize("column", ["bytes_in_at", "asset_seen_at"])
def test_an_upload_of_which_mux_says_nothing(mux_sim: MuxSim, uploading: Lesson, column: str) -> None:
    silent(column, seconds=30)
    assert "webhooks_silent" not in causes(uploading)
    silent(column, seconds=90)
    found = by_record(uploading)
    assert found.cause == "webhooks_silent"
    assert [one.action or one.page for one in found.buttons] == ["recheck", "doctor"]
    mux_sim.deliver()
    assert "webhooks_silent" in causes(uploading), "that an upload was begun says nothing of its file"
    make_event(type="video.upload.asset_created", target_id=uploading.id, target_type="lesson")
    assert "webhooks_silent" not in causes(uploading)


def silent(column: str, *, seconds: float) -> None:
    ago = datetime.now(UTC) - timedelta(seconds=seconds)
    db.session.execute(update(Tracking).values({column: ago, "created_at": ago}))
    db.session.commit()


def test_each_outage_is_said_once(uploading: Lesson) -> None:
    keep(Alarm(kind="token_refused", message="x"))
    heartbeats.record("mux:auth_error")
    note(last_look_error="auth_error: Mux does not accept our access token.")
    assert causes(uploading).count("wrong_token") == 1


def test_an_answer_that_was_not_believed_is_said_whole(uploading: Lesson) -> None:
    note(last_look_error=not_found_guard.IGNORED_MESSAGE)
    (found,) = [one for one in diagnose.diagnose(fresh(uploading)) if one.cause == "mux_unreachable"]
    assert not_found_guard.IGNORED_MESSAGE in found.sentence


def note(**columns: Any) -> None:
    db.session.execute(update(Tracking).values(**columns))
    db.session.commit()
