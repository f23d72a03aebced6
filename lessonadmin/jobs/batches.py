"""Jobs of bulk work: a share of a batch, or one row of it."""

import uuid

from lessonadmin.domain.batches import batches, runner


def run_batch(batch_id: str, turn: str) -> None:
    """Work on a batch for a while; the next share follows behind the other jobs."""
    batches.run_slice(uuid.UUID(batch_id), uuid.UUID(turn))


def run_batch_item(item_id: str) -> None:
    """Carry out one row of a batch."""
    runner.run_item(uuid.UUID(item_id))
