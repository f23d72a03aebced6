"""Ids in texts: those of local rows that come from outside (an address, a form, a file), and any that are long to read."""

import re
import uuid

# An id of Mux, and one of Lessonadmin; no word of a language is as long, or has a digit.
LONG = re.compile(r"\b(?=[0-9A-Za-z-]*[0-9])([0-9A-Za-z]{8})[0-9A-Za-z-]{16,}\b")


def as_id(text: str | None) -> uuid.UUID | None:
    """The id that this text is; None for anything else, so that nonsense means "no such row" and never an error."""
    try:
        return uuid.UUID((text or "").strip())
    except ValueError:
        return None


def shortened(text: str) -> str:
    """A text with the beginnings of its ids alone, for a row of a list; they are whole on the page that it leads to."""
    return LONG.sub(r"\1…", text)
