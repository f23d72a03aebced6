"""A reconciliation that is disturbed: Mux fails or changes its answer, the process dies, two run at once, old rows are nonsense."""

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from devstack.places import ROOT
from lessonadmin.db import CLI, db
from lessonadmin.domain.models import AssetDeletion, ReconcileRun, Tracking
from lessonadmin.domain.reconciliation import mux_inventory, reconcile
from lessonadmin.domain.reconciliation.differences import Found
from tests.factories import make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim


@pytest.fixture(autouse=True)
def plenty(enough_calls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget is proved elsewhere; these walks need not wait for it, nor between two tries."""
    monkeypatch.setattr(mux_inventory.time, "sleep", lambda seconds: None)


def reconciled(tell: object = None, *, delete_orphans: bool = False) -> reconcile.Report:
    report = reconcile.run(
        actor=CLI,
        started_by="test",
        fix=True,
        delete_orphans=delete_orphans,
        tell=tell or (lambda found: None),  # type: ignore[arg-type]
    )
    db.session.rollback()
    return report


def stale_lesson(mux_sim: MuxSim) -> str:
    """A lesson whose rows say that it is being processed, while Mux has it ready; its asset."""
    lesson = make_lesson()
    upload_id = mux_sim.uploaded(lesson)
    made = next(one for one in mux_sim.waiting() if one["type"] == "video.upload.asset_created")
    mux_sim.give(made)
    return str(mux_sim.control.upload(upload_id)["asset_id"])


def test_mux_fails_in_the_middle_of_the_pages_and_recovers(mux_sim: MuxSim) -> None:
    mux_sim.control.seed_assets(250, passthrough="somebody-else")
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, skip=1, times=2, status=503)
    report = reconciled()
    assert (report.assets, report.foreign, report.pages) == (250, 250, 4)


def test_mux_fails_in_the_middle_for_good_and_nothing_is_concluded(mux_sim: MuxSim) -> None:
    lessons = [make_playing_lesson() for _ in range(3)]  # Mux has none of them
    mux_sim.control.seed_assets(150, passthrough="somebody-else")
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, skip=1, status=500)
    with pytest.raises(mux_inventory.InventoryFailed):
        reconciled()
    assert {mux_sim.lesson(one).status for one in lessons} == {"published"}
    newest = db.session.scalars(select(ReconcileRun)).one()
    assert newest.error is not None
    assert newest.summary["found"] == {}


def test_an_asset_that_vanishes_between_plan_and_run(mux_sim: MuxSim) -> None:
    asset_id = stale_lesson(mux_sim)

    def vanish(found: Found) -> None:
        assert found.kind == "stale"
        mux_sim.control.delete_asset_in_dashboard(asset_id)

    assert reconciled(vanish).fixed == {"stale": 1}
    row = db.session.scalars(select(Tracking)).one()
    assert (row.status, row.error_type) == ("deleted", "deleted_at_mux")
    assert reconciled().found == {}


def test_mux_changes_its_mind_between_plan_and_run(mux_sim: MuxSim) -> None:
    """The plan says ready; when it is carried out the asset has failed, and that is what counts."""
    asset_id = stale_lesson(mux_sim)
    assert reconciled(lambda found: mux_sim.control.error_asset(asset_id)).fixed == {"stale": 1}
    row = db.session.scalars(select(Tracking)).one()
    assert (row.status, row.error_type) == ("error", "asset_errored")


def test_an_orphan_that_is_used_by_the_time_of_the_run_is_not_deleted(mux_sim: MuxSim) -> None:
    owner = make_lesson()
    (asset_id,) = mux_sim.control.seed_assets(
        1, passthrough=f'{{"lesson_id":"{owner.id}","app":"lessonadmin"}}', created_at=0
    )

    def adopt(found: Found) -> None:
        make_lesson(mux_asset_id=found.mux_id, video_processing_status="processing")

    report = reconciled(adopt, delete_orphans=True)
    assert (report.found, report.fixed) == ({"orphan": 1}, {})
    assert db.session.scalar(select(func.count(AssetDeletion.id))) == 0
    assert mux_sim.control.asset(asset_id)["status"] == "ready"


def test_one_that_cannot_be_mended_stands_in_the_way_of_none(mux_sim: MuxSim) -> None:
    for _ in range(3):
        stale_lesson(mux_sim)
    mux_sim.control.fault("api", "status", match={"operation": "get_asset"}, times=1, status=500)
    report = reconciled()
    assert (report.failed, report.fixed) == ({"stale": 1}, {"stale": 2})
    assert reconciled().fixed == {"stale": 1}


def test_nonsense_in_old_rows(mux_sim: MuxSim) -> None:
    (asset_id,) = mux_sim.control.seed_assets(1)
    playback_id = mux_sim.control.asset(asset_id)["playback_ids"][0]["id"]
    ready = {"video_processing_status": "ready", "status": "published", "mux_playback_id": playback_id}
    empty = [make_lesson(mux_asset_id=one, **ready) for one in ("", "   ", "temp_x", None)]
    twice = [make_lesson(mux_asset_id=asset_id, **ready) for _ in range(2)]
    odd = [make_lesson(mux_asset_id=one, **ready) for one in ("an id with spaces", "../x", "x" * 3000)]
    told: list[Found] = []
    report = reconciled(told.append)
    assert Counter(one.kind for one in told) == {"missing": 3}
    assert report.fixed == {"missing": 3}
    assert {mux_sim.lesson(one).status for one in (*empty, *twice)} == {"published"}
    assert {mux_sim.lesson(one).video_error_type for one in odd} == {"deleted_at_mux"}
    assert reconciled().found == {}


def command(settings: dict[str, str], mux_sim: MuxSim) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "reconcile"],
        cwd=ROOT,
        env={**os.environ, **settings, "MUX_API_URL": mux_sim.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_killed_half_way_the_next_run_does_it_all_and_two_at_once_are_one(
    mux_sim: MuxSim, settings_environment: dict[str, str]
) -> None:
    stale_lesson(mux_sim)
    mux_sim.control.seed_assets(150, passthrough="somebody-else")
    mux_sim.control.fault("api", "hang", match={"operation": "list_assets"}, skip=1, times=1, seconds=8)
    process = command(settings_environment, mux_sim)
    mux_sim.control.wait_for(lambda: _walking(), timeout=20)
    with pytest.raises(reconcile.AlreadyRunning):
        reconciled()
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    mux_sim.control.clear_faults()
    assert reconcile.last_report() is None  # half a reconciliation is no report
    mux_sim.control.wait_for(lambda: not _walking(), timeout=20)
    assert reconciled().fixed == {"stale": 1}
    assert reconciled().found == {}


def _walking() -> bool:
    """Is the lock of the reconciliation held, with a run begun?"""
    held = db.session.scalar(
        text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key AND granted"),
        {"key": reconcile.LOCK},
    )
    begun = db.session.scalar(select(func.count(ReconcileRun.id)))
    db.session.rollback()
    return bool(held and begun)


def school_of_yesterday() -> None:
    """Something that is old enough to be compared."""
    make_tracking(make_lesson(), status="cancelled")
    db.session.execute(update(Tracking).values(created_at=text("created_at - interval '2 days'")))
    db.session.commit()


def test_a_clock_that_was_off_for_a_day_walks_when_it_is_back(mux_sim: MuxSim, app: Flask) -> None:
    school_of_yesterday()
    assert reconcile.is_due()
    reconciled()
    assert not reconcile.is_due()
    db.session.execute(update(ReconcileRun).values(started_at=text("started_at - interval '2 days'")))
    db.session.commit()
    assert reconcile.is_due()


def test_a_walk_that_failed_or_died_is_tried_again_within_the_night(mux_sim: MuxSim) -> None:
    school_of_yesterday()
    for changed, due in (
        ("error = 'Mux was away', started_at = now() - interval '10 minutes'", False),
        ("error = 'Mux was away', started_at = now() - interval '70 minutes'", True),
        ("error = NULL, finished_at = NULL, started_at = now() - interval '70 minutes'", True),
        ("error = NULL, finished_at = now(), started_at = now() - interval '70 minutes'", False),
    ):
        if db.session.scalar(select(func.count(ReconcileRun.id))) == 0:
            reconciled()
        db.session.execute(text(f"UPDATE reconcile_runs SET {changed}"))  # noqa: S608  # the texts above
        db.session.commit()
        assert reconcile.is_due() is due, changed
