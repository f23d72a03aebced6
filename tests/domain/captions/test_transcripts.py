"""A transcript has readable lines and words that an index bears, is shown with its own video alone, and goes with its captions."""

import pytest
from sqlalchemy import select

from lessonadmin.database import row_access
from lessonadmin.database.row_access import EVERYTHING, RowAccess
from lessonadmin.db import CLI, db, transaction
from lessonadmin.domain import permissions
from lessonadmin.domain.captions import transcripts
from lessonadmin.domain.models import CaptionTrack, Lesson, Tracking, Transcript
from lessonadmin.text.subtitles import Cue, Subtitles
from tests.domain.captions.support import captioned, given_captions, transcribed
from tests.factories import make_purchase, make_user


def read(*cues: tuple[int, str]) -> Subtitles:
    return Subtitles([Cue(start, start + 500, text, 1) for start, text in cues])


def test_captions_become_lines_that_can_be_read() -> None:
    found = transcripts.lines_of(
        read((0, "<v Ada>Good <i>morning</i>,"), (2000, "&amp; welcome\nto bread."), (9000, "<b></b>"), (11_000, "Knead it."))
    )  # fmt: skip
    assert found == [(0, "Good morning, & welcome to bread."), (11_000, "Knead it.")]
    assert transcripts.lines_of(read()) == []


def test_a_long_video_has_longer_lines_and_no_more_than_a_page_shows() -> None:
    twelve_hours = read(*((second * 1000, f"word{second}") for second in range(0, 12 * 3600, 3)))
    lines = transcripts.lines_of(twelve_hours)
    assert 500 < len(lines) <= transcripts.MAX_LINES
    assert sum(len(text.split()) for _, text in lines) == 12 * 1200
    endless = read(*((number, "x" * 1000) for number in range(2000)))
    assert sum(len(text) for _, text in transcripts.lines_of(endless)) <= transcripts.MAX_CHARACTERS + 2000


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("letter", ["a", "\u00e4", "\U00020000"])
def test_the_index_bears_whatever_is_said(letter: str) -> None:
    """Every word another one, and each taken apart to three: the most that an index entry can be."""
    words = (f"{letter * (number % 40)}-{number:x}-{letter}" for number in range(60_000))
    lines = [(0, " ".join(words))]
    lesson = captioned("ready")
    row = given_captions(lesson)
    with transaction(CLI):
        upload = db.session.get_one(Tracking, row.tracking_id)
        transcripts.keep(db.session.get_one(CaptionTrack, row.id), upload, read((0, lines[0][1])))
    kept = db.session.scalars(select(Transcript.words)).one()
    assert 50_000 < len(kept) <= transcripts.MAX_WORDS_LENGTH


def test_words_stand_once_without_what_is_around_them() -> None:
    assert transcripts.words_of([(0, "Well-known, “Bread” bread?"), (1, f"... {'x' * 200} ROUX")]) == (
        "well-known bread roux"
    )
    assert transcripts.words_of([(0, "Schönen Café")]) == "schönen schonen café cafe"


@pytest.mark.usefixtures("session")
def test_it_is_shown_with_its_own_video_alone_and_what_a_person_wrote_comes_first() -> None:
    lesson = transcribed("Knead the dough.")
    found = transcripts.of_lesson(lesson)
    assert found is not None
    assert found.lines == [[0, "Knead the dough."]]
    own = transcribed("Fold the dough.", lesson=lesson, source="own")
    shown = transcripts.of_lesson(own)
    assert shown is not None
    assert shown.lines == [[0, "Fold the dough."]]
    with transaction(CLI):
        lesson.mux_asset_id = "another asset"
    assert transcripts.of_lesson(lesson) is None


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("model", "column", "value", "left"),
    [
        (CaptionTrack, "state", "deleting", 0),
        (CaptionTrack, "state", "deleted", 0),
        (CaptionTrack, "state", "failed", 1),
        (Tracking, "status", "deleted", 0),
        (Tracking, "status", "deleting", 1),
    ],
)
def test_it_goes_with_its_captions_or_its_video(
    model: type[CaptionTrack | Tracking], column: str, value: str, left: int
) -> None:
    transcribed("Knead the dough.")
    with transaction(CLI):
        setattr(db.session.scalars(select(model)).one(), column, value)
    assert len(db.session.scalars(select(Transcript)).all()) == left


@pytest.mark.usefixtures("session")
def test_the_policies_give_it_to_those_who_may_play_and_to_no_other_user() -> None:
    ada = make_user()
    students = bought, other = make_user(role="student"), make_user(role="student")
    paid = transcribed("secret", price_cents=900, creator=ada)
    free = transcribed("open", price_cents=0, creator=ada)
    draft = transcribed("draft", price_cents=0, creator=ada, status="draft", published_at=None)
    make_purchase(paid, bought)
    db.session.commit()
    lessons: list[Lesson] = [paid, free, draft]
    seen = {}
    for user in (ada, *students, make_user()):
        row_access.use(EVERYTHING)
        may = {lesson.id for lesson in lessons if permissions.may_play(user, lesson)}
        row_access.use(RowAccess(user.id))
        db.session.rollback()
        found = set(db.session.scalars(select(Transcript.lesson_id)))
        assert found == may
        seen[user.id] = len(found)
    row_access.use(EVERYTHING)
    assert list(seen.values()) == [3, 2, 1, 1]
    assert other.id in seen
