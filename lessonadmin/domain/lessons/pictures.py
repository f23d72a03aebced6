"""The picture of a lesson or a course: a moment of its own video, which its instructor chooses in the player.

Nothing is written to Mux, which makes a still of any moment. The moment belongs to the video in which it was chosen: another one is shown by
the picture that Mux chooses, and with an undo the picture comes back, too. Where a picture is served stands in `domain.thumbnails`.
"""

import math
import re

from lessonadmin.domain.audit import audit_log
from lessonadmin.domain.errors import Conflict, Invalid
from lessonadmin.domain.models import Owner
from lessonadmin.domain.videos import locking

FIELD = "seconds"
MOMENT = re.compile(r"\d{1,7}(\.\d{1,9})?", re.ASCII)


def read_moment(text: str) -> float:
    """Seconds from the beginning, as a player tells them; raises Invalid for anything else."""
    if MOMENT.fullmatch(text) is None:
        raise Invalid.field(FIELD, "Choose a moment of the video.")
    return float(text)


def choose(owner: Owner, seconds: float | None) -> bool:
    """The picture is this moment from now on, or with None the one that Mux chooses; False if it is that already."""
    video = locking.lock_video_of(owner)
    owner = video.owner
    if not owner.is_playable:
        raise Conflict("no_video", "The video does not play at the moment, so no picture can be chosen.")
    if seconds is not None:
        # a tenth of a second is finer than pictures follow each other in the list of a player, and the last one is a picture, too
        seconds = math.floor(min(seconds, owner.video_duration or seconds) * 10) / 10
    if seconds == owner.picture_at:
        return False
    before = owner.picture_at
    owner.picture_seconds = seconds
    owner.picture_asset_id = owner.mux_asset_id if seconds is not None else None
    audit_log.record("video.picture_chosen", owner, before={FIELD: before}, after={FIELD: seconds})
    return True
