"""The attributes of <mux-player>, on every page that plays a video. Who may play it is checked before."""

from dataclasses import dataclass

from lessonadmin.domain import playback, thumbnails
from lessonadmin.domain.errors import Problem
from lessonadmin.domain.models import Owner
from lessonadmin.web import headers


@dataclass(frozen=True, kw_only=True)
class Player:
    src: str
    playback_id: str
    poster: str | None
    storyboard: str


def shown_player(owner: Owner, *, at_most: float = playback.MAX_LIFETIME_SECONDS) -> Player | None:
    """The same for a page that shows it: the page then gets the Content-Security-Policy that a player needs."""
    found = player_of(owner, at_most=at_most)
    if found is not None:
        headers.needs_widgets()
    return found


def player_of(owner: Owner, *, at_most: float = playback.MAX_LIFETIME_SECONDS) -> Player | None:
    """None while nothing plays. It plays for `at_most` seconds, if its video is protected."""
    try:
        source = playback.source(owner, at_most=at_most)
    except Problem:
        return None
    return Player(
        src=source.src,
        playback_id=source.playback_id,
        poster=thumbnails.thumbnail(owner, width=960, height=540),
        storyboard=thumbnails.storyboard(source),
    )
