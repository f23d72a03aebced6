"""What is in the trash is in no result: one rule for every ORM query that reads lessons or courses, wherever it stands in it.

A deleted lesson or course keeps its row until the trash is emptied. Each SELECT of a session is given the condition that leaves it
out, also for a join, a subquery and a look-up by its key. A query that has to see it says so by `too()`: the trash itself, and all
that keeps videos true (locks, webhooks, the outbox). Neither a refresh of an object at hand nor SQL as text is narrowed.
"""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from lessonadmin.domain.models.lessons import Course, Lesson

OPTION = "in_trash_too"
OUTSIDE = [
    with_loader_criteria(model, model.deleted_at.is_(None), include_aliases=True)
    for model in (Lesson, Course)
]


def too() -> dict[str, Any]:
    """The execution option of a statement that also reads what is in the trash."""
    return {OPTION: True}


# Statements that are put together once a process, such as those of every webhook, are given their condition once.
_narrowed: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


@event.listens_for(Session, "do_orm_execute")
def _leave_out(execution: ORMExecuteState) -> None:
    reads_anew = execution.is_column_load or execution.is_relationship_load
    if not execution.is_select or reads_anew or execution.execution_options.get(OPTION):
        return
    statement = execution.statement
    found = _narrowed.get(statement)
    if found is None:
        found = _narrowed[statement] = statement.options(*OUTSIDE)
    execution.statement = found
