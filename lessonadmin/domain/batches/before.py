"""What a lesson or course is before an action, to be written down with the item and restored by an undo.

Read under its lock, and before anything is changed.
"""

from lessonadmin.db import transaction_time
from lessonadmin.domain.models import Lesson, Owner
from lessonadmin.domain.videos import publication

# The option by which an undo hands an action what a row was.
BEFORE = "before"


def of(owner: Owner) -> dict[str, object]:
    """Its publication, the video that it has, and the moment from which changes by others count as later ones."""
    state: dict[str, object] = {
        "at": transaction_time().isoformat(),
        "asset_id": owner.mux_asset_id,
        "plays": owner.is_playable,
    }
    return state | publication.state_of(owner).as_json() if isinstance(owner, Lesson) else state
