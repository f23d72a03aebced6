"""A person wants to know now: ask Mux about every upload of a lesson or course that matters, and apply the answers.

At most ASKS_PER_MINUTE times a minute and person. What cannot be asked (no video, a temporary id) is said, not asked.
"""

import uuid

from lessonadmin import mux
from lessonadmin.db import Actor, transaction
from lessonadmin.domain.accounts import rate_limits
from lessonadmin.domain.models import Owner
from lessonadmin.domain.polling import ask_mux
from lessonadmin.domain.videos import locking, transitions

NOTHING_TO_ASK = ("not_found", "temp_asset")


def ask_now(owner: Owner, *, actor: Actor) -> str | None:
    """Look at Mux now. A sentence, if Mux could not be asked for lack of an id that it knows."""
    with transaction(actor):
        if actor.id is not None:
            rate_limits.ask_mux(actor.id)
        video = locking.lock_video_of(owner)
        transitions.ensure_tracked(video)
        wanted = [row.id for row in video.to_ask]
        temporary = video.owner.has_temporary_asset
    answers = [_check(row_id, actor=actor) for row_id in wanted]
    if not wanted and temporary:
        return "This is a temporary video id that Mux does not know. Please upload the video again."
    return next((said for said in answers if said is not None), None)


def _check(tracking_id: uuid.UUID, *, actor: Actor) -> str | None:
    try:
        ask_mux.check_upload(tracking_id, actor=actor, priority="high", found_by="manual")
    except mux.MuxError as error:
        if error.category in NOTHING_TO_ASK:
            return "Mux does not know the id of this video. Nothing was changed."
        raise ask_mux.unavailable(error) from error
    return None
