"""In which order causes come: first what explains the state, before it only what keeps all work from being done."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.diagnosis import diagnose, outages, signals
from lessonadmin.domain.models import Lesson, MuxEvent
from lessonadmin.domain.polling import ask_mux
from lessonadmin.mux import MuxError
from tests.domain.diagnosis.support import assert_says, by_record, causes, fresh, press
from tests.factories import make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.mark.parametrize(("prefix", "cause"), [("worker:", "no_workers"), ("clock", "no_clock")])
def test_without_a_worker_or_the_clock_that_is_the_cause(uploading: Lesson, prefix: str, cause: str) -> None:
    db.session.execute(
        text("UPDATE heartbeats SET at = now() - interval '5 minutes' WHERE starts_with(name, :prefix)"),
        {"prefix": prefix},
    )
    db.session.commit()
    found = by_record(uploading)
    assert (found.cause, found.severity) == (cause, "trouble")
    assert [one.page for one in found.buttons] == ["doctor"]
    assert "no_bytes" in causes(uploading)


def test_redis_is_away(uploading: Lesson) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        assert by_record(uploading).cause == "redis_away"
    assert by_record(uploading).cause == "no_bytes"


def test_mux_unreachable_is_also_known_from_the_last_look(mux_sim: MuxSim, uploading: Lesson) -> None:
    (row,) = mux_sim.uploads(uploading)
    actor = Actor("job")
    with overridden(mux_api_url="http://127.0.0.1:1"), pytest.raises(MuxError):
        ask_mux.check_upload(row.id, actor=actor, priority="low", found_by="sweep")
    assert by_record(uploading).cause == "mux_unreachable"
    ask_mux.check_upload(row.id, actor=actor, priority="low", found_by="sweep")
    assert by_record(uploading).cause == "no_file"


def test_waiting_events_have_their_replay(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.control.flush_events()
    payloads = mux_sim.waiting()
    for payload in payloads:
        with transaction(Actor("webhook")):
            db.session.add(
                MuxEvent(
                    mux_event_id=payload["id"], type=payload["type"], payload=payload, outcome="failed",
                    upload_id=payload["object"]["id"] if payload["object"]["type"] == "upload" else None,
                    asset_id=payload["object"]["id"] if payload["object"]["type"] == "asset" else None,
                    target_id=lesson.id, target_type="lesson",
                )
            )  # fmt: skip
    found = next(one for one in diagnose.diagnose(fresh(lesson)) if one.cause == "events_waiting")
    assert_says(found, "events_waiting", "trouble", "replay")
    assert {line.status for line in press(found)} == {"done"}
    assert causes(lesson) == ["published"]


def test_a_replacement_beside_a_video_that_plays(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    assert causes(lesson) == ["published", "replacement"]


def held(lesson: Lesson) -> None:
    """A file that waits for a decision of staff."""
    make_tracking(lesson, status="cancelled", error_type="held", withdrawn_at=datetime.now(UTC))


def test_a_decision_of_staff_comes_before_what_is_well_and_after_trouble() -> None:
    playing, failed = make_playing_lesson(), make_lesson(video_processing_status="error")
    for lesson in (playing, failed):
        held(lesson)
    assert causes(playing) == ["held", "published"]
    assert causes(failed) == ["asset_errored", "held"]


def test_background_work_is_no_matter_where_nothing_is_on_its_way() -> None:
    db.session.execute(text("DELETE FROM heartbeats"))
    db.session.commit()
    assert causes(make_playing_lesson()) == ["published"]
    assert causes(make_lesson(video_processing_status="deleting")) == [
        "no_workers", "no_clock", "deletion_pending",
    ]  # fmt: skip
    assert [one.cause for one in outages.background_work_findings(signals.read_signals())] == [
        "no_workers",
        "no_clock",
    ]


@pytest.mark.parametrize("asset_id", [None, "a", "temp_1"])
@pytest.mark.parametrize("status", ["none", "uploading", "processing", "ready", "error", "deleting"])
def test_a_lesson_in_any_state_has_a_diagnosis(status: str, asset_id: str | None) -> None:
    lesson = make_lesson(video_processing_status=status, mux_asset_id=asset_id)
    assert by_record(lesson).sentence
