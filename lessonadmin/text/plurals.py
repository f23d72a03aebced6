"""Counts with their nouns, for pages and messages. Pure."""


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 lesson`, `3 lessons`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
