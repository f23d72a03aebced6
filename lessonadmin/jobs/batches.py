"""Jobs of bulk actions: a slice of a batch, or one item of it."""

import uuid

from lessonadmin.domain.batches import runner, scheduling


def run_batch(batch_id: str, token: str) -> None:
    """Work on a batch for a while as the holder of this lease; the next slice follows behind the other jobs."""
    scheduling.run_slice(uuid.UUID(batch_id), uuid.UUID(token))


def run_batch_item(item_id: str) -> None:
    """Carry out one item of a batch."""
    runner.run_item(uuid.UUID(item_id))
