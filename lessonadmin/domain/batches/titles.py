"""What a bulk action is called: “Unpublish 4 lessons”, and its undo “Undo of “Unpublish 4 lessons””."""

import uuid
from collections.abc import Iterable, Mapping

from lessonadmin.domain.batches import batches, registry
from lessonadmin.domain.models import Batch
from lessonadmin.text.plurals import plural

# What the rows of a bulk action are called.
NOUNS = {"lesson": "lesson", "course": "course", "tracking": "upload", "event": "event"}


def counted(target: str, count: int) -> str:
    """`4 lessons`."""
    return plural(count, NOUNS.get(target, target))


def title(batch: Batch, undone: Batch | None) -> str:
    """`undone`: the bulk action that this one undoes, if it is known."""
    if batch.undoes_id is not None:
        what = f"“{title(undone, None)}”" if undone is not None else "a bulk action"
        return f"Undo of {what}"
    rows = counted(batch.target_type, batch.total)
    action = registry.TABLE.get((batch.target_type, batch.action))
    return action.of_rows(rows) if action is not None else f"{batch.action} {rows}"


def titles(rows: Iterable[Batch]) -> Mapping[uuid.UUID, str]:
    """The titles of many, with one query for those that they undo."""
    rows = list(rows)
    undone = batches.by_ids({row.undoes_id for row in rows if row.undoes_id is not None})
    return {row.id: title(row, undone.get(row.undoes_id) if row.undoes_id else None) for row in rows}


def title_of(batch: Batch) -> str:
    return titles([batch])[batch.id]
