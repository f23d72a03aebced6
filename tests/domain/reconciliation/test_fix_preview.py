"""What a fix would do, counted by kind: lessons and courses that it is about, and lessons that change before the students' eyes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lessonadmin.domain.models import Course, Difference, Lesson, ReconcileRun
from lessonadmin.domain.reconciliation import fix_preview
from lessonadmin.domain.reconciliation.fix_preview import Effect
from tests.factories import keep, make_course, make_lesson, make_playing_lesson

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def run() -> ReconcileRun:
    return keep(ReconcileRun(started_by="test", finished_at=datetime.now(UTC)))


def differs(run: ReconcileRun, kind: str, about: Lesson | Course | None, **columns: Any) -> None:
    target = {} if about is None else {"target_type": about.kind, "target_id": about.id}
    mux_id = about.mux_asset_id if about is not None else "nobody"
    keep(Difference(run_id=run.id, kind=kind, **{"mux_id": mux_id or "x", **target, **columns}))


def waiting(**columns: Any) -> Lesson:
    return make_lesson(video_processing_status="processing", mux_asset_id="coming", **columns)


def test_a_report_without_open_differences_has_no_effects(run: ReconcileRun) -> None:
    differs(run, "missing", make_playing_lesson(), mended_at=datetime.now(UTC))
    assert fix_preview.effects(run.id) == {}


@pytest.mark.parametrize("kind", ["missing", "stale"])
def test_published_lessons_that_lose_their_video_are_counted(run: ReconcileRun, kind: str) -> None:
    for _ in range(2):
        differs(run, kind, make_playing_lesson())
    differs(run, kind, make_playing_lesson(status="draft", published_at=None))
    differs(run, kind, make_playing_lesson(), mux_id="the one before")
    differs(run, kind, make_course())
    assert fix_preview.effects(run.id) == {kind: Effect(lessons=4, courses=1, unpublished=2)}


@pytest.mark.parametrize("kind", ["wrong_policy", "unknown_upload", "duplicate"])
def test_other_fixes_unpublish_nothing(run: ReconcileRun, kind: str) -> None:
    differs(run, kind, make_playing_lesson())
    assert fix_preview.effects(run.id) == {kind: Effect(lessons=1)}


def test_drafts_that_wait_for_their_video_may_be_published_by_its_state(run: ReconcileRun) -> None:
    differs(run, "stale", waiting(publish_on_ready=True))
    differs(run, "stale", waiting(publish_on_ready=False))
    differs(run, "missing", waiting(publish_on_ready=True))
    assert fix_preview.effects(run.id) == {
        "stale": Effect(lessons=2, published=1),
        "missing": Effect(lessons=1),
    }


def test_a_lesson_with_two_differences_is_one_lesson_and_another_runs_do_not_count(run: ReconcileRun) -> None:
    lesson = make_playing_lesson()
    differs(run, "missing", lesson)
    differs(run, "missing", lesson, mux_id="the one before")
    differs(run, "orphan", None)
    differs(keep(ReconcileRun(started_by="test")), "missing", make_playing_lesson())
    assert fix_preview.effects(run.id) == {"missing": Effect(lessons=1, unpublished=1), "orphan": Effect()}


def test_a_kind_that_was_fixed_a_moment_ago_has_no_effect(run: ReconcileRun) -> None:
    differs(run, "missing", make_playing_lesson(), mended_at=run.started_at)
    assert fix_preview.effects(run.id)["missing"] == Effect()
