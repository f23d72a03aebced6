"""Mux is told once, whatever is killed between the calls; what it refuses for good ends, the rest stays due."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from lessonadmin import mux
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.captions import asking, carrying_out
from lessonadmin.domain.models import CaptionTrack, Lesson
from lessonadmin.domain.videos import removal
from tests.domain.captions.support import captions, tracks
from tests.factories import make_lesson
from tests.mux_sim import MuxSim


@pytest.fixture
def lesson(mux_sim: MuxSim) -> Lesson:
    """Its video plays, and captions in German are asked for; Mux was not told."""
    made = make_lesson()
    mux_sim.uploaded(made)
    mux_sim.deliver()
    with transaction(Actor.user(made.creator_id)):
        asking.make(made, "de")
    return made


def carry_out() -> bool:
    return carrying_out.carry_out(tracks()[-1].id, actor=CLI)


def killed_after_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mux was told, and the worker ends before it has written that down."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(carrying_out, "_done", die)
        with pytest.raises(KeyboardInterrupt):
            carry_out()


def due_again() -> None:
    with transaction(CLI):
        db.session.execute(update(CaptionTrack).values(due_at=CaptionTrack.due_at - timedelta(days=1)))


def at_mux(mux_sim: MuxSim, lesson: Lesson) -> list[str]:
    asset = mux_sim.control.asset(mux_sim.lesson(lesson).mux_asset_id or "")
    return [one["language_code"] for one in asset["tracks"] if one["type"] == "text"]


def test_made_and_ready_by_the_events(mux_sim: MuxSim, lesson: Lesson) -> None:
    before = len(mux_sim.calls())
    assert carry_out()
    assert len(mux_sim.calls()) - before == carrying_out.CALLS
    [row] = tracks()
    assert (row.state, row.due_at, row.mux_track_id is not None) == ("preparing", None, True)
    assert not carry_out(), "there is nothing to tell any more"
    mux_sim.deliver()
    assert (captions(lesson).status, captions(lesson).language) == ("ready", "de")
    told = [one for one in mux_sim.actions(lesson.id) if "captions" in one]
    assert told == ["video.captions_asked", "video.captions_preparing", "video.captions_ready"]


def test_a_killed_worker_makes_no_second_track(
    mux_sim: MuxSim, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_after_the_call(monkeypatch)
    assert at_mux(mux_sim, lesson) == ["de"]
    assert not carry_out(), "not while another may be at it"
    due_again()
    assert carrying_out.due() == [tracks()[0].id]
    assert carry_out()
    assert at_mux(mux_sim, lesson) == ["de"]
    assert tracks()[0].mux_track_id is not None
    mux_sim.deliver()
    assert captions(lesson).status == "ready"


def test_the_event_that_is_quicker_than_the_answer_belongs_to_the_same_row(
    mux_sim: MuxSim, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_after_the_call(monkeypatch)
    mux_sim.deliver()
    assert [(one.state, one.due_at) for one in tracks()] == [("ready", None)]


def test_without_sound_there_is_nothing_to_make_them_of(mux_sim: MuxSim) -> None:
    silent = make_lesson()
    ticket = mux_sim.upload(silent)
    mux_sim.control.complete_upload(ticket.upload_id, audio=False)
    mux_sim.deliver()
    with transaction(Actor.user(silent.creator_id)):
        asking.make(silent, "auto")
    assert carry_out()
    assert captions(silent).status == "skipped"
    assert carrying_out.due() == []


def test_removed_at_mux_also_where_the_answer_was_lost(mux_sim: MuxSim, lesson: Lesson) -> None:
    carry_out()
    mux_sim.deliver()
    with transaction(Actor.user(lesson.creator_id)):
        asking.remove(lesson, tracks()[0].id)
    assert carry_out()
    assert (at_mux(mux_sim, lesson), tracks()[0].state, captions(lesson).status) == ([], "deleted", "none")
    assert mux_sim.deliver()[-1] == "no_change"


def test_removed_before_mux_was_told(mux_sim: MuxSim, lesson: Lesson) -> None:
    with transaction(Actor.user(lesson.creator_id)):
        asking.remove(lesson, tracks()[0].id)
    assert carry_out()
    assert (at_mux(mux_sim, lesson), tracks()[0].state) == ([], "deleted")


def test_what_may_go_well_another_time_stays_due(mux_sim: MuxSim, lesson: Lesson) -> None:
    mux_sim.control.fault("api", "status", match={"operation": "generate_subtitles"}, times=1, status=500)
    with pytest.raises(mux.Later):
        carry_out()
    assert (tracks()[0].state, captions(lesson).status, at_mux(mux_sim, lesson)) == ("asked", "preparing", [])
    due_again()
    assert carry_out()
    assert at_mux(mux_sim, lesson) == ["de"]


def test_what_mux_refuses_ends_with_its_words(mux_sim: MuxSim, lesson: Lesson) -> None:
    mux_sim.control.fault("api", "status", match={"operation": "generate_subtitles"}, times=1, status=400)
    with pytest.raises(mux.Refused):
        carry_out()
    [row] = tracks()
    assert (row.state, row.due_at, bool(row.error)) == ("failed", None, True)
    assert captions(lesson).status == "failed"


def test_a_video_that_is_removed_meanwhile_ends_it(mux_sim: MuxSim, lesson: Lesson) -> None:
    with transaction(Actor.user(lesson.creator_id)):
        removal.remove_video(mux_sim.lesson(lesson))
    before = len(mux_sim.calls())
    assert not carry_out()
    assert (tracks()[0].state, tracks()[0].due_at, len(mux_sim.calls())) == ("failed", None, before)
    assert captions(lesson).status == "none"
