"""Events: parked while their owner is unknown, kept with their error, tried again in time, replayed at will."""

import uuid
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lessonadmin import mux
from lessonadmin.db import CLI, JOB, Actor, db
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import MuxEvent, WaitingEvent
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos.locking import Target
from lessonadmin.domain.webhooks import handlers, inbox
from tests.factories import make_event, make_lesson
from tests.mux_sim import MuxSim, give


def ready(lesson_id: uuid.UUID | None = None, **data: Any) -> dict[str, Any]:
    note = {"passthrough": mux.Passthrough(lesson_id=lesson_id).text()} if lesson_id else {}
    asset = {
        "id": "asset1",
        "status": "ready",
        "playback_ids": [{"id": "p1", "policy": "public"}],
        **note,
        **data,
    }
    return {"id": str(uuid.uuid4()), "type": "video.asset.ready", "data": asset}


def time_passes(seconds: int) -> None:
    moved = "received_at = received_at - make_interval(secs => :s), next_attempt_at = next_attempt_at - make_interval(secs => :s)"
    db.session.execute(text(f"UPDATE mux_events SET {moved}"), {"s": seconds})  # noqa: S608 - names that the tests write
    db.session.commit()


def only() -> MuxEvent:
    db.session.rollback()
    return db.session.query(MuxEvent).populate_existing().one()


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def broken(*_: object) -> None:
        raise RuntimeError("this event cannot be applied")

    monkeypatch.setattr(handlers, "apply_to", broken)
    return monkeypatch


def test_an_event_that_comes_before_its_owner_is_applied_when_the_owner_appears(mux_sim: MuxSim) -> None:
    """An upload that a page of another program began: its events name no known upload until it is tracked."""
    lesson = make_lesson()
    upload = mux.create_upload(
        passthrough=mux.Passthrough(lesson_id=lesson.id), external_id="elsewhere", policy="public"
    )
    mux_sim.control.complete_upload(upload.id)
    made = next(one for one in mux_sim.waiting() if one["type"] == "video.upload.asset_created")
    del made["data"]["new_asset_settings"]["passthrough"]
    assert mux_sim.give(made) == "unmatched"
    direct_upload.bytes_are_in(lesson, upload.id, temp_asset_id=None, actor=Actor.user(lesson.creator_id))
    sweep.sweep()
    (event,) = mux_sim.events()
    assert (event.outcome, event.target_id) == ("no_change", lesson.id), "Mux itself was asked meanwhile"
    assert event.attempts == 2


def test_parked_events_are_tried_less_and_less_often_and_for_a_day(session: object) -> None:
    assert give(ready(uuid.uuid4())) == "unmatched"
    waits = []
    for _ in range(60):
        due = only().next_attempt_at
        if due is None:
            break
        left = db.session.scalar(text("SELECT extract(epoch FROM next_attempt_at - now()) FROM mux_events"))
        waits.append(float(left))
        time_passes(int(float(left)) + 1)
        assert sweep.sweep().failed == {}
    assert only().next_attempt_at is None, "it is tried for ever"
    assert only().outcome == "unmatched"
    assert waits[0] < 10
    assert 1800 < max(waits) <= 3601
    assert len(waits) < 50


def test_a_parked_event_is_never_in_the_way_of_its_own_replay(session: object) -> None:
    give(ready(uuid.uuid4()))
    time_passes(48 * 3600)
    sweep.sweep()
    assert only().next_attempt_at is None
    assert inbox.replay(only().id, actor=CLI) == "unmatched"


def test_a_poison_event_is_kept_tried_eight_times_and_then_left_for_people(
    session: object, poison: pytest.MonkeyPatch
) -> None:
    assert give(ready()) == "failed"
    attempts = 1
    while only().next_attempt_at is not None:
        assert attempts < 20
        time_passes(7200)
        sweep.sweep()
        attempts += 1
        assert only().attempts == attempts
    assert (only().attempts, only().outcome) == (inbox.MAX_ATTEMPTS, "failed")
    assert only().error == "RuntimeError: this event cannot be applied"
    poison.undo()
    assert inbox.replay(only().id, actor=CLI) == "unmatched"
    assert only().error is None


def test_its_pauses_grow(session: object, poison: pytest.MonkeyPatch) -> None:
    give(ready())
    pauses = []
    for _ in range(6):
        pauses.append(
            float(
                db.session.scalar(text("SELECT extract(epoch FROM next_attempt_at - now()) FROM mux_events"))
            )
        )
        time_passes(7200)
        sweep.sweep()
    assert all(later > earlier * 1.5 for earlier, later in pairwise(pauses))


def test_a_poison_event_delays_no_other(mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    payloads = mux_sim.waiting()
    real = handlers.apply_to

    def picky(target: Target | None, event: mux.Event) -> Any:
        if event.id == payloads[1]["id"]:
            raise RuntimeError("poison")
        return real(target, event)

    monkeypatch.setattr(handlers, "apply_to", picky)
    outcomes = [mux_sim.give(payload) for payload in payloads]
    assert outcomes.count("failed") == 1
    assert mux_sim.lesson(lesson).status == "published"


def test_a_failure_leaves_nothing_half_done(mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    *before, last = mux_sim.waiting()
    for payload in before:
        mux_sim.give(payload)
    real = handlers.apply_to

    def after(target: Target | None, event: mux.Event) -> Any:
        real(target, event)
        raise RuntimeError("too late")

    with monkeypatch.context() as broken:
        broken.setattr(handlers, "apply_to", after)
        assert mux_sim.give(last) == "failed"
    assert mux_sim.lesson(lesson).status == "draft"
    assert "lesson.published" not in mux_sim.actions(lesson.id)
    (failed,) = inbox.failed()
    assert inbox.replay(failed, actor=CLI) == "applied"
    assert mux_sim.lesson(lesson).status == "published"


def test_replaying_everything_twice_changes_nothing(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    before = (mux_sim.actions(lesson.id), mux_sim.notices(lesson.creator_id))
    for _ in range(2):
        for event in mux_sim.events():
            inbox.replay(event.id, actor=CLI)
    assert (mux_sim.actions(lesson.id), mux_sim.notices(lesson.creator_id)) == before
    assert {event.outcome for event in mux_sim.events()} <= {"applied", "no_change", "ignored"}


def test_what_did_its_work_is_still_shown_as_applied_after_a_replay(mux_sim: MuxSim) -> None:
    mux_sim.uploaded(make_lesson())
    mux_sim.deliver()
    before = {event.id: event.outcome for event in mux_sim.events()}
    for event_id in before:
        inbox.replay(event_id, actor=CLI)
    assert {event.id: event.outcome for event in mux_sim.events()} == before


def test_an_event_that_is_not_there_cannot_be_replayed(session: object) -> None:
    with pytest.raises(Missing):
        inbox.replay(uuid.uuid4(), actor=CLI)


def test_an_old_payload_that_is_no_event_fails_alone(session: object) -> None:
    event = make_event(payload={})
    assert inbox.replay(event.id, actor=CLI) == "failed"


def test_events_of_one_delivery_by_two_endpoints_count_once(mux_sim: MuxSim) -> None:
    """While a secret is rotated both endpoints deliver: same id, another signature."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    for payload in mux_sim.waiting():
        first = mux_sim.give(payload)
        assert mux_sim.give(payload) == "duplicate"
        assert first != "duplicate"


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("08006", "raised"),
        ("57P01", "raised"),
        ("53300", "raised"),
        ("55P03", "put off"),
        ("40P01", "put off"),
        ("22P05", "kept"),
    ],
)
def test_only_the_events_own_fault_is_kept(
    session: object, monkeypatch: pytest.MonkeyPatch, state: str, outcome: str
) -> None:
    """What the database itself cannot do now is done later, and is no fault of the event."""

    def fail(*_: object) -> None:
        db.session.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$"))

    monkeypatch.setattr(handlers, "apply_to", fail)
    if outcome == "raised":
        with pytest.raises(DBAPIError):
            give(ready())
    else:
        give(ready())
    assert db.session.query(MuxEvent).count() == int(outcome == "kept")
    assert db.session.query(WaitingEvent).count() == int(outcome != "kept"), "it waits for its next turn"


def test_the_worker_replays_too(session: object) -> None:
    from lessonadmin.jobs import events

    give(ready(uuid.uuid4()))
    events.replay_event(str(only().id))
    assert only().attempts == 2
    events.replay_event(str(uuid.uuid4()))
    assert JOB.type == "job"
