"""Each kind of difference is found, fixed where that is safe, and a second reconciliation finds nothing."""

import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, update

from lessonadmin import mux
from lessonadmin.db import CLI, db
from lessonadmin.domain import mux_budget
from lessonadmin.domain.maintenance import sweep
from lessonadmin.domain.models import Difference, Lesson, Tracking
from lessonadmin.domain.reconciliation import fixes, playback_policy, reconcile
from lessonadmin.domain.reconciliation.differences import Found
from lessonadmin.mux import transport
from tests.factories import make_lesson, make_playing_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.fixture(autouse=True)
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    """How the budget holds background work back is proved elsewhere."""
    monkeypatch.setattr(mux_budget, "CAPACITY", 10_000.0)


def reconciled(*, fix: bool = True, delete_orphans: bool = False) -> tuple[reconcile.Report, list[Found]]:
    told: list[Found] = []
    report = reconcile.run(
        actor=CLI, started_by="test", fix=fix, delete_orphans=delete_orphans, tell=told.append
    )
    db.session.rollback()
    return report, told


def kinds(told: list[Found]) -> Counter[str]:
    return Counter(found.kind for found in told)


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
    nobody = f'{{"lesson_id":"{uuid.uuid4()}","app":"lessonadmin"}}'
    mux_sim.control.seed_assets(1, passthrough=note, created_at=0)
    mux_sim.control.seed_assets(1, passthrough=nobody, created_at=0)
    mux_sim.control.seed_assets(2, passthrough="somebody-else", created_at=0)
    mux_sim.control.seed_assets(1, passthrough=nobody)
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


@pytest.fixture
def pause(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Mux wants no calls for longer than work waits."""

    def begin() -> None:
        monkeypatch.setattr(mux_budget, "MAX_WAIT_SECONDS", 0.0)
        mux_budget.take()
        mux_budget.went_wrong(mux.Later("Too many.", category="rate_limit", status=429, retry_after=900))

    return begin


def test_mux_is_not_asked_in_its_pause_and_the_rest_is_left_for_the_next_run(
    mux_sim: MuxSim, app: Flask, pause: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = [make_playing_lesson() for _ in range(3)]
    report, told = reconciled(fix=False)
    assert kinds(told) == {"missing": 3}
    once = fixes.fix
    asked = []

    def then_pause(finding: Difference, **more: Any) -> bool:
        if asked:
            pause()
        asked.append(finding)
        return once(finding, **more)

    monkeypatch.setattr(fixes, "fix", then_pause)
    calls = len(mux_sim.calls())
    report = reconcile.fix_kind(report.run_id, "missing", actor=CLI)
    assert (sum(report.fixed.values()), report.left, len(asked)) == (1, 2, 2)
    assert len(mux_sim.calls()) == calls + 1
    assert [mux_sim.lesson(lesson).video_error_type for lesson in lessons].count("deleted_at_mux") == 1


def test_the_command_says_what_a_pause_left_over(
    mux_sim: MuxSim, app: Flask, pause: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_playing_lesson()
    keep = reconcile._keep

    def kept(*given: Any) -> None:
        keep(*given)
        pause()

    monkeypatch.setattr(reconcile, "_keep", kept)
    result = app.test_cli_runner().invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert f"left for the next run, since {mux_budget.CLOSED}: 1" in result.output
    assert "mended: 0" in result.output


def test_no_playback_id_is_looked_up_in_a_pause(mux_sim: MuxSim, pause: Callable[[], None]) -> None:
    lesson = make_playing_lesson(price_cents=500)
    pause()
    with pytest.raises(mux_budget.Closed):
        playback_policy.fix(str(lesson.mux_asset_id), actor=CLI)
    assert mux_sim.calls() == []


def test_wrong_policy_is_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson(price_cents=500)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(update(Tracking).values(mux_playback_id="not-the-one-at-mux"))
    db.session.commit()
    _, told = reconciled(fix=False)
    assert kinds(told) == {"wrong_policy": 1}
    assert db.session.scalars(select(Difference.kind)).all() == ["wrong_policy"]


def test_a_broken_walk_concludes_nothing(mux_sim: MuxSim, app: Flask) -> None:
    lesson = make_playing_lesson()
    mux_sim.control.fault("api", "status", match={"operation": "list_assets"}, status=401)
    result = app.test_cli_runner().invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert "nothing was changed" in result.output
    assert mux_sim.lesson(lesson).status == "published"


def test_the_command_prints_a_line_a_finding(mux_sim: MuxSim, app: Flask) -> None:
    lesson = make_playing_lesson()
    result = app.test_cli_runner().invoke(args=["reconcile", "--dry-run"])
    assert result.exit_code == 0
    assert (
        f"missing {lesson.mux_asset_id} lesson:{lesson.id} we say ready, Mux does not have it"
        in result.output
    )
    assert mux_sim.lesson(lesson).status == "published"


def test_a_token_of_another_environment_clears_nothing(mux_sim: MuxSim, app: Flask) -> None:
    playing = [make_playing_lesson() for _ in range(25)]
    result = app.test_cli_runner().invoke(args=["reconcile"])
    assert result.exit_code == 1
    assert "another Mux environment" in result.output
    assert {mux_sim.lesson(lesson).status for lesson in playing} == {"published"}


# a wrong policy

KEYS = {"mux_signing_key_id": "key", "mux_signing_private_key": "anything"}


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


def test_the_command_waits_for_another_walk(
    mux_sim: MuxSim, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reconciled() -> Result:
        return app.test_cli_runner().invoke(args=["reconcile", "--dry-run"])

    def ends(_seconds: float) -> None:
        others.close()

    others = ExitStack()
    others.enter_context(reconcile.exclusive())
    monkeypatch.setattr("lessonadmin.cli.reconcile.time.sleep", ends)
    done = reconciled()
    assert done.exit_code == 0, done.output
    assert done.stderr == "Another reconcile is at work; waiting for its end.\n"
    assert "found: 0" in done.stdout
    monkeypatch.setattr("lessonadmin.cli.reconcile.TIMEOUT_SECONDS", -1.0)
    with reconcile.exclusive():
        refused = reconciled()
    assert refused.exit_code == 1
    assert "Another reconcile is still at work" in refused.stderr
