"""Ids of local rows in texts from outside: an address, a form, a file."""

import uuid


def as_id(text: str | None) -> uuid.UUID | None:
    """The id that this text is; None for anything else, so that nonsense means "no such row" and never an error."""
    try:
        return uuid.UUID((text or "").strip())
    except ValueError:
        return None
