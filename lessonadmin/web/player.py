"""The attributes of <mux-player>, on every page that plays a video. Who may play it is checked before."""

from dataclasses import dataclass

from lessonadmin.domain import playback, thumbnails
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import Owner


@dataclass(frozen=True, kw_only=True)
class Player:
    src: str
    playback_id: str
    poster: str | None
    storyboard: str


def player_of(owner: Owner) -> Player | None:
    """None while nothing plays."""
    try:
        source = playback.source(owner)
    except Problem:
        return None
    return Player(
        src=source.src,
        playback_id=source.playback_id,
        poster=thumbnails.thumbnail(owner, width=960, height=540),
        storyboard=thumbnails.storyboard(source),
    )
