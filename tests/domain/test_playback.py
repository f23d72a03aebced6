"""Where a video plays: its address, and tokens only for a signed one."""

import pytest

from lessonadmin.domain import playback
from lessonadmin.domain.errors import Conflict, Forbidden, Unavailable
from tests.factories import make_lesson, make_playing_lesson, make_purchase, make_user
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")
HOUR = 3600


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (None, 24 * HOUR),
        (0.0, 2 * HOUR),
        (2 * HOUR, 3 * HOUR),
        (16 * HOUR, 24 * HOUR),
        (40 * HOUR, 24 * HOUR),
    ],
)
def test_a_token_outlives_the_video_within_a_day(duration: float | None, seconds: int) -> None:
    assert playback.life(duration) == seconds


def test_a_public_video_has_no_tokens() -> None:
    with overridden(mux_stream_url="https://stream.example"):
        source = playback.source(make_playing_lesson(mux_playback_id="abc"))
    assert source.src == "https://stream.example/abc.m3u8"
    assert (source.token, source.thumbnail_token, source.storyboard_token) == (None, None, None)


@pytest.mark.parametrize("status", ["none", "processing", "error", "deleting"])
def test_what_is_not_ready_does_not_play(status: str) -> None:
    lesson = make_playing_lesson(video_processing_status=status)
    with pytest.raises(Conflict) as refused:
        playback.source(lesson)
    assert refused.value.type == "not_ready"


def test_a_signed_video_without_a_key_is_refused() -> None:
    with pytest.raises(Unavailable) as refused:
        playback.source(make_playing_lesson(playback_policy="signed"))
    assert refused.value.type == "signing_unavailable"


def test_a_paid_lesson_plays_for_who_bought_it() -> None:
    lesson, student = make_playing_lesson(price_cents=900), make_user(role="student")
    with pytest.raises(Forbidden) as refused:
        playback.of_lesson(student, lesson.id)
    assert refused.value.type == "purchase_required"
    make_purchase(lesson, student)
    assert playback.of_lesson(student, lesson.id).playback_id == lesson.mux_playback_id


def test_the_tokens_of_a_source_are_not_printed() -> None:
    source = playback.Source(
        src="a?token=secret", playback_id="a", policy="signed", token="secret",
        thumbnail_token="secret", storyboard_token="secret",
    )  # fmt: skip
    assert "secret" not in repr(source)


def test_an_instructor_is_told_why_a_lesson_without_a_video_does_not_play() -> None:
    lesson = make_lesson()
    with pytest.raises(Conflict, match="cannot be played yet"):
        playback.source(lesson)
