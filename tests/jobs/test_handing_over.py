"""What the clock hands to the workers and what it does itself: uploads that are due are asked about once."""

import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from lessonadmin import config, queue
from lessonadmin.db import JOB, db
from lessonadmin.domain import heartbeats, mux_budget
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.polling import survey
from tests.domain.batches.support import in_threads
from tests.domain.polling.test_survey import many_processing
from tests.factories import make_lesson, make_tracking, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden
from tests.workers import work_off

NOTHING_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def a_worker(mux_sim: MuxSim, redis_url: str) -> None:
    """One was seen just now; the test works its jobs off."""
    heartbeats.record("worker:test:1")


def all_due() -> None:
    """As if nothing had been heard for an hour."""
    passed = text("interval '1 hour'")
    db.session.execute(
        update(Tracking)
        .where(Tracking.next_check_at.is_not(None))
        .values(next_check_at=Tracking.next_check_at - passed, created_at=Tracking.created_at - passed)
    )
    db.session.commit()


def clock() -> None:
    """One pass of the clock."""
    assert sweep.sweep(with_workers=True).failed == {}


def jobs() -> list[tuple[str, list[Any]]]:
    return [(job.func_name.rpartition(".")[2], list(job.args)) for job in queue.queue("urgent").jobs]


def gets(mux_sim: MuxSim) -> list[str]:
    return [call["operation"] for call in mux_sim.calls() if call["method"] == "GET"]


def lost(mux_sim: MuxSim, count: int) -> list[uuid.UUID]:
    ids = mux_sim.lost([make_lesson() for _ in range(count)])
    all_due()
    return ids


def published() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Lesson.status == "published")) or 0


def handed_over() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Tracking.handed_over_at.is_not(None))) or 0


def test_a_few_become_a_job_each(app: Flask, mux_sim: MuxSim) -> None:
    lost(mux_sim, 3)
    clock()
    rows = {str(one) for one in db.session.scalars(select(Tracking.id))}
    assert {(name, *args) for name, args in jobs()} == {("check_asset", one) for one in rows}
    assert (gets(mux_sim), handed_over()) == ([], 3)
    work_off(app)
    assert (published(), handed_over()) == (3, 0)
    assert len(gets(mux_sim)) == 6


def test_many_become_one_job_that_reads_pages(app: Flask, mux_sim: MuxSim) -> None:
    many_processing(mux_sim, 1000)
    clock()
    assert [name for name, _ in jobs()] == ["check_assets"]
    assert gets(mux_sim) == []
    work_off(app)
    assert (published(), handed_over()) == (1000, 0)
    assert set(gets(mux_sim)) == {"list_assets"}
    assert len(gets(mux_sim)) <= 12


def no_worker() -> None:
    db.session.execute(text("DELETE FROM heartbeats"))
    db.session.commit()


@pytest.mark.parametrize("count", [2, 7])
@pytest.mark.parametrize("away", ["Redis", "all workers"])
def test_without_a_worker_or_redis_the_clock_looks_itself(mux_sim: MuxSim, count: int, away: str) -> None:
    lost(mux_sim, count)
    if away == "all workers":
        no_worker()
    with overridden(redis_url=NOTHING_LISTENS if away == "Redis" else config.current().redis_url):
        clock()
    assert (published(), handed_over(), jobs()) == (count, 0, [])


@pytest.mark.parametrize("count", [2, 7])
def test_what_was_handed_over_in_vain_the_clock_looks_at_itself(
    app: Flask, mux_sim: MuxSim, redis_connection: Any, count: int
) -> None:
    lost(mux_sim, count)
    clock()
    late = list(queue.queue("urgent").jobs)
    clock()
    assert gets(mux_sim) == [], "the workers have their time"
    all_due()
    clock()
    assert (published(), handed_over()) == (count, 0)
    before = len(gets(mux_sim))
    assert late
    work_off(app)
    assert len(gets(mux_sim)) == before, "a job that comes late asks nothing"


def test_a_pass_by_hand_looks_itself(mux_sim: MuxSim) -> None:
    lost(mux_sim, 2)
    sweep.sweep()
    assert (published(), jobs()) == (2, [])


@pytest.mark.parametrize("count", [1, 7])
def test_who_was_heard_of_meanwhile_is_not_asked_about(app: Flask, mux_sim: MuxSim, count: int) -> None:
    for _ in range(count):
        mux_sim.uploaded(make_lesson())
    all_due()
    clock()
    assert handed_over() == count
    mux_sim.deliver()
    assert (published(), handed_over()) == (count, 0)
    work_off(app)
    assert gets(mux_sim) == []


def test_two_clocks_hand_over_once(app: Flask, mux_sim: MuxSim) -> None:
    lost(mux_sim, 3)
    in_threads(app, 4, lambda _: sweep.sweep(with_workers=True))
    in_threads(app, 4, lambda _: survey.hand_over_due(actor=JOB))
    assert len(jobs()) == 3
    work_off(app)
    assert len(gets(mux_sim)) == 6


def test_a_worker_that_hangs_leaves_the_row_to_the_clock(app: Flask, mux_sim: MuxSim) -> None:
    """It has taken the upload and never says what Mux said."""
    lost(mux_sim, 1)
    clock()
    (tracking_id,) = db.session.scalars(select(Tracking.id)).all()
    assert survey.claim(tracking_id)
    clock()
    assert published() == 0
    all_due()
    clock()
    assert published() == 1


def test_without_budget_a_job_leaves_the_row_to_the_next_pass(app: Flask, mux_sim: MuxSim) -> None:
    lost(mux_sim, 1)
    clock()
    while mux_budget.take():
        pass
    work_off(app)
    assert gets(mux_sim) == []
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.commit()
    all_due()
    clock()
    assert published() == 1


def test_what_was_due_first_comes_first_in_a_worker_too(app: Flask, mux_sim: MuxSim) -> None:
    """Uploads that Mux never heard of take a single look each, and a worker has not looks enough for all."""
    instructor = make_user()
    lessons = [make_lesson(creator=instructor) for _ in range(9)]
    for number, lesson in enumerate(lessons):
        due = text(f"now() - interval '{number + 1} minutes'")
        make_tracking(lesson, upload_id=f"unheard-of-{number}", next_check_at=db.session.scalar(select(due)))

    def asked() -> list[int]:
        return [number for number, one in enumerate(lessons) if mux_sim.uploads(one)[0].attempts > 0]

    clock()
    work_off(app)
    first = asked()
    assert 0 < len(first) < 9
    assert first == list(range(9 - len(first), 9))
    db.session.execute(text("DELETE FROM mux_budget"))
    db.session.commit()
    clock()
    work_off(app)
    assert asked() == list(range(9)), "the rest was due at once, not after another silence"


def test_a_dispute_is_asked_about_once_though_the_clock_passes_by(
    app: Flask, mux_sim: MuxSim, redis_connection: Any
) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.send_event("video.asset.errored", asset_id=mux_sim.lesson(lesson).mux_asset_id)
    mux_sim.deliver()
    clock()
    assert [name for name, _ in jobs()] == ["check_asset", "check_asset"]
    work_off(app)
    assert len(gets(mux_sim)) == 1
    assert (mux_sim.uploads(lesson)[0].next_check_at, handed_over()) == (None, 0)
