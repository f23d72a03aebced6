"""One difference is fixed by what Mux says now; nothing is deleted here, and what is done already is not done twice."""

import uuid

import pytest
from sqlalchemy import select

from lessonadmin import mux
from lessonadmin.db import CLI, db
from lessonadmin.domain.models import (
    AssetDeletion,
    Course,
    Difference,
    Lesson,
    ReconcileRun,
    UploadCancellation,
)
from lessonadmin.domain.models.reconciliation import DIFFERENCE_KINDS
from lessonadmin.domain.reconciliation import fixes
from tests.factories import keep, make_course, make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim


def difference(kind: str, mux_id: str, owner: Lesson | Course | None = None, **columns: object) -> Difference:
    run = keep(ReconcileRun())
    if owner is not None:
        target = "lesson" if isinstance(owner, Lesson) else "course"
        columns = {"target_type": target, "target_id": owner.id, **columns}
    return keep(Difference(run_id=run.id, kind=kind, mux_id=mux_id, **columns))


def is_marked(finding: Difference) -> bool:
    db.session.rollback()
    return db.session.get_one(Difference, finding.id, populate_existing=True).mended_at is not None


def fix(finding: Difference) -> bool:
    """Fix it; a difference is marked exactly when something was done."""
    done = fixes.fix(finding, actor=CLI)
    assert is_marked(finding) is done
    return done


def processing_lesson(mux_sim: MuxSim) -> tuple[Lesson, str]:
    """A lesson that is ready at Mux and being processed by the database; its asset."""
    lesson = make_lesson()
    upload_id = mux_sim.uploaded(lesson)
    mux_sim.give(next(one for one in mux_sim.waiting() if one["type"] == "video.upload.asset_created"))
    return lesson, str(mux_sim.control.upload(upload_id)["asset_id"])


def test_every_kind_has_its_fix() -> None:
    assert set(fixes.FIXES) == set(DIFFERENCE_KINDS)


def test_a_video_that_mux_deleted_is_taken_off_once(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    asset_id = str(mux_sim.lesson(lesson).mux_asset_id)
    mux_sim.control.delete_asset_in_dashboard(asset_id)
    mux_sim.forget()
    assert fix(difference("missing", asset_id, lesson))
    assert mux_sim.lesson(lesson).video_error_type == "deleted_at_mux"
    assert not fix(difference("missing", asset_id, lesson))


def test_a_missing_video_that_is_there_after_all_plays_on(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert not fix(difference("missing", str(mux_sim.lesson(lesson).mux_asset_id), lesson))
    assert mux_sim.lesson(lesson).status == "published"


def test_a_stale_video_becomes_what_mux_says(mux_sim: MuxSim) -> None:
    lesson, asset_id = processing_lesson(mux_sim)
    assert fix(difference("stale", asset_id, lesson))
    assert mux_sim.lesson(lesson).status == "published"


def test_an_id_that_is_none_of_muxs_is_missing_too(mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson()
    assert fix(difference("missing", str(lesson.mux_asset_id), lesson))
    assert mux_sim.lesson(lesson).video_error_type == "deleted_at_mux"


def test_a_mux_that_gives_no_answer_fixes_nothing(mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson()
    finding = difference("missing", str(lesson.mux_asset_id), lesson)
    mux_sim.control.fault("api", "status", status=401)
    with pytest.raises(mux.Refused):
        fixes.fix(finding, actor=CLI)
    assert mux_sim.lesson(lesson).status == "published"
    assert not is_marked(finding)


@pytest.mark.parametrize("kind", ["missing", "stale"])
def test_without_a_lesson_or_course_there_is_nothing_to_look_at(mux_sim: MuxSim, kind: str) -> None:
    assert not fix(difference(kind, "a"))
    assert not fix(difference(kind, "a", target_type="user", target_id=uuid.uuid4()))
    assert mux_sim.calls() == []


def test_a_video_that_was_replaced_or_whose_lesson_is_gone_needs_nothing(mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson()
    assert not fix(difference("missing", "another-asset", lesson))
    assert not fix(difference("missing", "a", target_type="lesson", target_id=uuid.uuid4()))
    assert mux_sim.lesson(lesson).status == "published"


def deletions() -> list[tuple[str, str, uuid.UUID | None]]:
    rows = db.session.execute(
        select(AssetDeletion.mux_asset_id, AssetDeletion.reason, AssetDeletion.target_id)
    )
    return [(asset_id, reason, target_id) for asset_id, reason, target_id in rows]


@pytest.mark.parametrize("kind", ["orphan", "duplicate"])
def test_an_asset_that_is_not_used_is_given_to_a_worker_to_delete(mux_sim: MuxSim, kind: str) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1)
    lesson = make_lesson()
    assert fix(difference(kind, asset_id, lesson))
    assert deletions() == [(asset_id, f"reconcile: {kind}", lesson.id)]
    assert mux_sim.calls("delete_asset") == []
    assert fix(difference(kind, asset_id, lesson))
    assert len(deletions()) == 1, "it is put down once"


@pytest.mark.parametrize("kind", ["orphan", "duplicate"])
def test_an_asset_that_is_used_by_now_is_not_deleted(mux_sim: MuxSim, kind: str) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1)
    make_course(mux_asset_id=asset_id, video_processing_status="processing")
    assert not fix(difference(kind, asset_id))
    assert deletions() == []


def test_an_unknown_upload_is_given_to_a_worker_to_cancel(mux_sim: MuxSim) -> None:
    course = make_course()
    assert not fix(difference("unknown_upload", "u1")), "it is of no lesson or course"
    assert fix(difference("unknown_upload", "u1", course))
    rows = db.session.execute(select(UploadCancellation.upload_id, UploadCancellation.target_id)).all()
    assert [(row.upload_id, row.target_id) for row in rows] == [("u1", course.id)]
    assert mux_sim.calls() == []


def test_an_upload_that_was_withdrawn_before_its_asset_came_is_found_by_its_upload(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    (asset_id,) = mux_sim.control.seed_each([{"upload_id": "u" * 20}])
    row = make_tracking(lesson, upload_id="u" * 20, status="cancelled", error_type="right_lost")
    assert fix(difference("stale", asset_id, lesson))
    (row,) = mux_sim.uploads(lesson)
    assert (row.status, row.error_type, row.mux_asset_id) == ("cancelled", "held", asset_id)
