"""Asking Mux about one upload: what counts as an answer, what is applied, and what is noted of a look that failed."""

import time
import uuid
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lessonadmin import mux
from lessonadmin.db import JOB, db, transaction
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.models import Lesson, MuxCall, Tracking
from lessonadmin.domain.polling import ask_mux, environment, not_found_guard
from lessonadmin.domain.polling.ask_mux import Answers, UploadSnapshot
from lessonadmin.domain.videos.observations import FoundBy, Outcome
from lessonadmin.domain.videos.state_machine import VideoEvent
from tests.cases import each_of
from tests.factories import keep, make_lesson, make_playing_lesson, make_tracking
from tests.mux_sim import MuxSim


def check(row: Tracking, *, found_by: FoundBy = "sweep") -> Outcome:
    return ask_mux.check_upload(row.id, actor=JOB, priority="low", found_by=found_by)


def uploading(mux_sim: MuxSim) -> tuple[Lesson, Tracking]:
    """A lesson whose upload Mux waits for."""
    lesson = make_lesson()
    mux_sim.upload(lesson)
    (row,) = mux_sim.uploads(lesson)
    return lesson, row


def again(row: Tracking) -> Tracking:
    db.session.rollback()
    return db.session.get_one(Tracking, row.id, populate_existing=True)


def seconds_to_next_look(row: Tracking) -> float:
    waits = func.extract("epoch", Tracking.next_check_at - func.clock_timestamp())
    return float(db.session.scalars(select(waits).where(Tracking.id == row.id)).one())


def calls_noted() -> list[tuple[str, str]]:
    rows = db.session.execute(select(MuxCall.operation, MuxCall.outcome).order_by(MuxCall.id))
    return [(operation, outcome) for operation, outcome in rows]


# What a look costs, and how old a page may be


@each_of(
    ("asset_id", "upload_id", "calls"),
    [
        ("seen", "u", 0),
        (None, "seen", 0),
        ("temp_1", "seen", 0),
        ("a", "seen", 1),
        ("a", None, 1),
        (None, "u", 2),
        ("temp_1", "u", 2),
        (None, None, 2),
    ],
)
def test_how_many_calls_a_look_takes_at_most(asset_id: str | None, upload_id: str | None, calls: int) -> None:
    assert Answers("low", pages={"seen": mux.Asset(id="seen")}).cost(asset_id, upload_id) == calls


@pytest.mark.parametrize(
    ("pages", "age", "fresh"),
    [({}, 1e6, True), ({"a": mux.Asset(id="a")}, 0.0, True), ({"a": mux.Asset(id="a")}, 31.0, False)],
)
def test_pages_grow_old_and_single_calls_do_not(pages: dict[str, mux.Asset], age: float, fresh: bool) -> None:
    assert Answers("low", pages=pages, read_at=time.monotonic() - age).fresh is fresh


def test_what_a_page_has_shown_is_not_asked_again(mux_sim: MuxSim) -> None:
    _, row = uploading(mux_sim)
    asset = mux.Asset(id="asset", status="preparing", upload_id=row.upload_id)
    answers = Answers("low", pages={str(row.upload_id): asset, "asset": asset})
    before = len(mux_sim.calls())
    observation, operation = ask_mux.observe(UploadSnapshot.of(row), answers=answers, found_by="sweep")
    assert (operation, observation.asset_id) == ("get_asset", "asset")
    assert len(mux_sim.calls()) == before


# What the caller is told when Mux gives no answer


@pytest.mark.parametrize(
    ("error", "said", "wait"),
    [
        (
            mux.Refused("No.", category="auth_error", status=401),
            "Checking with Mux is unavailable right now. Support has been notified",
            None,
        ),
        (mux.Later("Full.", category="busy"), "Very many questions to Mux are under way", None),
        (mux.Later("Slow down.", category="rate_limit", retry_after=2.1), "Mux does not answer", 3),
        (mux.Later("Down.", category="server_error"), "Mux does not answer", None),
        (mux.Nonsense("What?"), "Mux does not answer", None),
    ],
)
def test_a_failed_call_is_said_in_words(error: mux.MuxError, said: str, wait: int | None) -> None:
    told = ask_mux.unavailable(error)
    assert said in str(told)
    assert (told.type, told.retry_after) == ("mux_unavailable", wait)
    assert told.for_support == (error.category == "auth_error")
    assert error.message not in str(told)


# What Mux says


def test_an_upload_that_waits_and_one_that_has_nothing_to_ask_by(mux_sim: MuxSim) -> None:
    _, row = uploading(mux_sim)
    bare = make_tracking(make_lesson(), upload_id=None)
    answers = Answers("low")
    found = [
        ask_mux.observe(UploadSnapshot.of(one), answers=answers, found_by="sweep") for one in (row, bare)
    ]
    assert [(seen.video_event, how) for seen, how in found] == [
        (VideoEvent.UPLOAD_WAITING, "get_upload"), (VideoEvent.UPLOAD_WAITING, "nothing to ask"),
    ]  # fmt: skip


def test_a_temporary_asset_id_is_never_asked_about(mux_sim: MuxSim) -> None:
    row = make_tracking(make_lesson(), upload_id=None, mux_asset_id="temp_1")
    assert UploadSnapshot.of(row).asset_id is None
    assert check(row) != "applied"
    assert mux_sim.calls() == []


def test_an_id_that_is_none_of_muxs_is_gone_only_for_a_person_who_asks(mux_sim: MuxSim) -> None:
    lesson = make_playing_lesson()
    (row,) = mux_sim.uploads(lesson)
    with pytest.raises(mux.Refused):
        check(row, found_by="sweep")
    assert mux_sim.lesson(lesson).status == "published"
    assert check(row, found_by="manual") == "applied"
    assert mux_sim.lesson(lesson).video_error_type == "deleted_at_mux"


def test_an_upload_that_mux_forgot_has_run_out(mux_sim: MuxSim) -> None:
    lesson, row = uploading(mux_sim)
    db.session.execute(update(Tracking).values(upload_id="A" * 46))
    db.session.commit()
    assert check(row) == "applied"
    assert mux_sim.lesson(lesson).video_error_type == "upload_timed_out"
    assert calls_noted()[-1] == ("get_upload", not_found_guard.GONE)


# What is applied and noted


def test_an_answer_is_applied_and_ends_the_looking(mux_sim: MuxSim) -> None:
    lesson, row = uploading(mux_sim)
    mux_sim.control.complete_upload(str(row.upload_id))
    mux_sim.forget()
    assert check(row) == "applied"
    assert mux_sim.lesson(lesson).status == "published"
    now = again(row)
    assert (now.attempts, now.last_look_error, now.next_check_at) == (1, None, None)
    assert now.last_look_at is not None
    assert calls_noted()[-1] == ("get_asset", "ok")


def test_while_an_upload_is_open_it_is_looked_at_again(mux_sim: MuxSim) -> None:
    _, row = uploading(mux_sim)
    db.session.execute(update(Tracking).values(next_check_at=None))
    db.session.commit()
    assert check(row) == "no_change"
    assert seconds_to_next_look(row) > 0


def test_no_transaction_is_open_while_mux_is_asked(mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch) -> None:
    _, row = uploading(mux_sim)
    real, open_ = mux.get_upload, []

    def ask(*given: Any, **more: Any) -> mux.Upload:
        open_.append(db.session().in_transaction())
        return real(*given, **more)

    monkeypatch.setattr(mux, "get_upload", ask)
    check(row)
    assert open_ == [False]


def test_an_upload_that_is_not_there_is_missing_and_one_that_vanishes_meanwhile_needs_nothing(
    mux_sim: MuxSim,
) -> None:
    with pytest.raises(Missing):
        ask_mux.check_upload(uuid.uuid4(), actor=JOB, priority="low", found_by="sweep")
    _, row = uploading(mux_sim)
    subject = UploadSnapshot.of(row)
    observation, _ = ask_mux.observe(subject, answers=Answers("low"), found_by="sweep")
    with transaction(JOB):
        db.session.execute(update(Lesson).values(video_processing_status="none"))
        db.session.delete(db.session.get_one(Tracking, row.id))
    with transaction(JOB):
        assert ask_mux.apply_observation(subject, observation) == "no_change"


def test_a_failed_look_concludes_nothing_is_noted_and_a_good_one_clears_the_note(mux_sim: MuxSim) -> None:
    lesson, row = uploading(mux_sim)
    mux_sim.control.fault("api", "status", status=500)
    with pytest.raises(mux.Later):
        check(row)
    assert mux_sim.lesson(lesson).video_processing_status == "uploading"
    noted = again(row)
    assert noted.attempts == 1
    assert (noted.last_look_error or "").startswith("server_error: ")
    assert calls_noted()[-1] == ("look", "server_error")
    mux_sim.control.clear_faults()
    check(row)
    assert (again(row).attempts, again(row).last_look_error) == (2, None)


def test_the_next_look_comes_after_the_pause_that_mux_asks_for(mux_sim: MuxSim) -> None:
    _, row = uploading(mux_sim)
    mux_sim.control.fault("api", "rate_limited", retry_after=777)
    with pytest.raises(mux.Later):
        check(row)
    assert 760 < seconds_to_next_look(row) <= 777


def test_a_look_that_was_never_made_leaves_no_note(mux_sim: MuxSim) -> None:
    _, row = uploading(mux_sim)
    before = calls_noted()
    with transaction(JOB):
        ask_mux.note_failure(UploadSnapshot.of(row), mux.Later("Full.", category="busy"))
    assert (again(row).attempts, again(row).last_look_error) == (0, None)
    assert calls_noted() == before


@pytest.mark.parametrize(("found_by", "believed"), [("sweep", False), ("manual", True)])
def test_one_gone_among_very_many_is_believed_only_for_a_person_who_asks(
    mux_sim: MuxSim, found_by: FoundBy, believed: bool
) -> None:
    for _ in range(environment.MAX_GONE):
        keep(
            MuxCall(
                operation="get_asset",
                outcome=not_found_guard.GONE,
                target_type="lesson",
                target_id=uuid.uuid4(),
            )
        )
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.delete_asset_in_dashboard(str(mux_sim.lesson(lesson).mux_asset_id))
    mux_sim.forget()
    (row,) = mux_sim.uploads(lesson)
    assert check(row, found_by=found_by) == ("applied" if believed else "no_change")
    assert (mux_sim.lesson(lesson).video_error_type == "deleted_at_mux") is believed
    assert (again(row).last_look_error == not_found_guard.IGNORED_MESSAGE) is not believed
