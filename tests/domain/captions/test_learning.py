"""What Mux tells about captions, by events in any order or by a look, ends in one state; lost events cost no call of their own."""

import itertools
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.captions import learning
from lessonadmin.domain.models import CaptionTrack, Lesson, Tracking
from lessonadmin.domain.polling import ask_mux, survey
from lessonadmin.domain.uploads import direct_upload
from lessonadmin.domain.videos.observations import asset_observation
from lessonadmin.domain.videos.video_status import Captions
from lessonadmin.mux import payloads
from tests.domain.captions.support import captions, tracks
from tests.factories import make_lesson, make_tracking
from tests.mux_sim import MuxSim
from tests.queries import counted


def asked(
    mux_sim: MuxSim, language: str = "auto", *, lesson: Lesson | None = None, audio: bool = True
) -> Lesson:
    """A lesson whose video is at Mux, uploaded with captions; nothing of it was told yet."""
    lesson = lesson or make_lesson()
    file = direct_upload.File(name="talk.mp4", caption_language=language)
    ticket = direct_upload.start(lesson, file, actor=Actor.user(lesson.creator_id))
    mux_sim.control.complete_upload(ticket.upload_id, audio=audio)
    mux_sim.control.flush_events()
    return lesson


def look(mux_sim: MuxSim, lesson: Lesson) -> str:
    upload = mux_sim.uploads(lesson)[-1]
    return ask_mux.check_upload(upload.id, actor=CLI, priority="low", found_by="sweep")


def age(what: type[Any], **moments: timedelta) -> None:
    """Every row of it is older by so much in these columns."""
    with transaction(CLI):
        values = {name: getattr(what, name) - by for name, by in moments.items()}
        db.session.execute(update(what).values(**values).execution_options(synchronize_session=False))


def of_captions(event: dict[str, Any]) -> bool:
    return ".track." in event["type"] or event["type"] == "video.asset.ready"


def test_from_the_upload_until_the_language_is_found(mux_sim: MuxSim) -> None:
    mux_sim.control.set_switch("detected_language", "de")
    lesson = asked(mux_sim)
    assert captions(lesson) == Captions(status="preparing", language="auto")
    seen = []
    for event in mux_sim.waiting():
        mux_sim.give(event)
        seen.append((event["type"].removeprefix("video."), captions(lesson).status))
    assert seen[-3:] == [
        ("asset.ready", "preparing"),
        ("asset.track.created", "preparing"),
        ("asset.track.ready", "ready"),
    ]
    assert captions(lesson) == Captions(status="ready", language="de")
    upload = mux_sim.uploads(lesson)[0]
    assert (upload.status, upload.next_check_at) == ("ready", None)
    told = [one for one in mux_sim.actions(lesson.id) if "captions" in one]
    assert told == ["video.captions_preparing", "video.captions_ready"]
    assert len(mux_sim.calls()) == 1, "what was told is not asked"


def test_events_in_every_order_end_in_the_same_state(mux_sim: MuxSim) -> None:
    lesson = asked(mux_sim)
    events = mux_sim.waiting()
    for event in events:
        if not of_captions(event):
            mux_sim.give(event)
    told = [event for event in events if of_captions(event)]
    assert len(told) == 3
    ends = set()
    for order in itertools.permutations([*told, told[0]]):
        with transaction(CLI):
            db.session.execute(update(Tracking).values(captions=None, captions_language=None))
            for one in db.session.scalars(select(CaptionTrack)):
                db.session.delete(one)
        for event in order:
            mux_sim.give({**event, "id": str(uuid.uuid4())})
        ends.add((captions(lesson), tuple((one.state, one.language, one.source) for one in tracks())))
    assert ends == {(Captions(status="ready", language="en"), (("ready", "en", "generated"),))}


def test_what_is_told_again_changes_nothing(mux_sim: MuxSim) -> None:
    lesson = asked(mux_sim)
    events = mux_sim.waiting()
    for event in events:
        mux_sim.give(event)
    before = mux_sim.actions(lesson.id)
    again = [mux_sim.give({**event, "id": str(uuid.uuid4())}) for event in events if of_captions(event)]
    assert again == ["no_change"] * 3
    assert mux_sim.actions(lesson.id) == before


@pytest.mark.parametrize(
    ("switch", "audio", "status"), [("ready", False, "skipped"), ("errored", True, "failed")]
)
def test_captions_that_come_to_nothing(mux_sim: MuxSim, switch: str, audio: bool, status: str) -> None:
    mux_sim.control.set_switch("generated_captions", switch)
    lesson = asked(mux_sim, "en", audio=audio)
    mux_sim.deliver()
    assert captions(lesson) == Captions(status=status, language="en")
    assert mux_sim.lesson(lesson).status == "published"
    [track] = tracks()
    assert (track.error is not None) == (status == "failed")


def test_a_video_without_captions_costs_no_statement_for_them(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    mux_sim.uploaded(lesson)
    events = mux_sim.waiting()
    with counted() as plain:
        for event in events:
            mux_sim.give(event)
    assert not [one for one in plain if "caption_tracks" in one]
    assert captions(lesson) == Captions()
    asked(mux_sim)
    with counted() as with_captions:
        mux_sim.deliver()
    assert [one for one in with_captions if "caption_tracks" in one], "of the test"


def test_of_a_video_that_was_replaced_nothing_is_shown(mux_sim: MuxSim) -> None:
    lesson = asked(mux_sim, "en")
    mux_sim.deliver()
    mux_sim.uploaded(lesson)
    mux_sim.deliver()
    assert captions(lesson) == Captions()
    first, second = mux_sim.uploads(lesson)
    assert (first.captions, second.captions) == ("ready", None)
    before = mux_sim.actions(lesson.id)
    gone = {"id": tracks()[0].mux_track_id, "type": "text", "asset_id": first.mux_asset_id}
    event = {"id": "late", "type": "video.asset.track.deleted", "data": gone}
    assert mux_sim.give(event) == "applied"
    assert mux_sim.actions(lesson.id) == before


def test_lost_events_are_made_up_for_by_a_look(mux_sim: MuxSim) -> None:
    lesson = asked(mux_sim)
    for event in mux_sim.waiting():
        if ".track." not in event["type"]:
            mux_sim.give(event)
    upload = mux_sim.uploads(lesson)[0]
    assert (captions(lesson).status, upload.next_check_at is not None) == ("preparing", True)
    assert look(mux_sim, lesson) == "applied"
    assert captions(lesson) == Captions(status="ready", language="en")
    assert mux_sim.uploads(lesson)[0].next_check_at is None


@pytest.mark.usefixtures("enough_calls")
def test_many_lost_events_cost_a_page_and_no_call_each(mux_sim: MuxSim) -> None:
    lessons = [asked(mux_sim) for _ in range(12)]
    for event in mux_sim.waiting():
        if ".track." not in event["type"]:
            mux_sim.give(event)
    age(Tracking, next_check_at=timedelta(hours=1))
    before = len(mux_sim.calls())
    survey.check_due(actor=CLI)
    assert {captions(lesson).status for lesson in lessons} == {"ready"}
    assert len(mux_sim.calls()) - before == 1


def test_a_look_says_what_was_deleted_unless_it_may_be_older_than_the_track(mux_sim: MuxSim) -> None:
    lesson = asked(mux_sim, "en")
    mux_sim.deliver()
    upload = mux_sim.uploads(lesson)[0]
    asset = mux_sim.control.asset(upload.mux_asset_id or "")
    asset["tracks"] = [one for one in asset["tracks"] if one["type"] != "text"]
    observation = asset_observation(
        payloads.asset_from(asset), wanted_policy="public", found_by="sweep", seen=True
    )
    subject = ask_mux.UploadSnapshot.of(upload)
    with transaction(CLI):
        ask_mux.apply_observation(subject, observation)
    assert captions(lesson).status == "ready", "an event told of it a moment ago"
    age(CaptionTrack, updated_at=learning.YOUNG)
    with transaction(CLI):
        ask_mux.apply_observation(subject, observation)
    assert captions(lesson) == Captions()
    assert look(mux_sim, lesson) == "no_change", (
        "it is at Mux after all, but what is deleted does not come back"
    )
    assert [one.state for one in tracks()] == ["deleted"]
    assert mux_sim.actions(lesson.id)[-1] == "video.captions_deleted"


def test_captions_that_mux_never_shows_or_never_finishes_are_waited_for_no_longer(mux_sim: MuxSim) -> None:
    lesson = make_lesson()
    make_tracking(lesson, upload_id="u1", mux_asset_id="a1", status="processing", caption_language="en")
    ready = {"id": "a1", "status": "ready", "playback_ids": [{"id": "p1", "policy": "public"}]}
    mux_sim.give({"id": "e1", "type": "video.asset.ready", "data": ready})
    assert captions(lesson) == Captions(status="preparing", language="en")
    age(Tracking, ready_at=learning.LATE)
    mux_sim.give({"id": "e2", "type": "video.asset.updated", "data": ready})
    assert captions(lesson) == Captions(status="failed", language="en")
    assert mux_sim.actions(lesson.id)[-1] == "video.captions_failed"
    told = {
        "id": "t1",
        "type": "text",
        "text_source": "generated_vod",
        "language_code": "en",
        "asset_id": "a1",
    }
    mux_sim.give({"id": "e3", "type": "video.asset.track.created", "data": told})
    assert captions(lesson).status == "preparing", "later than expected"
    age(CaptionTrack, created_at=learning.GIVEN_UP)
    mux_sim.give({"id": "e4", "type": "video.asset.updated", "data": ready})
    assert captions(lesson).status == "failed"
    assert [one.error for one in tracks()] == [learning.NEVER_FINISHED]
    mux_sim.give({"id": "e5", "type": "video.asset.track.ready", "data": told})
    assert (captions(lesson).status, tracks()[0].error) == ("ready", None)
