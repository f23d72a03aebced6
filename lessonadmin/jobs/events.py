"""Jobs about webhook events."""

import uuid

from lessonadmin.db import JOB
from lessonadmin.domain.errors import Missing
from lessonadmin.domain.webhooks import inbox


def replay_event(event_id: str) -> None:
    """Apply a parked event whose owner has appeared."""
    try:
        inbox.replay(uuid.UUID(event_id), actor=JOB)
    except Missing:
        return  # pruned meanwhile
