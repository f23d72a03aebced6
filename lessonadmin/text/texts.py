"""Texts from outside: what can be stored, and what may be shown or logged as one line.

Whatever a browser or a program sends is looked at once, in `web.requests` and in the JSON schemas, and refused if it
cannot be stored. What Mux, a file or a mail server says cannot be refused: it is cleaned by the functions in here.
"""

import re

from lessonadmin.security import hiding

MAX_MESSAGE_LENGTH = 500
ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# what would break a line, hide a part of it or turn its direction
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def storable(text: str) -> bool:
    """May it stand in a column? PostgreSQL's text holds neither NUL nor half a surrogate pair."""
    return text.isprintable() or UNSTORABLE.search(text) is None


def made_storable(text: str, *, instead: str = "\ufffd") -> str:
    """The same text with something else for what cannot be stored."""
    return text if text.isprintable() else UNSTORABLE.sub(instead, text)


def has_control(text: str) -> bool:
    """Is there a character that no name and no id has?"""
    return CONTROL.search(text) is not None


def one_line(text: str) -> str:
    """On one line, with single spaces."""
    return " ".join(CONTROL.sub(" ", text).split())


def visible(text: str, *, breaks: bool = False) -> str:
    """With signs in place of every character that a terminal would obey or that hides the rest; for logs and output.
    Line breaks stay where the app wrote the text, such as a trace."""
    if text.isprintable():
        return text
    return CONTROL.sub(lambda found: "\n" if breaks and found[0] == "\n" else _sign(found[0]), text)


def _sign(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or (
        f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
    )


def plain(text: str, *, max_length: int = MAX_MESSAGE_LENGTH) -> str:
    """One printable line without addresses and secrets: words from outside are shown to people and logged."""
    # Cut first, so that a message of megabytes costs no more than one of a page.
    line = CONTROL.sub(" ", text[: max_length * 8])
    line = one_line(hiding.secrets(ADDRESS.sub("[address]", line)))
    return line if len(line) <= max_length else line[: max_length - 1].rstrip() + "…"
