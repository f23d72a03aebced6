"""Bulk work that asks Mux reads pages first: what that costs, that it concludes nothing too much, and when it stops."""

import uuid
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import mux_budget
from lessonadmin.domain.batches import batches, prefetch, registry, runner
from lessonadmin.domain.models import Lesson, MuxBudget, Tracking
from lessonadmin.domain.polling import ask_mux
from tests.factories import make_course, make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim

RECHECK = registry.find("lesson", "recheck")
REPUBLISH = registry.find("lesson", "republish")


@pytest.fixture(autouse=True)
def only_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine would fill it while a test runs."""
    monkeypatch.setattr(mux_budget, "PER_SECOND", 0.0)


@pytest.fixture
def staff(session: Session) -> Actor:
    return Actor.user(make_user(role="support").id, reason="ticket 1")


def run(action: registry.Action, ids: Sequence[uuid.UUID], staff: Actor, seconds: float = 20) -> uuid.UUID:
    with transaction(staff):
        batch_id = batches.create(action, list(ids)).id
    runner.run_some(batch_id, seconds=seconds)
    return batch_id


def gets(mux_sim: MuxSim) -> list[str]:
    return [call["operation"] for call in mux_sim.calls() if call["method"] == "GET"]


def states(ids: Sequence[uuid.UUID]) -> list[str]:
    return list(db.session.scalars(select(Lesson.status).where(Lesson.id.in_(ids))))


@pytest.mark.parametrize("action", [RECHECK, REPUBLISH], ids=["recheck", "republish"])
def test_a_page_answers_for_all_its_rows(mux_sim: MuxSim, staff: Actor, action: registry.Action) -> None:
    ids = mux_sim.lost([make_lesson() for _ in range(25)])
    batch_id = run(action, ids, staff)
    assert gets(mux_sim) == ["list_assets"]
    assert {call["token_id"] for call in mux_sim.calls() if call["method"] == "GET"} == {"worker-token"}
    assert states(ids) == ["published"] * 25
    shown = batches.progress(batch_id)
    assert (shown.done, shown.failed, shown.status) == (25, 0, "done")
    assert mux_budget.left()[0] == mux_budget.CAPACITY - 1


def test_uploads_and_courses_too(mux_sim: MuxSim, staff: Actor) -> None:
    courses = [make_course() for _ in range(7)]
    for course in courses:
        mux_sim.uploaded(course)
    lessons = mux_sim.lost([make_lesson() for _ in range(7)])
    run(registry.find("course", "recheck"), [one.id for one in courses], staff)
    rows = db.session.scalars(select(Tracking.id).where(Tracking.lesson_id.in_(lessons))).all()
    run(registry.find("tracking", "recheck"), rows, staff)
    assert gets(mux_sim) == ["list_assets"] * 2
    assert [mux_sim.course(one).video_processing_status for one in courses] == ["ready"] * 7
    assert states(lessons) == ["published"] * 7


def test_a_few_are_asked_about_singly(mux_sim: MuxSim, staff: Actor) -> None:
    ids = mux_sim.lost([make_lesson() for _ in range(prefetch.FEW)])
    run(RECHECK, ids, staff)
    assert "list_assets" not in gets(mux_sim)
    assert states(ids) == ["published"] * prefetch.FEW


def test_what_no_page_shows_is_asked_about_by_itself(mux_sim: MuxSim, staff: Actor) -> None:
    """A video that is gone, and one whose bytes have not come: neither is concluded from a page."""
    ids = mux_sim.lost([make_lesson() for _ in range(8)])
    gone = make_playing_lesson(mux_asset_id="A" * 20)
    waiting = make_lesson()
    mux_sim.upload(waiting)
    batch_id = run(RECHECK, [gone.id, waiting.id, *ids], staff)
    assert sorted(gets(mux_sim)) == ["get_asset", "get_upload", "list_assets"]
    assert batches.progress(batch_id).done == 10
    assert mux_sim.lesson(gone).mux_asset_id is None
    assert mux_sim.lesson(waiting).video_processing_status == "uploading"
    assert states(ids) == ["published"] * 8


def test_what_pages_answer_does_not_wait_for_the_budget(
    mux_sim: MuxSim, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mux_budget, "PER_SECOND", 0.0)  # a slow machine would fill the bucket while this runs
    ids = mux_sim.lost([make_lesson() for _ in range(8)])
    unknown = [make_playing_lesson(mux_asset_id=f"{n}" * 20).id for n in range(3)]
    assert mux_budget.take(int(mux_budget.CAPACITY) - 1)
    run(RECHECK, [*unknown, *ids], staff, seconds=3)
    assert gets(mux_sim) == ["list_assets"]
    assert states(ids) == ["published"] * 8
    assert states(unknown) == ["published"] * 3, "nobody was asked, nothing is concluded"


def test_videos_deep_in_a_large_library_cost_little_more(mux_sim: MuxSim, staff: Actor) -> None:
    old = [f"old{n:017}" for n in range(10)]
    for asset_id in old:
        mux_sim.control.seed_assets(id=asset_id, age_seconds=9_000_000)
    ids = [make_lesson(mux_asset_id=one, video_processing_status="processing", created_at="2020-01-01T00:00Z").id
           for one in old]  # fmt: skip
    mux_sim.control.seed_assets(1000, age_seconds=100)
    run(RECHECK, ids, staff)
    assert gets(mux_sim) == ["list_assets"] * prefetch.MAY_BE_IN_VAIN + ["get_asset"] * 10


def test_pages_older_than_the_oldest_are_not_read(mux_sim: MuxSim, staff: Actor) -> None:
    ids = [make_lesson(mux_asset_id=f"{n}" * 20, video_processing_status="processing").id for n in range(8)]
    mux_sim.control.seed_assets(300, age_seconds=9_000_000)
    run(RECHECK, ids, staff)
    assert gets(mux_sim).count("list_assets") == 1


def test_old_pages_are_read_anew(mux_sim: MuxSim, staff: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_mux, "FRESH_SECONDS", 0.0)
    ids = mux_sim.lost([make_lesson() for _ in range(9)])
    run(RECHECK, ids, staff)
    assert states(ids) == ["published"] * 9
    assert gets(mux_sim).count("list_assets") == 9 - prefetch.FEW


def test_a_deletion_that_was_told_meanwhile_stands(
    mux_sim: MuxSim, staff: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was read, then the video was deleted and a webhook told it: the page's word is old."""
    lessons = [make_lesson() for _ in range(8)]
    for lesson in lessons:
        mux_sim.uploaded(lesson)
    mux_sim.deliver()
    first = lessons[0]
    asset_id = mux_sim.lesson(first).mux_asset_id
    assert asset_id
    read = prefetch.about

    def and_then_it_is_deleted(*given: object) -> object:
        found = read(*given)  # type: ignore[arg-type]
        mux_sim.control.delete_asset_in_dashboard(asset_id)
        mux_sim.deliver()
        return found

    monkeypatch.setattr(prefetch, "about", and_then_it_is_deleted)
    run(REPUBLISH, [one.id for one in lessons], staff)
    assert mux_sim.lesson(first).status == "draft"
    assert mux_sim.lesson(first).mux_playback_id is None
    assert states([one.id for one in lessons[1:]]) == ["published"] * 7


def test_a_list_that_mux_does_not_give_is_done_without(mux_sim: MuxSim, staff: Actor) -> None:
    ids = mux_sim.lost([make_lesson() for _ in range(6)])
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, status=500)
    run(RECHECK, ids, staff)
    assert states(ids) == ["published"] * 6
    assert gets(mux_sim)[1:] == ["get_upload", "get_asset"] * 6


def test_an_unanswered_list_spends_nothing_during_a_pause(mux_sim: MuxSim, staff: Actor) -> None:
    ids = mux_sim.lost([make_lesson() for _ in range(6)])
    mux_budget.take(0)
    db.session.execute(
        update(MuxBudget).values(paused_until=func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 1))
    )
    db.session.commit()
    run(RECHECK, ids, staff, seconds=1)
    assert gets(mux_sim) == []
    assert states(ids) == ["draft"] * 6
