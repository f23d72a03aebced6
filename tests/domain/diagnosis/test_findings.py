"""Each cause of a stuck video, brought about with the simulator, is named, said in a sentence, and has its button.

Where a button is offered it is also pressed: what it names must be in the table of actions and must help.
"""

from typing import Any

import pytest
from sqlalchemy import func, text, update

from lessonadmin.db import Actor, db
from lessonadmin.domain.batches import registry, scheduling
from lessonadmin.domain.diagnosis import diagnose, finding
from lessonadmin.domain.models import Lesson, Tracking
from lessonadmin.domain.uploads import direct_upload
from tests.domain.diagnosis.support import (
    aged,
    assert_says,
    by_mux,
    by_record,
    causes,
    compared,
    fresh,
    press,
)
from tests.factories import make_course, make_lesson, make_user
from tests.mux_sim import MuxSim


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


def test_ready_but_not_published_although_it_should_be() -> None:
    lesson = make_lesson(video_processing_status="ready", mux_asset_id="a", mux_playback_id="p")
    found = by_record(lesson)
    assert_says(found, "promise_unkept", "trouble", "publish")
    press(found)
    assert_says(by_record(lesson), "published", "fine", None)


def test_no_video_and_cancelled(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    assert_says(by_record(lesson), "no_video", "fine", None)
    assert by_record(lesson).buttons == (finding.UPLOAD,)
    ticket = mux_sim.upload(lesson)
    direct_upload.cancel(ticket.upload_id, lesson, actor=Actor.user(lesson.creator_id))
    assert_says(by_record(lesson), "cancelled", "fine", None)
    assert by_record(lesson).buttons == (finding.UPLOAD,)


def test_no_bytes_arrived(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    assert_says(by_record(lesson), "no_bytes", "waiting", "recheck")
    assert_says(by_mux(lesson), "no_file", "waiting", "recheck")
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
    assert_says(by_record(lesson), "url_expired", "trouble", "upload_again")


def test_expired_by_our_own_clock(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.upload(lesson)
    db.session.execute(update(Tracking).values(expires_at=Tracking.created_at))
    db.session.commit()
    assert_says(by_record(lesson), "url_expired", "trouble", "recheck")


@pytest.mark.parametrize(
    ("ending", "cause"),
    [("cancel_upload_elsewhere", "cancelled_elsewhere"), ("error_upload", "upload_errored")],
)
def test_cancelled_and_errored_at_mux(mux_sim: MuxSim, ending: str, cause: str) -> None:
    lesson = make_lesson()
    ticket = mux_sim.upload(lesson)
    getattr(mux_sim.control, ending)(ticket.upload_id)
    found = by_mux(lesson)
    assert_says(found, cause, "trouble", "recheck")
    press(found)
    assert_says(by_record(lesson), cause, "trouble", "upload_again")


def test_preparing_normally_and_slowly(mux_sim: MuxSim) -> None:
    mux_sim.control.hold_processing()
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    found = by_record(lesson)
    assert_says(found, "preparing", "waiting", "recheck")
    assert "Publishes when ready." in found.sentence
    db.session.execute(update(Tracking).values(progress=42))
    db.session.commit()
    aged(lesson)
    found = by_record(lesson)
    assert_says(found, "preparing_slowly", "trouble", "recheck")
    assert "42 %" in found.sentence
    assert_says(by_mux(lesson), "preparing_slowly", "trouble", "recheck")


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
    assert_says(found, "asset_errored", "trouble", "upload_again")
    assert "The file is no video" in found.sentence


def test_deleted_at_mux_told_and_not_told(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    mux_sim.uploaded(make_lesson())
    mux_sim.deliver()
    asset_id = mux_sim.lesson(lesson).mux_asset_id
    mux_sim.control.delete_asset_in_dashboard(str(asset_id))
    mux_sim.forget()
    assert by_record(lesson).cause == "published"
    found = by_mux(lesson)
    assert_says(found, "deleted_at_mux", "trouble", "recheck")
    press(found)
    assert_says(by_record(lesson), "deleted_at_mux", "trouble", "upload_again")


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


def test_temporary_ids(mux_sim: MuxSim) -> None:
    bare = make_lesson(mux_asset_id="temp_1", video_processing_status="processing")
    found = by_record(bare)
    assert_says(found, "temporary_id", "trouble", "upload_again")
    press(found, "clear_asset")
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


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "no file has arrived"),
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
    assert causes(lesson) == ["replacement_late"], "nothing says that there is nothing to do"


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


@pytest.mark.parametrize(
    ("switch", "audio", "cause", "severity"),
    [("errored", True, "captions_failed", "trouble"), ("ready", False, "captions_skipped", "fine")],
)
def test_why_there_are_no_captions(
    mux_sim: MuxSim, switch: str, audio: bool, cause: str, severity: str
) -> None:
    mux_sim.control.set_switch("generated_captions", switch)
    lesson = make_lesson()
    file = direct_upload.File(name="talk.mp4", caption_language="en")
    ticket = direct_upload.start(lesson, file, actor=Actor.user(lesson.creator_id))
    mux_sim.control.complete_upload(ticket.upload_id, audio=audio)
    before = mux_sim.waiting()
    for event in [one for one in before if ".track." not in one["type"]]:
        mux_sim.give(event)
    mux_sim.control.flush_events()
    rest = [one for one in (*before, *mux_sim.waiting()) if one["type"] != "video.asset.track.created"]
    for event in [one for one in rest if ".track." not in one["type"]]:
        mux_sim.give(event)
    assert causes(lesson) == ["published", "captions_preparing"]
    for event in [one for one in rest if ".track." in one["type"]]:
        mux_sim.give(event)
    main, found = diagnose.diagnose(fresh(lesson))
    assert (main.cause, found.cause, found.severity) == ("published", cause, severity)
    assert ("could not be recognised" in found.sentence) == (cause == "captions_failed")
