"""The trace of an error, for logs and for a failed job in Redis: where it happened and what it was, never with the words
of the database."""

import traceback
from collections.abc import Callable

from lessonadmin.database import database_errors

BECAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"


def with_words(error: BaseException) -> str:
    """What it says; of the database only when it was away, for then it has seen nothing of what people wrote."""
    short = database_errors.in_short(error)
    if database_errors.is_of_database(error) and not database_errors.is_away(error):
        return short
    said = str(error).splitlines()
    return f"{short}: {said[0] if database_errors.is_away(error) else error}" if said else short


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
