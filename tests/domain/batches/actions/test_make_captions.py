"""Make captions in bulk: where there are none, once; the preview says the same as the run."""

import pytest
from sqlalchemy import select

from lessonadmin.db import db
from lessonadmin.domain.batches import registry, results
from lessonadmin.domain.batches.actions import make_captions
from lessonadmin.domain.models import CaptionTrack, Lesson
from tests.domain.batches.actions.support import run
from tests.domain.captions.support import captioned, captions
from tests.factories import make_course, make_lesson, make_playing_lesson

CODES = {
    "ready": "captions_there",
    "preparing": "captions_there",
    "asked": "captions_there",
    "failed": "makes_captions",
    "skipped": "makes_captions",
    "deleted": "makes_captions",
}


def verdicts() -> dict[Lesson, str]:
    return {row[0]: row[1] for row in db.session.execute(select(Lesson, make_captions.verdict()))}


@pytest.mark.usefixtures("session")
def test_where_there_are_none_and_the_preview_says_so() -> None:
    lessons = {state: captioned(state) for state in CODES}
    plain, without = make_playing_lesson(), make_lesson()
    wanted = {lessons[state].id: code for state, code in CODES.items()}
    wanted |= {plain.id: "makes_captions", without.id: "no_video"}
    assert {lesson.id: code for lesson, code in verdicts().items()} == wanted
    db.session.rollback()
    done = run("lesson", "make_captions", *wanted)
    assert {one: line.note for one, line in done.items()} == {
        one: results.SENTENCES[code] for one, code in wanted.items()
    }
    assert (captions(plain).status, captions(plain).language) == ("preparing", "auto")
    again = run("lesson", "make_captions", plain.id)
    assert again[plain.id].note == results.SENTENCES["captions_there"]
    asked = select(CaptionTrack).where(CaptionTrack.state == "asked")
    assert len(db.session.scalars(asked).all()) == 5
    assert registry.find("lesson", "make_captions").asks_mux is False


@pytest.mark.usefixtures("session")
def test_captions_are_made_in_the_language_of_the_course() -> None:
    course = make_course(language="de")
    lesson = make_playing_lesson(course_id=course.id)
    run("lesson", "make_captions", lesson.id)
    assert captions(lesson).language == "de"
