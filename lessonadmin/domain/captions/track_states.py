"""What becomes of a text track when something is heard of it, and what an upload's tracks come to together. Pure."""

from collections.abc import Sequence

from lessonadmin import mux
from lessonadmin.domain.models import CaptionTrack

DELETING, DELETED = "deleting", "deleted"
# Mux's words, and those of the table. A word of tomorrow says nothing.
STATES: dict[mux.TrackStatus, str] = {
    "preparing": "preparing",
    "ready": "ready",
    "errored": "failed",
    "skipped": "skipped",
    "deleted": DELETED,
}
# What the tracks of a video come to: the first of these that one of them has.
ORDER = ("ready", "preparing", "asked", "failed", "skipped")
LIVE = frozenset({"ready", "preparing", "asked"})


def next_state(before: str | None, heard: str | None, *, seen: bool) -> str | None:
    """The state of a track after something was heard of it. `seen`: in a look at Mux, so it is so now.

    Events come in any order and more than once: an older word ("preparing") never takes back a newer one, and what is deleted
    stays so, since Mux gives no id twice.
    """
    if before == DELETED or heard is None or (before == DELETING and heard != DELETED):
        return before
    if heard == "preparing" and before not in (None, "asked") and not seen:
        return before
    return heard


def shown(tracks: Sequence[CaptionTrack]) -> CaptionTrack | None:
    """The track that stands for them all; None if there is none any more."""
    found = [track for state in ORDER for track in tracks if track.state == state]
    return found[0] if found else None
