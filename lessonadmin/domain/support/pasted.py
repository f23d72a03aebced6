"""What a pasted text may name: the ids in an address of this site or of Mux, or a beginning of an id. Reads nothing but the text."""

import re
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from lessonadmin.text.ids import as_id

MIN_BEGINNING = 8  # hexadecimal digits, as tables show them
MUX_ID = re.compile(r"[A-Za-z0-9_-]{16,}")
HEX = re.compile(r"[0-9a-f]{8,31}", re.IGNORECASE)
EXTENSION = re.compile(r"\.[a-z0-9]{2,5}$", re.IGNORECASE)
MAX_IDS = 5


@dataclass(frozen=True)
class Range:
    """All ids that begin alike; for a whole id the two are one."""

    first: uuid.UUID
    last: uuid.UUID


def ids_in_address(text: str) -> list[str]:
    """The ids in an address, the likeliest first: of its path the last one, then those of its query. None in other texts."""
    if "/" not in text and "?" not in text:
        return []
    try:
        parts = urlsplit(text)
        query = [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return []
    pieces = [EXTENSION.sub("", piece) for piece in reversed(parts.path.split("/"))]
    return [piece for piece in [*pieces, *query] if as_id(piece) is not None or MUX_ID.fullmatch(piece)][
        :MAX_IDS
    ]


def beginning(text: str) -> Range | None:
    """The ids that begin with this text; None if it is too short or no beginning of one."""
    digits = text.strip().rstrip("…").replace("-", "")
    if len(digits) < MIN_BEGINNING or not HEX.fullmatch(digits):
        return None
    return Range(uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f")))
