"""The text of captions is fetched once, whatever is lost or killed; a failed fetch comes again later, and in the end is given up."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from lessonadmin import mux
from lessonadmin.db import CLI, Actor, db, transaction
from lessonadmin.domain.captions import asking, fetching, transcripts
from lessonadmin.domain.maintenance import sweep as maintenance_sweep
from lessonadmin.domain.models import CaptionTrack, Lesson, Transcript
from lessonadmin.domain.uploads import direct_upload
from tests.domain.captions.support import captioned, tracks
from tests.factories import make_course, make_lesson
from tests.mux_sim import MuxSim
from tests.settings import overridden


@pytest.fixture(params=["public", "signed"])
def policy(request: pytest.FixtureRequest, mux_sim: MuxSim) -> Iterator[str]:
    key = mux_sim.control.create_signing_key() if request.param == "signed" else None
    names = {"mux_signing_key_id": key["id"], "mux_signing_private_key": key["private_key"]} if key else {}
    with overridden(**names):
        yield request.param


def ready(mux_sim: MuxSim) -> Lesson:
    """A lesson whose captions Mux has made."""
    lesson = make_lesson()
    file = direct_upload.File(name="talk.mp4", caption_language="en")
    ticket = direct_upload.start(lesson, file, actor=Actor.user(lesson.creator_id))
    mux_sim.control.complete_upload(ticket.upload_id, audio=True)
    mux_sim.deliver()
    return mux_sim.lesson(lesson)


def fetches(mux_sim: MuxSim) -> list[int]:
    return [one["status"] for one in mux_sim.control.calls(target="playback")]


def fetch() -> bool:
    return fetching.fetch(tracks()[0].id, actor=CLI)


def due_again(**columns: object) -> None:
    with transaction(CLI):
        values = {"due_at": CaptionTrack.due_at - timedelta(days=1), **columns}
        db.session.execute(update(CaptionTrack).values(**values))


def said(lesson: Lesson) -> Transcript | None:
    db.session.rollback()
    return transcripts.of_lesson(db.session.get_one(Lesson, lesson.id, populate_existing=True))


def test_captions_that_are_ready_are_fetched_once(mux_sim: MuxSim, policy: str) -> None:
    lesson = ready(mux_sim)
    assert mux_sim.uploads(lesson)[0].playback_policy == policy
    assert said(lesson) is None
    assert fetch()
    found = said(lesson)
    assert found is not None
    assert (found.language, found.is_own) == ("en", False)
    assert all(isinstance(start, int) and text for start, text in found.lines)
    assert not fetch()
    assert fetching.due() == []
    assert fetches(mux_sim) == [200]


def test_a_lost_job_costs_nothing_since_the_sweep_finds_the_track(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = ready(mux_sim)
    with monkeypatch.context() as without:
        without.setattr(fetching, "due", lambda limit: [])
        maintenance_sweep.sweep()
        assert said(lesson) is None, "nothing else brings it"
    assert maintenance_sweep.sweep().figures["transcripts"] == 1
    assert said(lesson) is not None
    assert maintenance_sweep.sweep().figures["transcripts"] == 0
    assert fetches(mux_sim) == [200]


def test_a_failed_fetch_comes_again_later_and_is_given_up_in_the_end(mux_sim: MuxSim) -> None:
    lesson = ready(mux_sim)
    mux_sim.control.fault("playback", "status", status=404)
    assert not fetch()
    assert fetching.due() == [], "put off"
    due_again()
    (due,) = fetching.due()
    assert due == tracks()[0].id
    due_again(attempts=fetching.MAX_TRIES - 1)
    assert not fetch()
    assert fetching.due() == []
    assert (tracks()[0].transcribed_at is not None, said(lesson)) == (True, None)


def test_while_mux_does_not_answer_it_is_never_given_up(mux_sim: MuxSim) -> None:
    lesson = ready(mux_sim)
    mux_sim.control.fault("playback", "status", status=503)
    due_again(attempts=100)
    with pytest.raises(mux.MuxError):
        fetch()
    assert tracks()[0].transcribed_at is None
    mux_sim.control.clear_faults()
    due_again()
    assert fetch()
    assert said(lesson) is not None


def test_a_worker_that_is_killed_after_the_request_fetches_again(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = ready(mux_sim)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(fetching, "_keep", die)
        with pytest.raises(KeyboardInterrupt):
            fetch()
    assert not fetch(), "put off, so that two never work on it at once"
    due_again()
    assert fetch()
    assert said(lesson) is not None


def test_captions_that_are_removed_meanwhile_leave_no_transcript(
    mux_sim: MuxSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = ready(mux_sim)
    read = mux.read_captions

    def removed_meanwhile(*given: str, **more: object) -> bytes:
        text = read(*given, **more)  # type: ignore[arg-type]
        with transaction(Actor.user(lesson.creator_id)):
            asking.remove(lesson, tracks()[0].id)
        return text

    monkeypatch.setattr(mux, "read_captions", removed_meanwhile)
    assert not fetch()
    assert said(lesson) is None


@pytest.mark.usefixtures("session")
def test_the_preview_of_a_course_has_no_transcript_and_costs_no_request(mux_sim: MuxSim) -> None:
    course = make_course()
    mux_sim.uploaded(course)
    mux_sim.deliver()
    with transaction(CLI):
        (upload,) = mux_sim.uploads(course)
        db.session.add(
            CaptionTrack(tracking_id=upload.id, mux_track_id="t", source="generated", state="ready")
        )
    assert not fetch()
    assert (fetching.due(), fetches(mux_sim)) == ([], [])


@pytest.mark.usefixtures("mux_sim")
def test_a_track_of_before_is_due_by_itself() -> None:
    captioned("ready")
    captioned("preparing")
    assert len(fetching.due()) == 1
