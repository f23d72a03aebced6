"""Mux is told once, whatever is killed between the calls; what it refuses for good ends, the rest stays due."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import update

from lessonadmin import mux
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.captions import asking, carrying_out, fetching, text_address, transcripts
from lessonadmin.domain.models import CaptionTrack, Lesson
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.videos import removal
from tests.domain.captions.support import captions, tracks
from tests.factories import make_lesson
from tests.flows.processes import wait_for
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


# Captions of one's own

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nGood morning.\n"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """What Mux fetches is served at the address that is told to it; `status` is how it is answered."""
    answers = {"status": 200}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers["status"])
            self.end_headers()
            self.wfile.write(VTT)

        def log_message(self, *_: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(
            text_address, "of", lambda row_id: f"http://127.0.0.1:{server.server_port}/{row_id}"
        )
        yield answers
        server.shutdown()


@pytest.fixture
def with_german(mux_sim: MuxSim, lesson: Lesson) -> Lesson:
    """The captions that Mux made are ready, and own ones in the same language were added."""
    carry_out()
    mux_sim.deliver()
    with transaction(Actor.user(lesson.creator_id)):
        asking.add_own(lesson, language="de", label="", data=VTT)
    return lesson


def states() -> list[tuple[str, str]]:
    return [(one.source, one.state) for one in tracks()]


def fetched(mux_sim: MuxSim, lesson: Lesson) -> None:
    """Mux has fetched what it was told, and its events are here."""
    asset_id = mux_sim.lesson(lesson).mux_asset_id or ""
    wait_for(
        lambda: "preparing" not in [one["status"] for one in mux_sim.control.asset(asset_id)["tracks"]],
        seconds=10,
    )
    mux_sim.deliver()


@pytest.mark.enable_socket
def test_own_captions_replace_those_that_mux_made_when_they_are_ready(
    mux_sim: MuxSim, with_german: Lesson, served: dict[str, int]
) -> None:
    assert carry_out()
    assert states() == [("generated", "ready"), ("own", "preparing")], "viewers are never without"
    fetched(mux_sim, with_german)
    assert states() == [("generated", "deleting"), ("own", "ready")]
    assert captions(with_german).status == "ready"
    (due,) = carrying_out.due()
    assert carrying_out.carry_out(due, actor=CLI)
    assert states() == [("generated", "deleted"), ("own", "ready")]
    assert len(at_mux(mux_sim, with_german)) == 1
    said = transcripts.of_lesson(mux_sim.lesson(with_german))
    assert said is not None
    assert (said.lines, said.is_own) == ([[1000, "Good morning."]], True)
    assert (tracks()[1].webvtt, fetching.due()) == (None, []), "what a person wrote is not fetched again"


@pytest.mark.enable_socket
def test_own_captions_that_mux_cannot_fetch_fail_and_the_others_stay(
    mux_sim: MuxSim, with_german: Lesson, served: dict[str, int]
) -> None:
    served["status"] = 404
    assert carry_out()
    fetched(mux_sim, with_german)
    assert states() == [("generated", "ready"), ("own", "failed")]
    assert carrying_out.due() == []


@pytest.mark.enable_socket
def test_a_killed_worker_adds_no_second_track_of_own_captions(
    mux_sim: MuxSim, with_german: Lesson, served: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_after_the_call(monkeypatch)
    due_again()
    carry_out()
    assert len(at_mux(mux_sim, with_german)) == 2
    fetched(mux_sim, with_german)
    assert states() == [("generated", "deleting"), ("own", "ready")]


@pytest.mark.enable_socket
def test_own_captions_whose_events_are_lost_are_found_by_the_look_at_their_upload(
    mux_sim: MuxSim, with_german: Lesson, served: dict[str, int]
) -> None:
    assert mux_sim.uploads(with_german)[0].next_check_at is None
    assert carry_out()
    (upload,) = mux_sim.uploads(with_german)
    assert upload.next_check_at is not None, "Mux still works on one, beside one that is ready"
    asset_id = upload.mux_asset_id or ""
    wait_for(
        lambda: "preparing" not in [one["status"] for one in mux_sim.control.asset(asset_id)["tracks"]],
        seconds=10,
    )
    ask_mux.check_upload(upload.id, actor=CLI, priority="low", found_by="sweep")
    assert states() == [("generated", "deleting"), ("own", "ready")]
    assert mux_sim.uploads(with_german)[0].next_check_at is None
