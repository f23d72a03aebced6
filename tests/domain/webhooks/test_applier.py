"""Events applied in batches: as one alone would be, each exactly once, and none in the way of another."""

import random
import threading
import time
import uuid
from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from devstack.servers.postgres import SERVICE_ROLE
from lessonadmin import config, mux
from lessonadmin.database import bulk_write
from lessonadmin.database.single_connection import connect
from lessonadmin.db import db
from lessonadmin.domain.models import AuditLog, Lesson, MuxEvent, Notification, WaitingEvent
from lessonadmin.domain.videos.locking import Target
from lessonadmin.domain.webhooks import applier, handlers, inbox
from tests.factories import make_course, make_lesson, make_tracking
from tests.mux_sim import MuxSim, give, store
from tests.queries import counted


def ready(owner: Any, number: int = 0) -> dict[str, Any]:
    named = {f"{owner.kind}_id": owner.id}
    asset = {
        "id": f"asset-{owner.id}",
        "status": "ready",
        "upload_id": f"upload-{owner.id}",
        "playback_ids": [{"id": f"play-{owner.id}", "policy": "public"}],
        "passthrough": mux.Passthrough(**named).text(),
    }
    return {"id": f"{owner.id}-{number}", "type": "video.asset.ready", "data": asset}


def expecting(count: int) -> list[Lesson]:
    """Lessons that wait for their video and are then published."""
    lessons = [make_lesson(publish_on_ready=True) for _ in range(count)]
    for lesson in lessons:
        make_tracking(lesson, upload_id=f"upload-{lesson.id}", status="uploading")
    return lessons


def left() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(WaitingEvent)) or 0


def outcomes() -> Counter[str | None]:
    db.session.rollback()
    return Counter(db.session.scalars(select(MuxEvent.outcome)))


def published_once(lessons: list[Lesson]) -> None:
    db.session.rollback()
    ids = [lesson.id for lesson in lessons]
    audited = select(AuditLog.target_id).where(AuditLog.action == "lesson.published")
    told = select(Notification.lesson_id).where(Notification.kind == "lesson_published")
    assert sorted(db.session.scalars(audited)) == sorted(ids)
    assert sorted(db.session.scalars(told)) == sorted(ids)  # type: ignore[type-var]  # each has one
    shown = select(Lesson.status, func.count()).where(Lesson.id.in_(ids)).group_by(Lesson.status)
    assert db.session.execute(shown).all() == [("published", len(ids))]


def test_a_batch_publishes_each_lesson_once(session: object) -> None:
    lessons = expecting(30)
    for lesson in lessons:
        store(ready(lesson))
    assert applier.drain() == 30
    published_once(lessons)
    assert outcomes() == {"applied": 30}
    assert left() == 0


def test_a_batch_costs_the_same_however_large(app: Flask, session: object) -> None:
    costs = []
    for size in (2, 60):
        for lesson in expecting(size):
            store(ready(lesson))
        with counted() as statements:
            assert applier.apply_due() == size
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 10


def test_events_are_applied_in_the_order_in_which_they_came(
    session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = handlers.apply_to

    def noted(target: Target | None, event: mux.Event) -> Any:
        seen.append(event.id)
        return real(target, event)

    monkeypatch.setattr(handlers, "apply_to", noted)
    payloads = [ready(lesson) for lesson in expecting(7)]
    random.Random(1).shuffle(payloads)
    for payload in payloads:
        store(payload)
    assert (applier.apply_due(3), applier.apply_due(3), applier.apply_due(3)) == (3, 3, 1)
    assert seen == [payload["id"] for payload in payloads]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_mux_says_together_ends_as_if_it_came_one_by_one(mux_sim: MuxSim, seed: int) -> None:
    """Several events of one lesson in one batch, courses, replacements, failures and assets of others, in any order."""
    alone, together = (
        [make_lesson(), make_lesson(), make_course()],
        [make_lesson(), make_lesson(), make_course()],
    )
    said: dict[str, list[dict[str, Any]]] = {"alone": [], "together": []}
    for name, owners in (("alone", alone), ("together", together)):
        for place, owner in enumerate(owners):
            for _ in range(2 if place == 0 else 1):
                mux_sim.uploaded(owner)
                said[name] += mux_sim.waiting()
        mux_sim.upload(owners[1])
        said[name] += mux_sim.waiting()
    for payloads in said.values():
        random.Random(seed).shuffle(payloads)
    for payload in said["alone"]:
        give(payload)
    for payload in said["together"]:
        store(payload)
        store(payload)
    assert applier.drain() == len(said["together"])
    for one, other in zip(alone, together, strict=True):
        assert looks(mux_sim, one) == looks(mux_sim, other)
    assert left() == 0


def looks(mux_sim: MuxSim, owner: Any) -> dict[str, Any]:
    """What must be the same for two owners to which the same happened."""
    found = mux_sim.lesson(owner) if isinstance(owner, Lesson) else mux_sim.course(owner)
    columns = ("status", "video_processing_status", "playback_policy", "publish_on_ready", "video_error_type")
    return {
        "shown": {name: getattr(found, name, None) for name in columns},
        "plays": bool(found.mux_playback_id),
        "uploads": Counter((one.status, one.is_current) for one in mux_sim.uploads(owner)),
        "audit": Counter(mux_sim.actions(owner.id)),
        "notices": Counter(mux_sim.notices(owner.owner_id)),
    }


# an event that fails


def poisoned(monkeypatch: pytest.MonkeyPatch, bad: set[str]) -> None:
    real = handlers.apply_to

    def picky(target: Target | None, event: mux.Event) -> Any:
        if event.id in bad:
            raise RuntimeError("poison")
        return real(target, event)

    monkeypatch.setattr(handlers, "apply_to", picky)


@pytest.mark.parametrize("bad", [1, 2, 40], ids=["one", "two", "all"])
def test_events_that_fail_are_kept_and_delay_no_other(
    session: object, monkeypatch: pytest.MonkeyPatch, bad: int
) -> None:
    lessons = expecting(40)
    payloads = [ready(lesson) for lesson in lessons]
    chosen = random.Random(bad).sample(range(40), bad)
    poisoned(monkeypatch, {payloads[place]["id"] for place in chosen})
    for payload in payloads:
        store(payload)
    assert applier.apply_due() == 40
    published_once(
        [lesson for place, lesson in enumerate(lessons) if place not in chosen]
    ) if bad < 40 else None
    assert outcomes() == Counter(applied=40 - bad, failed=bad) + Counter()
    assert left() == 0
    failed = db.session.scalars(select(MuxEvent).where(MuxEvent.outcome == "failed")).all()
    assert {(one.attempts, one.error) for one in failed} == {(1, "RuntimeError: poison")}
    assert all(one.next_attempt_at is not None for one in failed)
    monkeypatch.undo()
    for event_id in [one.id for one in failed]:
        assert inbox.replay(event_id, actor=applier.WEBHOOK) == "applied"
    published_once(lessons)


def test_a_failure_while_the_batch_is_written_is_found_as_well(
    session: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then no event is known to be at fault: halves are tried until one stands alone."""
    lessons = expecting(9)
    for lesson in lessons:
        store(ready(lesson))
    real, bad = bulk_write.write, lessons[4].id

    def picky(at: Any) -> None:
        if any(isinstance(one, Lesson) and one.id == bad for one in at.dirty):
            raise ValueError("this row cannot be written")
        real(at)

    monkeypatch.setattr(bulk_write, "write", picky)
    applier.drain()
    assert outcomes() == {"applied": 8, "failed": 1}
    published_once([lesson for lesson in lessons if lesson.id != bad])


def test_a_body_that_cannot_be_read_is_kept_as_a_row_that_says_so(session: object) -> None:
    """The way in lets none through; a row written by hand may be one."""
    db.session.add(WaitingEvent(mux_event_id="odd", secret_hint="abcd", body=b"\xff nonsense"))
    db.session.commit()
    applier.drain()
    (row,) = db.session.scalars(select(MuxEvent))
    assert (row.mux_event_id, row.type, row.outcome) == ("odd", "unreadable", "failed")
    assert left() == 0


# locks


def test_a_lesson_that_is_locked_delays_its_own_events_and_no_other(session: object, pg_url: str) -> None:
    lessons = expecting(20)
    for lesson in lessons:
        store(ready(lesson))
    held = lessons[7]
    with connect(pg_url) as support, support.transaction():
        support.execute(f"SET LOCAL ROLE {SERVICE_ROLE}".encode())
        assert support.execute("SELECT 1 FROM lessons WHERE id = %s FOR UPDATE", [held.id]).fetchone()
        began = time.monotonic()
        assert applier.apply_due() == 20
        assert time.monotonic() - began < 4
        assert left() == 1
        published_once([lesson for lesson in lessons if lesson is not held])
    time.sleep(applier.PAUSE_SECONDS)
    applier.drain()
    published_once(lessons)


def test_a_lock_in_the_midst_of_the_work_delays_only_what_needs_it(
    session: object, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the lesson's: anything else that a rule waits for."""
    lessons = expecting(8)
    payloads = [ready(lesson) for lesson in lessons]
    for payload in payloads:
        store(payload)
    real = handlers.apply_to

    def waits(target: Target | None, event: mux.Event) -> Any:
        if event.id == payloads[3]["id"]:
            db.session.execute(text("SELECT pg_advisory_xact_lock(4711)"))
        return real(target, event)

    monkeypatch.setattr(handlers, "apply_to", waits)
    with connect(pg_url) as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(4711)")
        began = time.monotonic()
        assert applier.apply_due() == 8
        assert time.monotonic() - began < 4
    assert left() == 1
    assert outcomes() == {"applied": 7}
    time.sleep(applier.PAUSE_SECONDS)
    applier.drain()
    published_once(lessons)


def test_several_appliers_at_once_apply_each_event_once(app: Flask, session: object) -> None:
    lessons = expecting(60)
    for lesson in lessons:
        store(ready(lesson))

    def work() -> None:
        with app.app_context():
            while left():
                applier.apply_due(7)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    published_once(lessons)
    assert outcomes() == {"applied": 60}


def test_one_that_another_process_is_applying_is_waited_for(app: Flask, session: object) -> None:
    """So that a caller who answers afterwards tells the truth."""
    (lesson,) = expecting(1)
    row_id = store(ready(lesson))
    url = config.current().database_url
    with connect(url) as other, other.transaction():
        other.execute("DELETE FROM waiting_events WHERE id = %s", [row_id])
        began = time.monotonic()
        applier.apply_now(row_id)
        assert applier.LOCK_MILLISECONDS / 1000 <= time.monotonic() - began < 5
    applier.apply_now(row_id)
    assert outcomes() == {}


# who applies


def test_others_help_only_where_there_is_no_applier_or_it_does_not_keep_up(
    session: object, pg_url: str
) -> None:
    first, second = expecting(2)
    watch = applier.Watch(pg_url)
    assert not watch.look().needs_help
    with connect(pg_url) as working:
        working.execute("SELECT pg_advisory_lock(%s)", [applier.LOCK])
        store(ready(first))
        assert watch.look().applier_is_at_work
        assert applier.help_if_needed() == 0
        db.session.execute(
            text("UPDATE waiting_events SET received_at = received_at - make_interval(secs => :s)"),
            {"s": applier.STALE_SECONDS + 1},
        )
        db.session.commit()
        assert watch.look().needs_help
        assert applier.help_if_needed() == 1
    store(ready(second))
    assert not watch.look().applier_is_at_work
    assert applier.help_if_needed() == 1
    published_once([first, second])
    watch.close()


def test_a_few_large_bodies_fill_a_batch(session: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applier, "MAX_BATCH_BYTES", 1500)
    for number in range(3):
        store({"id": f"large-{number}", "type": "x", "data": {"text": "y" * 1000}})
    assert [applier.apply_due() for _ in range(4)] == [1, 1, 1, 0]
    assert len({uuid.UUID(str(one)) for one in db.session.scalars(select(MuxEvent.id))}) == 3
