"""What people ask for about captions is a row under the lock, told to Mux later: made, removed, marked as checked."""

import uuid
from typing import Any

import pytest

from lessonadmin.db import Actor, db, transaction
from lessonadmin.domain.captions import asking
from lessonadmin.domain.errors import Conflict, Invalid, Missing
from lessonadmin.domain.models import CaptionTrack, Lesson
from lessonadmin.domain.videos import video_status
from tests.domain.captions.support import captioned, captions, given_captions, tracks
from tests.factories import make_lesson, make_playing_lesson, make_user
from tests.mux_sim import MuxSim


def ask(lesson: Lesson, language: str = "de") -> None:
    with transaction(Actor.user(lesson.creator_id)):
        asking.make(lesson, language)


@pytest.mark.usefixtures("session")
def test_captions_that_are_asked_for_are_on_their_way_at_once() -> None:
    lesson = make_playing_lesson()
    ask(lesson)
    found = captions(lesson)
    assert (found.status, found.language) == ("preparing", "de")
    [row] = tracks()
    assert (row.state, row.label, row.mux_track_id, row.due_at is not None) == ("asked", "German", None, True)
    assert found.sentence == "Captions in German will be ready soon. The video plays meanwhile."


@pytest.mark.usefixtures("session")
def test_not_twice_and_not_for_nothing() -> None:
    lesson = make_playing_lesson()
    ask(lesson)
    for language in ("de", "en", "auto"):
        with pytest.raises(Conflict, match="making them"):
            ask(lesson, language)
    with pytest.raises(Invalid):
        ask(lesson, "tlh")
    with pytest.raises(Conflict, match="does not play"):
        ask(make_lesson())
    assert len(tracks()) == 1
    ready = captioned("ready", language="en")
    for language in ("en", "auto"):
        with pytest.raises(Conflict):
            ask(ready, language)
    ask(ready, "de")
    assert video_status.of(ready).captions.language == "en", "the ones that are ready stay in front"


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_after_a_failure_they_are_asked_for_again(state: str) -> None:
    lesson = captioned(state, language="de")
    ask(lesson)
    assert captions(lesson).status == "preparing"


@pytest.mark.usefixtures("session")
def test_removed_they_are_gone_here_at_once() -> None:
    lesson = captioned("ready", language="de")
    [row] = tracks()
    with transaction(Actor.user(lesson.creator_id)):
        asking.remove(lesson, row.id)
    assert captions(lesson).status == "none"
    [row] = tracks()
    assert (row.state, row.due_at is not None) == ("deleting", True)
    assert asking.shown_for(row.tracking_id) == []


def test_the_mark_says_who_and_is_taken_back(mux_sim: MuxSim) -> None:
    lesson = captioned("ready", language="de")
    support = make_user(role="support", name="Sue Port")
    [row] = tracks()
    with transaction(Actor.user(support.id)):
        asking.mark_checked(lesson, row.id, checked=True)
    [(shown, who)] = asking.shown_for(row.tracking_id)
    assert (shown.checked_at is not None, who) == (True, "Sue Port")
    db.session.rollback()
    with transaction(Actor.user(support.id)):
        asking.mark_checked(lesson, row.id, checked=True)
        asking.mark_checked(lesson, row.id, checked=False)
    assert (tracks()[0].checked_at, tracks()[0].checked_by) == (None, None)
    assert mux_sim.actions(lesson.id) == ["video.captions_checked", "video.captions_unchecked"]


@pytest.mark.usefixtures("session")
def test_only_what_is_ready_is_checked_and_only_ones_own_is_found() -> None:
    lesson, other = captioned("preparing"), captioned("ready")
    mine, theirs = (given_captions(one) for one in (lesson, other))
    by = Actor.user(lesson.creator_id)
    with pytest.raises(Conflict), transaction(by):
        asking.mark_checked(lesson, mine.id, checked=True)
    for track_id in (theirs.id, uuid.uuid4()):
        with pytest.raises(Missing), transaction(by):
            asking.remove(lesson, track_id)
        with pytest.raises(Missing), transaction(by):
            asking.mark_checked(lesson, track_id, checked=True)
    with pytest.raises(Missing), transaction(by):
        asking.make(other, "de")
    assert isinstance(mine, CaptionTrack)


VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nGood morning.\n"


def add(lesson: Lesson, *, language: str = "de", label: str = "", data: bytes = VTT) -> CaptionTrack:
    with transaction(Actor.user(lesson.creator_id)):
        return asking.add_own(lesson, language=language, label=label, data=data)


@pytest.mark.usefixtures("session")
def test_own_captions_are_on_their_way_and_say_what_to_look_at() -> None:
    lesson = make_playing_lesson()
    row = add(lesson, label="  Deutsch\n(SDH) ", data=VTT + b"\n00:01.500 --> 00:03.000\nAgain.\n")
    assert (row.source, row.state, row.language, row.label) == ("own", "asked", "de", "Deutsch (SDH)")
    assert (row.webvtt or "").startswith("WEBVTT")
    assert "at line 6" in (row.warning or "")
    assert captions(lesson).status == "preparing"
    with pytest.raises(Conflict, match="still fetching"):
        add(lesson, language="en")


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"language": "auto"}, "Choose the language"),
        ({"language": "tlh"}, "Choose the language"),
        ({"label": "x" * 61}, "at most 60 characters"),
        ({"data": b"WEBVTT\n\n00:03.000 --> 00:02.000\nx"}, "Line 3: the caption ends before it begins"),
        ({"data": b""}, "empty"),
    ],
)
def test_own_captions_that_are_refused_say_why(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        add(make_playing_lesson(), **given)
    assert tracks() == []


@pytest.mark.usefixtures("session")
def test_own_captions_need_a_video_and_the_right_to_it() -> None:
    with pytest.raises(Conflict, match="does not play"):
        add(make_lesson())
    lesson = make_playing_lesson()
    with transaction(Actor.user(make_user().id)), pytest.raises(Missing):
        asking.add_own(lesson, language="de", label="", data=VTT)


@pytest.mark.usefixtures("session")
def test_own_captions_take_the_place_of_those_in_the_same_language_alone() -> None:
    lesson = captioned("ready", language="de")
    before = given_captions(lesson)
    assert add(lesson, language="de").replaces_id == before.id
    assert add(captioned("ready", language="en"), language="de").replaces_id is None
    assert captions(lesson).status == "ready", "viewers are never without"
