"""Where a video plays, and the tokens that open it for one viewer. Who may play it is asked first.

A signed video gets tokens that live longer than the video lasts, so that no viewer is cut off in the middle. A public one
never gets any: with a token it would not play.
"""

import math
import uuid
from dataclasses import dataclass

from lessonadmin import config, mux
from lessonadmin.domain import permissions
from lessonadmin.domain.errors import Conflict, Unavailable
from lessonadmin.domain.models import Owner, User

MIN_LIFETIME_SECONDS = 2 * 3600
MAX_LIFETIME_SECONDS = 24 * 3600
SLACK = 1.5


@dataclass(frozen=True, kw_only=True, repr=False)
class Source:
    """Everything a player needs; the tokens are secrets of this one viewer."""

    src: str
    playback_id: str
    policy: str
    token: str | None
    thumbnail_token: str | None
    storyboard_token: str | None


def of_lesson(user: User, lesson_id: uuid.UUID) -> Source:
    """For its instructor, staff, buyers, and all users if it is published and free."""
    return source(permissions.lesson_to_play(user, lesson_id))


def source(owner: Owner, *, at_most: float = MAX_LIFETIME_SECONDS) -> Source:
    """The video of a lesson or course for a user who may play it; its tokens live no longer than `at_most` seconds."""
    playback_id = owner.mux_playback_id
    if not owner.is_playable or not playback_id:
        temporary = owner.has_temporary_id and owner.video_processing_status == "ready"
        why = " It has a temporary id, and Mux is still to be asked for the true one." if temporary else ""
        raise Conflict("not_ready", f"This video cannot be played yet.{why}")
    policy = owner.playback_policy or "public"
    seconds = min(life(owner.video_duration), math.ceil(at_most))
    token, thumbnail, storyboard = _tokens(playback_id, seconds) if policy == "signed" else (None, None, None)
    return Source(
        src=f"{config.current().mux_stream_url}/{playback_id}.m3u8" + (f"?token={token}" if token else ""),
        playback_id=playback_id,
        policy=policy,
        token=token,
        thumbnail_token=thumbnail,
        storyboard_token=storyboard,
    )


def life(duration: float | None) -> int:
    """Seconds that a token lives: half as long again as the video, from two hours to a day."""
    if duration is None:
        return MAX_LIFETIME_SECONDS
    return int(min(max(duration * SLACK, MIN_LIFETIME_SECONDS), MAX_LIFETIME_SECONDS))


def _tokens(playback_id: str, seconds: int) -> tuple[str, str, str]:
    try:
        made = [
            mux.playback_token(playback_id, audience=audience, seconds=seconds)
            for audience in ("v", "t", "s")
        ]
    except mux.BadSigningKey as error:
        raise _no_key() from error
    video, thumbnail, storyboard = made
    if video is None or thumbnail is None or storyboard is None:
        raise _no_key()
    return video, thumbnail, storyboard


def _no_key() -> Unavailable:
    return Unavailable(
        "signing_unavailable", "This video is protected and the key to it is not set up. Please tell support."
    )
