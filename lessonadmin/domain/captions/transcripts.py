"""The transcript of a lesson's video: what its captions say, kept here for reading beside the player and for searches.

Made of captions in WebVTT, bounded in lines and words, and shown only while its asset is the one that the lesson plays. Who may play the
lesson may read it: the caller asks (`permissions`), and the policies of the table say it again. Talks to no one.
"""

import html
import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from lessonadmin.db import db, transaction_time
from lessonadmin.domain.models import CaptionTrack, Lesson, Tracking, Transcript
from lessonadmin.text.subtitles import Subtitles
from lessonadmin.text.texts import one_line

MAX_LINES = 1_000  # of a page: a long video has longer lines
LINE_MS = 8_000
MAX_CHARACTERS = 1_000_000
# Each word once: of more, or of longer ones, PostgreSQL makes no index entry.
MAX_WORDS_LENGTH, MAX_WORD_LENGTH = 60_000, 100
TAG = re.compile(r"<[^<>]*>")
AROUND = re.compile(r"^[\W_]+|[\W_]+$")


def keep(track: CaptionTrack, upload: Tracking, read: Subtitles) -> None:
    """The transcript of a track is this one from now on. Nothing is kept of the preview of a course, or if nothing is said."""
    track.transcribed_at, track.due_at, track.webvtt = transaction_time(), None, None
    lines = lines_of(read)
    if upload.lesson_id is None or upload.mux_asset_id is None or not lines:
        return
    db.session.flush()
    values = {
        "lesson_id": upload.lesson_id,
        "mux_asset_id": upload.mux_asset_id,
        "is_own": track.source == "own",
        "language": track.language,
        "lines": [list(line) for line in lines],
        "words": words_of(lines),
    }
    made = insert(Transcript).values(track_id=track.id, **values)
    db.session.execute(made.on_conflict_do_update(index_elements=["track_id"], set_=values))


def lines_of(read: Subtitles) -> list[tuple[int, str]]:
    """The moment in milliseconds and what is said from there on: captions are put together to lines that can be read."""
    span = max(LINE_MS, read.cues[-1].start // MAX_LINES + 1) if read.cues else LINE_MS
    lines: list[tuple[int, list[str]]] = []
    left = MAX_CHARACTERS
    for cue in read.cues:
        text = one_line(html.unescape(TAG.sub("", cue.text)))[:left]
        left -= len(text)
        if text and lines and cue.start - lines[-1][0] < span:
            lines[-1][1].append(text)
        elif text:
            lines.append((cue.start, [text]))
    return [(start, " ".join(texts)) for start, texts in lines]


def words_of(lines: list[tuple[int, str]]) -> str:
    """Every word once, in small letters, with and without its accents, as far as the index bears it."""
    found = (AROUND.sub("", word) for _, text in lines for word in text.lower().split())
    words = dict.fromkeys(word for word in found if word and len(word) <= MAX_WORD_LENGTH)
    both = dict.fromkeys(one for word in words for one in (word, _without_accents(word)))
    return " ".join(both)[:MAX_WORDS_LENGTH]


def _without_accents(word: str) -> str:
    apart = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def of_lesson(lesson: Lesson) -> Transcript | None:
    """What is said in the video that plays, for a reader who may play it; what a person wrote comes first, then the newest."""
    if lesson.mux_asset_id is None or not lesson.is_playable:
        return None
    wanted = (
        select(Transcript)
        .where(Transcript.lesson_id == lesson.id, Transcript.mux_asset_id == lesson.mux_asset_id)
        .order_by(Transcript.is_own.desc(), Transcript.created_at.desc())
        .limit(1)
    )
    return db.session.scalar(wanted)
