"""The trace of an error, for logs and for a failed job in Redis: where it happened and what it was, never with the words
of the database."""

import traceback
from collections.abc import Callable

from lessonadmin import database_errors

BECAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"


def with_words(error: BaseException) -> str:
    """For logs: what it says, unless it is of the database."""
    if database_errors.is_of_database(error):
        return database_errors.in_short(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def told(error: BaseException, say: Callable[[BaseException], str] = database_errors.in_short) -> str:
    """As Python prints it, with `say` for the words of each error."""
    parts: list[str] = []
    seen: set[int] = set()
    link: str | None = ""
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        frames = "".join(traceback.format_tb(found.__traceback__))
        parts.insert(0, f"Traceback (most recent call last):\n{frames}{say(found)}\n{link}")
        if found.__cause__ is not None:
            found, link = found.__cause__, BECAUSE
        else:
            found, link = None if found.__suppress_context__ else found.__context__, MEANWHILE
    return "".join(parts).rstrip()
