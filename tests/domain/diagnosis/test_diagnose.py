"""Each cause of a stuck video, brought about with the simulator, is named, said in a sentence, and has its button.

Where a button is offered it is also pressed: what it names must be in the table of actions and must help.
"""

import uuid
from typing import Any

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import func, text, update

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain import heartbeats
from lessonadmin.domain.batches import batches, registry, scheduling
from lessonadmin.domain.diagnosis import diagnose, findings, mux_comparison
from lessonadmin.domain.diagnosis.diagnose import Finding
from lessonadmin.domain.models import Course, Lesson, MuxEvent, Tracking
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.mux import MuxError
from tests.factories import make_course, make_lesson, make_user
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.fixture(autouse=True)
def worker_and_clock_run(session: object) -> None:
    heartbeats.record("worker:host:1")
    heartbeats.record("clock")


def fresh(owner: Lesson | Course) -> Lesson | Course:
    db.session.rollback()
    return db.session.get_one(type(owner), owner.id, populate_existing=True)


def by_record(owner: Lesson | Course) -> Finding:
    return diagnose.diagnose(fresh(owner))[0]


def by_mux(owner: Lesson | Course) -> Finding:
    kind = "lesson" if isinstance(owner, Lesson) else "course"
    return diagnose.diagnose(fresh(owner), look=mux_comparison.look(kind, owner.id))[0]  # type: ignore[arg-type]


def press(finding: Finding) -> list[batches.Item]:
    button = finding.button
    assert button is not None
    assert button.action is not None
    action = registry.find(button.target or "", button.action)
    actor = Actor.user(make_user(role="support").id)
    return list(scheduling.run_now(action, button.ids, actor=actor).items)


def aged(owner: Lesson | Course, seconds: float = 7200) -> None:
    """As if its upload had begun that long ago."""
    earlier = Tracking.created_at - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    db.session.execute(update(Tracking).values(created_at=earlier))
    db.session.commit()


def assert_says(finding: Finding, cause: str, severity: str, action: str | None) -> None:
    assert (finding.cause, finding.severity) == (cause, severity)
    assert finding.sentence.strip().endswith((".", ")"))
    assert (finding.button.action if finding.button else None) == action
    if action is not None and finding.button is not None:
        registry.find(finding.button.target or "", action)


# Nothing is wrong


def test_published_and_fine(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert_says(by_record(lesson), "published", "fine", None)
    assert_says(by_mux(lesson), "published", "fine", None)


def test_a_draft_on_purpose(mux_sim: MuxSim) -> None:
    lesson = make_lesson(publish_on_ready=False)
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    found = by_record(lesson)
    assert_says(found, "draft", "fine", "publish")
    press(found)
    assert_says(by_record(lesson), "published", "fine", None)


def test_ready_and_promised_but_not_published(session: object) -> None:
    lesson = make_lesson(video_processing_status="ready", mux_asset_id="a", mux_playback_id="p")
    found = by_record(lesson)
    assert_says(found, "promise_unkept", "trouble", "publish")
    press(found)
    assert_says(by_record(lesson), "published", "fine", None)


def test_no_video_and_cancelled(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    assert_says(by_record(lesson), "no_video", "fine", None)
    assert by_record(lesson).button == findings.UPLOAD
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=Actor.user(lesson.creator_id))
    assert_says(by_record(lesson), "cancelled", "fine", None)
    assert by_record(lesson).button == findings.UPLOAD


# On its way


def test_no_bytes_arrived(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    assert_says(by_record(lesson), "no_bytes", "waiting", "recheck")
    assert_says(by_mux(lesson), "no_bytes", "waiting", "recheck")
    aged(lesson)
    found = by_record(lesson)
    assert_says(found, "no_bytes", "trouble", "recheck")
    assert "2 hours ago" in found.sentence


def test_the_browser_says_that_it_is_sent(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    actor = Actor.user(lesson.creator_id)
    direct_upload.bytes_are_in(lesson, ticket.upload_id, temp_asset_id=None, actor=actor)
    assert_says(by_record(lesson), "bytes_sent", "waiting", "recheck")


def test_the_upload_address_expired(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    mux_sim.control.time_out_upload(ticket.upload_id)
    found = by_mux(lesson)
    assert_says(found, "url_expired", "trouble", "recheck")
    press(found)
    after = by_record(lesson)
    assert_says(after, "url_expired", "trouble", "clear_asset")
    press(after)
    assert by_record(lesson).cause in ("no_video", "cancelled")


def test_expired_by_our_own_clock(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    db.session.execute(update(Tracking).values(expires_at=Tracking.created_at))
    db.session.commit()
    assert_says(by_record(lesson), "url_expired", "trouble", "recheck")


def test_cancelled_and_errored_at_mux(mux_sim: MuxSim) -> None:
    for spoil, cause in (
        (mux_sim.control.cancel_upload_elsewhere, "cancelled_elsewhere"),
        (mux_sim.control.error_upload, "upload_errored"),
    ):
        lesson = make_lesson()
        ticket = mux_sim.upload(lesson)
        spoil(ticket.upload_id)
        found = by_mux(lesson)
        assert_says(found, cause, "trouble", "recheck")
        press(found)
        assert_says(by_record(lesson), cause, "trouble", "clear_asset")
        mux_sim.forget()


def test_preparing_normally_and_slowly(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    found = by_record(lesson)
    assert_says(found, "preparing", "waiting", "recheck")
    assert "published by itself" in found.sentence
    db.session.execute(update(Tracking).values(progress=42))
    db.session.commit()
    aged(lesson)
    found = by_record(lesson)
    assert_says(found, "preparing_slowly", "trouble", "recheck")
    assert "42 %" in found.sentence
    assert_says(by_mux(lesson), "preparing_slowly", "trouble", "recheck")


def test_ready_at_mux_but_we_were_not_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    assert by_record(lesson).cause == "no_bytes"
    found = by_mux(lesson)
    assert_says(found, "ready_not_told", "trouble", "recheck")
    press(found)
    assert_says(by_record(lesson), "published", "fine", None)


def test_the_file_is_in_and_we_were_not_told(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    found = by_mux(lesson)
    assert_says(found, "processing_not_told", "waiting", "recheck")
    press(found)
    assert by_record(lesson).cause == "preparing"


# Failed


def test_errored_with_muxs_reason(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.error_asset(mux_sim.control.assets()[0]["id"], messages=["The file is no video."])
    mux_sim.forget()
    found = by_mux(lesson)
    assert_says(found, "asset_errored", "trouble", "recheck")
    assert "The file is no video" in found.sentence
    press(found)
    found = by_record(lesson)
    assert_says(found, "asset_errored", "trouble", "clear_asset")
    assert "The file is no video" in found.sentence


def test_deleted_at_mux_told_and_not_told(mux_sim: MuxSim) -> None:
    lesson, other = make_lesson(), make_lesson()
    for one in (lesson, other):
        mux_sim.uploaded(one)
    mux_sim.deliver()
    asset_id = mux_sim.lesson(lesson).mux_asset_id
    mux_sim.control.delete_asset_in_dashboard(str(asset_id))
    mux_sim.forget()
    assert by_record(lesson).cause == "published"
    found = by_mux(lesson)
    assert_says(found, "deleted_at_mux", "trouble", "recheck")
    press(found)
    assert_says(by_record(lesson), "deleted_at_mux", "trouble", "clear_asset")


@pytest.mark.parametrize(
    ("switch", "cause"), [("missing", "no_playback_id"), ("other_policy", "wrong_policy")]
)
def test_ready_but_not_playable(mux_sim: MuxSim, switch: str, cause: str) -> None:
    mux_sim.control.set_switch("playback_ids", switch)
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    assert_says(by_mux(lesson), cause, "trouble", "republish")
    mux_sim.control.send_event("video.asset.ready", asset_id=mux_sim.control.assets()[0]["id"])
    mux_sim.deliver()
    found = by_record(lesson)
    assert_says(found, cause, "trouble", "republish")
    press(found)
    expected = "published" if cause == "wrong_policy" else cause
    assert by_record(lesson).cause == expected


def test_failed_here_but_ready_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(
        update(Tracking).values(status="error", error_type="asset_errored", mux_playback_id=None)
    )
    db.session.execute(
        update(Lesson).values(video_processing_status="error", mux_playback_id=None, status="draft")
    )
    db.session.commit()
    found = by_mux(lesson)
    assert_says(found, "ready_after_all", "trouble", "republish")
    press(found)
    assert by_record(lesson).cause == "published"


def test_another_playback_id_at_mux(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    db.session.execute(update(Lesson).values(mux_playback_id="wrong"))
    db.session.execute(update(Tracking).values(mux_playback_id="wrong"))
    db.session.commit()
    found = by_mux(lesson)
    assert_says(found, "wrong_playback_id", "trouble", "republish")
    press(found)
    assert_says(by_mux(lesson), "published", "fine", None)


def test_temporary_ids(mux_sim: MuxSim) -> None:
    bare = make_lesson(mux_asset_id="temp_1", video_processing_status="processing")
    found = by_record(bare)
    assert_says(found, "temporary_id", "trouble", "clear_asset")
    press(found)
    assert by_record(bare).cause == "no_video"
    known = make_lesson()
    mux_sim.uploaded(known)
    mux_sim.forget()
    db.session.execute(update(Lesson).where(Lesson.id == known.id).values(mux_asset_id="temp_2"))
    db.session.commit()
    found = by_record(known)
    assert_says(found, "temporary_id", "trouble", "republish")
    press(found)
    assert by_record(known).cause == "published"


def test_a_deletion_that_waits(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    clear = registry.find("lesson", "clear_asset")
    actor = Actor.user(make_user(role="support").id)
    scheduling.run_now(clear, [lesson.id], actor=actor, options={"grace": True})
    found = by_record(lesson)
    assert_says(found, "deletion_pending", "waiting", None)
    assert "grace" in found.sentence
    db.session.execute(
        text("UPDATE asset_deletions SET due_at = now(), attempts = 2, last_error = 'timeout: x'")
    )
    db.session.commit()
    found = by_record(lesson)
    assert_says(found, "deletion_pending", "waiting", "recheck")
    press(found)
    assert by_record(lesson).cause in ("no_video", "cancelled")
    assert mux_sim.control.assets() == []


# The machine room, and Mux itself


@pytest.fixture
def uploading(mux_sim: MuxSim) -> Lesson:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    return lesson


@pytest.mark.parametrize(("prefix", "cause"), [("worker:", "no_workers"), ("clock", "no_clock")])
def test_nobody_is_there_to_work(uploading: Lesson, prefix: str, cause: str) -> None:
    db.session.execute(
        text("UPDATE heartbeats SET at = now() - interval '5 minutes' WHERE starts_with(name, :prefix)"),
        {"prefix": prefix},
    )
    db.session.commit()
    found = by_record(uploading)
    assert (found.cause, found.severity) == (cause, "trouble")
    assert found.button is not None
    assert found.button.page == "doctor"
    assert "no_bytes" in [one.cause for one in diagnose.diagnose(fresh(uploading))]


def test_redis_is_away(uploading: Lesson) -> None:
    with overridden(redis_url="redis://127.0.0.1:1/0"):
        assert by_record(uploading).cause == "redis_away"
    assert by_record(uploading).cause == "no_bytes"


def test_wrong_token(mux_sim: MuxSim, uploading: Lesson) -> None:
    with overridden(mux_token_secret="wrong"):
        found = by_mux(uploading)
    assert_says(found, "wrong_token", "trouble", None)
    assert "MUX_TOKEN_ID" in found.sentence
    assert found.button is not None
    assert found.button.page == "doctor"


def test_a_token_that_may_not(mux_sim: MuxSim, uploading: Lesson) -> None:
    mux_sim.control.fault("api", "status", status=403)
    assert by_mux(uploading).cause == "wrong_token"


@pytest.mark.parametrize(
    ("fault", "more", "cause"),
    [
        ("status", {"status": 500}, "mux_unreachable"),
        ("reset", {}, "mux_unreachable"),
        ("html", {}, "mux_unreachable"),
        ("rate_limited", {}, "mux_busy"),
    ],
)
def test_mux_does_not_answer(
    mux_sim: MuxSim, uploading: Lesson, fault: str, more: dict[str, Any], cause: str
) -> None:
    mux_sim.control.fault("api", fault, **more)
    assert by_mux(uploading).cause == cause
    assert fresh(uploading).video_processing_status == "uploading"


def test_mux_unreachable_is_also_known_from_the_last_look(mux_sim: MuxSim, uploading: Lesson) -> None:
    (row,) = mux_sim.rows(uploading)
    actor = Actor("job")
    with overridden(mux_api_url="http://127.0.0.1:1"), pytest.raises(MuxError):
        ask_mux.check_upload(row.id, actor=actor, priority="low", found_by="sweep")
    assert by_record(uploading).cause == "mux_unreachable"
    ask_mux.check_upload(row.id, actor=actor, priority="low", found_by="sweep")
    assert by_record(uploading).cause == "no_bytes"


def test_a_token_of_another_environment(mux_sim: MuxSim) -> None:
    lessons_ = [make_lesson() for _ in range(2)]
    for lesson in lessons_:
        mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.control.reset()  # as the same token id would see it elsewhere: nothing of ours is there
    db.session.execute(text("UPDATE mux_events SET environment_id = 'where our videos are'"))
    db.session.commit()
    mux_sim.control.seed_assets(3, policy="public", status="ready")
    found = by_mux(lessons_[0])
    assert found.cause == "wrong_environment"
    assert mux_sim.lesson(lessons_[0]).status == "published"


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
    assert [one.cause for one in diagnose.diagnose(fresh(lesson))] == ["published"]


def test_a_replacement_beside_a_video_that_plays(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    causes = [one.cause for one in diagnose.diagnose(fresh(lesson))]
    assert causes == ["published", "replacement"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "no file has been heard of"),
        ({"bytes_in_at": func.now()}, "Mux has not confirmed it"),
        ({"status": "processing", "mux_asset_id": "a" * 20}, "Mux has been preparing it"),
    ],
)
def test_a_late_replacement_is_the_cause_although_the_old_video_plays(
    mux_sim: MuxSim, columns: dict[str, Any], said: str
) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    mux_sim.upload(lesson)
    aged(lesson)
    db.session.execute(update(Tracking).where(Tracking.is_open).values(**columns))
    db.session.commit()
    found = by_record(lesson)
    assert_says(found, "replacement_late", "trouble", "recheck")
    assert said in found.sentence
    causes = [one.cause for one in diagnose.diagnose(fresh(lesson))]
    assert causes == ["replacement_late"], "nothing says that there is nothing to do"


@pytest.mark.parametrize("make", [make_lesson, make_course])
def test_a_lost_message_about_a_replacement_is_not_held_against_the_video_that_plays(
    mux_sim: MuxSim, make: Any
) -> None:
    """Mux was asked about the new video, and its answer was judged as if it were about the old one."""
    owner = make()
    mux_sim.uploaded(owner)
    mux_sim.deliver()
    old = fresh(owner).mux_playback_id
    mux_sim.uploaded(owner)
    mux_sim.forget()
    found = by_mux(owner)
    assert_says(found, "ready_not_told", "trouble", "recheck")
    assert "new video" in found.sentence
    beside = compared(owner)
    new = beside["Asset id"].theirs
    assert new != fresh(owner).mux_asset_id
    assert old not in (beside["Playback id"].ours, beside["Playback id"].theirs)
    assert (beside["Video"].ours, beside["Video"].theirs, beside["Video"].agrees) == (
        "uploading", "ready", False,
    )  # fmt: skip
    press(found)
    now = fresh(owner)
    assert (now.mux_asset_id, now.video_processing_status) == (new, "ready")
    assert now.mux_playback_id != old
    beside = compared(owner)
    assert beside["Playback id"].agrees
    assert beside["Video"].agrees


def test_courses_are_diagnosed_the_same_way(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.forget()
    found = by_mux(course)
    assert_says(found, "ready_not_told", "trouble", "recheck")
    press(found)
    assert_says(by_record(course), "fine", "fine", None)


def test_our_own_record_costs_few_queries(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    owner = fresh(lesson)
    statements: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    before = len(mux_sim.calls())
    sa_event.listen(db.engine, "before_cursor_execute", listen)
    try:
        diagnose.diagnose(owner)
    finally:
        sa_event.remove(db.engine, "before_cursor_execute", listen)
    assert len(statements) <= 5, statements
    assert len(mux_sim.calls()) == before


def test_a_lesson_in_any_state_has_a_diagnosis(session: object) -> None:
    creator = make_user()
    for status in ("none", "uploading", "processing", "ready", "error", "deleting"):
        for asset in (None, "a", "temp_1"):
            lesson = make_lesson(creator=creator, video_processing_status=status, mux_asset_id=asset)
            assert by_record(lesson).sentence


# Side by side


def compared(owner: Lesson | Course) -> dict[str, mux_comparison.Compared]:
    kind = "lesson" if isinstance(owner, Lesson) else "course"
    look = mux_comparison.look(kind, owner.id)  # type: ignore[arg-type]
    return {line.field: line for line in mux_comparison.compare(fresh(owner), look)}


def test_side_by_side_when_all_agrees(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    lines = compared(lesson)
    assert all(line.agrees is not False for line in lines.values()), lines
    assert lines["Asset id"].ours == lines["Asset id"].theirs == mux_sim.lesson(lesson).mux_asset_id
    assert lines["Playback id"].agrees is True
    assert lines["Made for"].theirs == str(lesson.id)


def test_side_by_side_shows_what_differs_and_changes_nothing(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.forget()
    before = db.session.execute(text("SELECT xmin, * FROM mux_asset_tracking")).all()
    lines = compared(lesson)
    assert (lines["Video"].ours, lines["Video"].theirs, lines["Video"].agrees) == (
        "uploading",
        "ready",
        False,
    )
    assert lines["Asset id"].agrees is False
    assert db.session.execute(text("SELECT xmin, * FROM mux_asset_tracking")).all() == before
    assert {call["token_id"] for call in mux_sim.calls()} == {"web-token"}


def test_side_by_side_without_an_answer(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    with overridden(mux_api_url="http://127.0.0.1:1"):
        look = mux_comparison.look("lesson", lesson.id)
    assert not look.answered
    assert mux_comparison.compare(fresh(lesson), look) == []
    assert mux_comparison.look("lesson", uuid.uuid4()).answered
