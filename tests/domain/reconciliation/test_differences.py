"""Each kind of difference is found and fixed, a second run finds nothing; without differences nothing is found."""

import uuid
from collections import Counter

from sqlalchemy import select, update

from lessonadmin.db import db
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Difference, Tracking
from tests.domain.reconciliation.support import kinds, reconciled
from tests.factories import make_lesson, make_playing_lesson
from tests.mux_sim import MuxSim


def test_a_healthy_school_has_no_drift(mux_sim: MuxSim) -> None:
    for _ in range(3):
        mux_sim.uploaded(make_lesson(price_cents=900))
    mux_sim.deliver()
    report, told = reconciled()
    assert told == []
    assert (report.assets, report.foreign) == (3, 0)


def test_every_kind_is_found_and_mended(mux_sim: MuxSim) -> None:
    gone = make_playing_lesson()
    stale = make_lesson()
    mux_sim.uploaded(stale)
    unheard = mux_sim.waiting()
    mux_sim.give(next(one for one in unheard if one["type"] == "video.upload.asset_created"))
    played = make_lesson()
    mux_sim.uploaded(played)
    mux_sim.deliver()
    note = f'{{"lesson_id":"{played.id}","app":"lessonadmin"}}'
    unknown = f'{{"lesson_id":"{uuid.uuid4()}","app":"lessonadmin"}}'
    mux_sim.control.seed_assets(1, passthrough=note, created_at=0)
    mux_sim.control.seed_assets(1, passthrough=unknown, created_at=0)
    mux_sim.control.seed_assets(2, passthrough="somebody-else", created_at=0)
    mux_sim.control.seed_assets(1, passthrough=unknown)
    lost = make_lesson()
    lost_upload = mux_sim.upload(lost).upload_id
    db.session.execute(
        update(Tracking).where(Tracking.upload_id == lost_upload).values(upload_id="elsewhere")
    )
    db.session.commit()
    mux_sim.forget()

    report, told = reconciled(fix=False)
    assert kinds(told) == {"missing": 1, "stale": 1, "duplicate": 1, "orphan": 1, "unknown_upload": 1}
    assert (report.young_orphans, report.foreign) == (1, 2)

    report, told = reconciled(fix=True, delete_orphans=True)
    assert report.fixed == Counter(kinds(told))
    sweep.sweep()
    assert mux_sim.lesson(stale).status == "published"
    assert mux_sim.lesson(gone).video_error_type == "deleted_at_mux"
    assert mux_sim.control.upload(lost_upload)["status"] == "cancelled"

    _, told = reconciled()
    assert told == []


def test_wrong_policy_is_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson(price_cents=500)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(update(Tracking).values(mux_playback_id="not-the-one-at-mux"))
    db.session.commit()
    _, told = reconciled(fix=False)
    assert kinds(told) == {"wrong_policy": 1}
    assert db.session.scalars(select(Difference.kind)).all() == ["wrong_policy"]
