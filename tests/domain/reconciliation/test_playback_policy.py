"""A video that plays gets the playback id that fits its price, once, and a public one is closed."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from lessonadmin.db import CLI, db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.reconciliation import playback_policy
from lessonadmin.mux import transport
from tests.domain.reconciliation.support import kinds, reconciled
from tests.factories import make_lesson, make_playing_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden

KEYS = {"mux_signing_key_id": "key", "mux_signing_private_key": "anything"}


def test_no_playback_id_is_looked_up_in_a_pause(mux_sim: MuxSim, pause: Callable[[], None]) -> None:
    lesson = make_playing_lesson(price_cents=500)
    pause()
    with pytest.raises(mux_budget.Closed):
        playback_policy.fix(str(lesson.mux_asset_id), actor=CLI)
    assert mux_sim.calls() == []


def public_and_paid(mux_sim: MuxSim) -> tuple[Lesson, str]:
    """A lesson that plays by a public id and costs something by now; its asset."""
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(update(Lesson).where(Lesson.id == lesson.id).values(price_cents=900))
    db.session.commit()
    return lesson, str(mux_sim.lesson(lesson).mux_asset_id)


def policies(mux_sim: MuxSim, asset_id: str) -> list[str]:
    return [one["policy"] for one in mux_sim.control.asset(asset_id)["playback_ids"]]


def test_a_public_id_of_a_paid_lesson_is_replaced_by_a_signed_one(mux_sim: MuxSim) -> None:
    lesson, asset_id = public_and_paid(mux_sim)
    assert reconciled()[1] == []  # without keys a public id is how things are
    with overridden(**KEYS):
        report, told = reconciled()
        assert (kinds(told), report.fixed) == ({"wrong_policy": 1}, {"wrong_policy": 1})
        now = mux_sim.lesson(lesson)
        assert (now.status, now.playback_policy, now.video_processing_status) == (
            "published",
            "signed",
            "ready",
        )
        assert [one["id"] for one in mux_sim.control.asset(asset_id)["playback_ids"]] == [now.mux_playback_id]
        assert {"video.playback_changed", "video.playback_closed"} <= set(mux_sim.actions(lesson.id))
        assert reconciled()[1] == []
    assert len(mux_sim.calls("create_playback_id")) == 1


def test_a_signed_id_that_is_there_already_is_taken_over_and_not_made_again(mux_sim: MuxSim) -> None:
    lesson, asset_id = public_and_paid(mux_sim)
    mux_sim.control.fault(
        "api", "hang", match={"operation": "create_playback_id"}, times=1, seconds=1, after=True
    )
    with overridden(**KEYS), pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "LIMITS", transport.Limits(connect=0.5, read=0.3, whole=0.5))
        report, _ = reconciled()
        assert report.failed == {"wrong_policy": 1}  # the answer was lost, the id was made
        assert mux_sim.lesson(lesson).playback_policy == "public"
        mux_sim.control.clear_faults()
        report, _ = reconciled()
    assert report.fixed == {"wrong_policy": 1}
    assert policies(mux_sim, asset_id) == ["signed"]


def test_a_public_id_that_could_not_be_closed_is_closed_by_the_next_walk(mux_sim: MuxSim) -> None:
    lesson, asset_id = public_and_paid(mux_sim)
    mux_sim.control.fault("api", "status", match={"operation": "delete_playback_id"}, status=500, times=1)
    with overridden(**KEYS):
        assert reconciled()[0].failed == {"wrong_policy": 1}
        assert mux_sim.lesson(lesson).playback_policy == "signed"
        assert sorted(policies(mux_sim, asset_id)) == ["public", "signed"]
        assert reconciled()[0].fixed == {"wrong_policy": 1}
        assert reconciled()[1] == []
    assert policies(mux_sim, asset_id) == ["signed"]


def test_two_lessons_of_one_asset_change_together(mux_sim: MuxSim) -> None:
    paid, asset_id = public_and_paid(mux_sim)
    playback_id = mux_sim.lesson(paid).mux_playback_id
    free = make_lesson(
        mux_asset_id=asset_id, mux_playback_id=playback_id, playback_policy="public", status="published",
        video_processing_status="ready",
    )  # fmt: skip
    with overridden(**KEYS):
        reconciled()
        assert reconciled()[1] == []
    assert {mux_sim.lesson(one).playback_policy for one in (paid, free)} == {"signed"}
    assert policies(mux_sim, asset_id) == ["signed"]


def test_a_playback_id_that_mux_does_not_have_is_replaced_by_one_that_it_has(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    true = mux_sim.lesson(lesson).mux_playback_id
    db.session.execute(update(Tracking).values(mux_playback_id="not-the-one-at-mux"))
    db.session.commit()
    assert reconciled()[0].fixed == {"wrong_policy": 1}
    assert mux_sim.lesson(lesson).mux_playback_id == true
    assert reconciled()[1] == []
