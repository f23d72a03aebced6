"""Still pictures: their addresses, and none while nothing plays."""

from sqlalchemy.orm import Session

from lessonadmin.domain import playback, thumbnails
from tests.factories import make_lesson, make_playing_lesson


def test_the_size_stands_in_a_public_address(session: Session) -> None:
    lesson = make_playing_lesson(playback_policy="public")
    address = thumbnails.thumbnail(lesson, width=320, height=180)
    assert address is not None
    assert f"/{lesson.mux_playback_id}/thumbnail.jpg?width=320&height=180" in address


def test_a_lesson_without_a_video_has_no_picture(session: Session) -> None:
    assert thumbnails.thumbnail(make_lesson(), width=320, height=180) is None


def test_the_storyboard_of_a_public_video_has_no_token(session: Session) -> None:
    source = playback.source(make_playing_lesson(playback_policy="public"))
    assert thumbnails.storyboard(source).endswith(f"/{source.playback_id}/storyboard.vtt")
