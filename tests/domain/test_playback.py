"""Where a video plays, and how long its tokens live."""

import pytest
from sqlalchemy.orm import Session

from lessonadmin.domain import playback
from lessonadmin.domain.errors import Conflict
from tests.factories import make_lesson, make_playing_lesson


@pytest.mark.parametrize(
    ("duration", "seconds"), [(None, 24 * 3600), (60, 2 * 3600), (2 * 3600, 3 * 3600), (24 * 3600, 24 * 3600)]
)
def test_a_token_outlives_its_video_within_bounds(duration: float | None, seconds: int) -> None:
    assert playback.life(duration) == seconds


def test_a_public_video_plays_without_a_token(session: Session) -> None:
    source = playback.source(make_playing_lesson(playback_policy="public"))
    assert source.src.endswith(f"/{source.playback_id}.m3u8")
    assert source.token is source.thumbnail_token is source.storyboard_token is None


def test_a_lesson_without_a_video_has_no_source(session: Session) -> None:
    with pytest.raises(Conflict):
        playback.source(make_lesson())
