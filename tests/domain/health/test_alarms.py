"""Each alarm fires for its cause, is told once, and ends when the cause is gone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from lessonadmin import queue
from lessonadmin.db import JOB, db
from lessonadmin.domain import heartbeats, hourly_statistics, mux_budget
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.health import alarms
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Alarm, Notification, User
from lessonadmin.domain.polling import ask_mux, environment
from lessonadmin.domain.webhooks import rejections
from lessonadmin.security import security_events
from tests.factories import make_event, make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim


@pytest.fixture
def staff(mux_sim: MuxSim) -> Iterator[User]:
    """Staff to be told, a worker that is alive, and a budget that remembers nothing of other tests."""
    mux_budget._noted.clear()
    heartbeats.record("worker:test:1")
    yield make_user(role="support")
    mux_budget._noted.clear()


def standing() -> set[str]:
    alarms.look(actor=JOB)
    found = {alarm.kind for alarm in alarms.standing()}
    db.session.rollback()
    return found


def told(user: User) -> list[str]:
    messages = db.session.scalars(
        select(Notification.message).where(Notification.user_id == user.id).order_by(Notification.id)
    ).all()
    db.session.rollback()
    return list(messages)


def pass_time(**columns: str) -> None:
    """Move what is written down into the past: column=table."""
    for column, table in columns.items():
        db.session.execute(text(f"UPDATE {table} SET {column} = {column} - interval '3 hours'"))  # noqa: S608 - names that the tests write
    db.session.commit()


def test_a_healthy_installation_is_quiet(mux_sim: MuxSim, staff: User) -> None:
    for _ in range(4):
        mux_sim.uploaded(make_lesson())
    mux_sim.deliver()
    assert standing() == set()
    assert told(staff) == []


def test_webhooks_lost_is_told_once_and_ends_once(mux_sim: MuxSim, staff: User) -> None:
    for _ in range(4):
        mux_sim.uploaded(make_lesson())
    mux_sim.forget()
    db.session.execute(text("UPDATE mux_asset_tracking SET next_check_at = created_at"))
    db.session.commit()
    sweep.sweep()
    make_event(type="video.asset.created")  # one arrives, the others do not
    assert standing() == {"webhooks_lost"}
    assert standing() == {"webhooks_lost"}
    assert len(told(staff)) == 1
    pass_time(ready_at="mux_asset_tracking")
    assert standing() == set()
    assert standing() == set()
    assert [message.split(".")[0] for message in told(staff)] == [
        "Webhooks are lost",
        "Over: webhooks are lost",
    ]


def test_no_event_while_videos_finish(mux_sim: MuxSim, staff: User) -> None:
    for _ in range(4):
        mux_sim.uploaded(make_lesson())
    mux_sim.forget()
    db.session.execute(text("UPDATE mux_asset_tracking SET next_check_at = created_at"))
    db.session.commit()
    sweep.sweep()
    assert "no_events" in standing()
    make_event()
    assert "no_events" not in standing()


def test_failure_rate_above_its_habit(mux_sim: MuxSim, staff: User) -> None:
    for _ in range(6):
        mux_sim.control.error_upload(mux_sim.upload(make_lesson()).upload_id)
    mux_sim.deliver()
    hourly_statistics.roll_up()
    assert standing() == {"failure_rate"}
    for _ in range(26):
        mux_sim.uploaded(make_lesson())
    mux_sim.deliver()
    hourly_statistics.roll_up()
    assert standing() == set()


def test_a_habit_of_failing_is_no_alarm(mux_sim: MuxSim, staff: User) -> None:
    hour = db.session.scalar(select(func.date_trunc("hour", func.clock_timestamp())))
    for days in range(1, 20):
        for label, count in (("ready", 10), ("asset_errored", 10)):
            db.session.execute(
                text(
                    "INSERT INTO hourly_figures (hour, figure, label, count) VALUES (:hour, 'ended', :label, :count)"
                ),
                {"hour": hour - timedelta(days=days), "label": label, "count": count},
            )
    db.session.commit()
    for _ in range(6):
        mux_sim.control.error_upload(mux_sim.upload(make_lesson()).upload_id)
        mux_sim.uploaded(make_lesson())
    mux_sim.deliver()
    hourly_statistics.roll_up()
    assert standing() == set()


def test_no_worker(mux_sim: MuxSim, staff: User) -> None:
    db.session.execute(text("UPDATE heartbeats SET at = at - interval '10 minutes'"))
    db.session.commit()
    assert standing() == {"no_worker"}
    heartbeats.record("worker:test:1")
    assert standing() == set()


def test_the_queue_does_not_move(
    mux_sim: MuxSim, staff: User, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert queue.enqueue("lessonadmin.jobs.videos.check_asset", "01a1fc30-4459-7d2e-be8a-be56dc97f121")
    assert standing() == set()
    monkeypatch.setattr(alarms, "JOB_WAITS_SECONDS", 0)
    assert standing() == {"queue_stands"}
    queue.queue("urgent").empty()
    assert standing() == set()


def test_wrong_signatures(mux_sim: MuxSim, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejections, "WRITE_EVERY_SECONDS", 0.0)
    for _ in range(12):
        rejections.count("mismatch")
    assert standing() == {"signatures"}
    db.session.execute(text("UPDATE hourly_figures SET hour = hour - interval '3 hours'"))
    db.session.commit()
    assert standing() == set()


def happened(kind: str, count: int, who: str = "", *, minutes_ago: int = 0) -> None:
    query = (
        "INSERT INTO security_counts (minute, kind, who, count)"
        " VALUES (date_trunc('minute', clock_timestamp()) - make_interval(mins => :ago), :kind, :who, :count)"
    )
    db.session.execute(text(query), {"ago": minutes_ago, "kind": kind, "who": who, "count": count})
    db.session.commit()


@pytest.mark.parametrize(
    ("alarm", "kinds", "most"),
    [
        ("sign_in_burst", ("sign_in_failed", "locked_out"), alarms.SIGN_INS_IN_FIVE_MINUTES),
        ("token_burst", ("bad_token",), alarms.TOKENS_IN_FIVE_MINUTES),
    ],
)
def test_a_burst_of_tries_to_come_in(
    session: object, staff: User, alarm: str, kinds: tuple[str, ...], most: int
) -> None:
    happened(kinds[0], most, minutes_ago=10)
    happened(
        kinds[-1], most - 1, minutes_ago=2
    )  # with the other one as many as twice, but never within five minutes
    db.session.execute(
        text("UPDATE security_counts SET count = count - 1 WHERE count = :most"), {"most": most}
    )
    db.session.commit()
    assert standing() == set()
    happened(kinds[0], 1, minutes_ago=0)
    assert standing() == {alarm}
    assert standing() == {alarm}
    assert len(told(staff)) == 1
    db.session.execute(text("UPDATE security_counts SET minute = minute - interval '11 minutes'"))
    db.session.commit()
    assert standing() == {alarm}, "a pause of a few minutes is no end"
    db.session.execute(text("UPDATE security_counts SET minute = minute - interval '6 minutes'"))
    db.session.commit()
    assert standing() == set()
    assert told(staff)[-1].startswith("Over: ")


def test_many_refusals_of_one_account_and_not_of_many(session: object, staff: User) -> None:
    people = [make_user() for _ in range(3)]
    for person in people:
        happened("refused", alarms.REFUSALS_IN_FIVE_MINUTES - 1, f"user:{person.id}")
    happened("refused", 500)  # of whom none is counted apart
    assert standing() == set()
    happened("refused", 1, f"user:{people[1].id}", minutes_ago=3)
    assert standing() == {"refusal_burst"}
    assert people[1].email in told(staff)[0]


# Each kind of security event, the alarm of its burst, how many that are, and whether they are one account's.
BURSTS = {
    "sign_in_failed": ("sign_in_burst", alarms.SIGN_INS_IN_FIVE_MINUTES, False),
    "locked_out": ("sign_in_burst", alarms.SIGN_INS_IN_FIVE_MINUTES, False),
    "temporary_password_ended": ("sign_in_burst", alarms.SIGN_INS_IN_FIVE_MINUTES, False),
    "wrong_code": ("sign_in_burst", alarms.SIGN_INS_IN_FIVE_MINUTES, False),
    "passkey_refused": ("sign_in_burst", alarms.SIGN_INS_IN_FIVE_MINUTES, False),
    "single_sign_on_refused": ("sign_in_burst", alarms.SIGN_INS_IN_FIVE_MINUTES, False),
    "passkey_copied": ("passkey_copied", 1, False),
    "bad_token": ("token_burst", alarms.TOKENS_IN_FIVE_MINUTES, False),
    "expired_token": ("token_burst", alarms.TOKENS_IN_FIVE_MINUTES, False),
    "refused": ("refusal_burst", alarms.REFUSALS_IN_FIVE_MINUTES, True),
    "insufficient_scope": ("refusal_burst", alarms.REFUSALS_IN_FIVE_MINUTES, True),
    "csrf_refused": ("forged_requests", alarms.FORGED_IN_FIVE_MINUTES, False),
    "host_refused": ("forged_requests", alarms.FORGED_IN_FIVE_MINUTES, False),
    "exported": ("export_burst", alarms.EXPORTS_IN_FIVE_MINUTES, True),
    "session_ended": ("ends_burst", alarms.ENDS_IN_FIVE_MINUTES, False),
    "token_ended": ("ends_burst", alarms.ENDS_IN_FIVE_MINUTES, False),
    "job_refused": ("job_refused", 1, False),
}


def test_every_kind_of_security_event_has_its_alarm() -> None:
    assert BURSTS.keys() == security_events.KINDS.keys()
    assert {kind for kind, (_, _, of_one) in BURSTS.items() if of_one} == security_events.BY_ACCOUNT


@pytest.mark.parametrize("kind", BURSTS)
def test_a_burst_of_each_kind_and_one_less(session: object, staff: User, kind: str) -> None:
    alarm, most, of_one = BURSTS[kind]
    who = f"user:{staff.id}" if of_one else ""
    if most > 1:
        happened(kind, most - 1, who)
    assert standing() == set()
    happened(kind, 1, who, minutes_ago=3)
    assert standing() == {alarm}
    assert len(told(staff)) == 1
    assert (staff.email in told(staff)[0]) is of_one


def test_mux_refuses_the_workers_token(mux_sim: MuxSim, staff: User) -> None:
    for _ in range(5):
        mux_sim.uploaded(make_lesson())
    mux_sim.forget()
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, status=401)
    db.session.execute(text("UPDATE mux_asset_tracking SET next_check_at = created_at"))
    db.session.commit()
    sweep.sweep()
    assert "token_refused" in standing()
    mux_sim.control.clear_faults()
    mux_budget._noted.clear()
    db.session.execute(text("UPDATE mux_asset_tracking SET next_check_at = created_at"))
    db.session.execute(text("UPDATE mux_budget SET paused_until = NULL"))
    db.session.commit()
    sweep.sweep()
    assert "token_refused" not in standing()


def test_the_plan_is_used_up(mux_sim: MuxSim, staff: User) -> None:
    mux_sim.control.seed_assets(11)
    mux_sim.control.set_switch("free_plan", True)
    with pytest.raises(Problem, match="limited"):
        mux_sim.upload(make_lesson())
    assert standing() == {"quota"}
    mux_sim.control.set_switch("free_plan", False)
    mux_sim.upload(make_lesson())
    assert standing() == set()


def test_an_alarm_row_has_its_beginning_and_its_end(mux_sim: MuxSim, staff: User) -> None:
    db.session.execute(text("UPDATE heartbeats SET at = at - interval '10 minutes'"))
    db.session.commit()
    standing()
    heartbeats.record("worker:test:1")
    standing()
    alarm = db.session.scalars(select(Alarm)).one()
    assert alarm.ended_at is not None
    assert alarm.ended_at >= alarm.started_at


def test_every_kind_says_what_to_do() -> None:
    assert len(alarms.BY_NAME) == len(alarms.KINDS)
    assert all(kind.what_to_do.endswith((".", "?")) for kind in alarms.KINDS)


def gone_asset(mux_sim: MuxSim) -> str:
    """An id that is a real one, of which Mux says that it is gone."""
    (asset_id,) = mux_sim.control.seed_assets(1)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    return asset_id


def test_a_token_of_another_environment_darkens_few_lessons(
    mux_sim: MuxSim, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every look answers "gone": after a few nothing is believed any more, and people are told."""
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
    lessons = [make_lesson(video_processing_status="processing") for _ in range(20)]
    for lesson in lessons:
        make_tracking(lesson, status="processing", mux_asset_id=gone_asset(mux_sim))
    for _ in range(6):
        db.session.execute(
            text("UPDATE mux_asset_tracking SET next_check_at = created_at WHERE status = 'processing'")
        )
        db.session.commit()
        sweep.sweep()
    left = [one for one in lessons if mux_sim.lesson(one).video_processing_status == "processing"]
    assert len(left) == len(lessons) - environment.MAX_GONE
    assert "wrong_environment" in standing()
    assert any("does not believe" in message for message in told(staff))
    row = mux_sim.uploads(left[0])[0]
    assert row.next_check_at is not None
    ask_mux.check_upload(
        row.id, actor=JOB, priority="high", found_by="manual"
    )  # a person asks, and is answered
    assert mux_sim.lesson(left[0]).video_error_type == "deleted_at_mux"
    pass_time(at="mux_calls")
    assert "wrong_environment" not in standing()


def test_many_are_believed_gone_where_others_are_found(
    mux_sim: MuxSim, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that finds some of the school's videos is of the right environment, however many others are gone."""
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)
    for _ in range(2):
        (found,) = mux_sim.control.seed_assets(1)
        row = make_tracking(make_lesson(), status="processing", mux_asset_id=found)
        ask_mux.check_upload(row.id, actor=JOB, priority="low", found_by="sweep")
    lessons = [make_lesson(video_processing_status="processing") for _ in range(environment.MAX_GONE + 3)]
    for lesson in lessons:
        row = make_tracking(lesson, status="processing", mux_asset_id=gone_asset(mux_sim))
        ask_mux.check_upload(row.id, actor=JOB, priority="low", found_by="sweep")
    assert {mux_sim.lesson(one).video_error_type for one in lessons} == {"deleted_at_mux"}
    assert "wrong_environment" not in standing()


def test_a_few_that_are_gone_are_believed(mux_sim: MuxSim, staff: User) -> None:
    lesson = make_lesson(video_processing_status="processing")
    row = make_tracking(lesson, status="processing", mux_asset_id=gone_asset(mux_sim))
    ask_mux.check_upload(row.id, actor=JOB, priority="low", found_by="sweep")
    assert mux_sim.lesson(lesson).video_error_type == "deleted_at_mux"
    assert standing() == set()
