"""What the player of a page gets: nothing while nothing plays, and pictures of the same video."""

import pytest

from lessonadmin.domain.models import Lesson
from lessonadmin.web.player import player_of
from tests.factories import make_lesson, make_playing_lesson
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("session")


def test_a_video_that_plays_comes_with_its_pictures() -> None:
    lesson = make_playing_lesson()
    with overridden(mux_stream_url="https://stream.example", mux_image_url="https://image.example"):
        player = player_of(lesson)
    assert player is not None
    playback_id = lesson.mux_playback_id
    assert player.src == f"https://stream.example/{playback_id}.m3u8"
    assert player.playback_id == playback_id
    assert player.poster == (
        f"https://image.example/{playback_id}/thumbnail.jpg?width=960&height=540&fit_mode=smartcrop"
    )
    assert player.storyboard == f"https://image.example/{playback_id}/storyboard.vtt"


def no_video() -> Lesson:
    return make_lesson()


def deleting() -> Lesson:
    return make_playing_lesson(video_processing_status="deleting")


def signed_without_a_key() -> Lesson:
    return make_playing_lesson(playback_policy="signed")


@pytest.mark.parametrize("make", [no_video, deleting, signed_without_a_key])
def test_what_does_not_play_has_no_player(make: object) -> None:
    assert player_of(make()) is None  # type: ignore[operator]
