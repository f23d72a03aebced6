"""Jobs about videos. Without budget, or with Mux away, they leave the row due and the sweep takes it up."""

import uuid

from lessonadmin.db import JOB
from lessonadmin.domain import budget, cancelling, looking, removal
from lessonadmin.domain.errors import Missing


def check_asset(tracking_id: str) -> None:
    """Ask Mux about one upload now."""
    with budget.call(2) as granted:
        if granted:
            try:
                looking.look(uuid.UUID(tracking_id), actor=JOB, priority="low", found_by="sweep")
            except Missing:
                return  # deleted meanwhile


def delete_asset(deletion_id: str) -> None:
    """Keep the promise to delete one asset at Mux."""
    with budget.call(2) as granted:
        if granted:
            removal.finish(uuid.UUID(deletion_id), actor=JOB)


def cancel_upload(cancellation_id: str) -> None:
    """Keep the promise to cancel one upload at Mux."""
    with budget.call(2) as granted:
        if granted:
            cancelling.finish(uuid.UUID(cancellation_id), actor=JOB)
