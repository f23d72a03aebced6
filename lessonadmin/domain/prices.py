"""Prices as people write them: read out of a form, a filter or a file, and written back. Stored they are whole cents.

The product keeps no currency: a sign before or after the figure is read over.
"""

import re

from lessonadmin.domain.errors import Invalid

MAX_PRICE_CENTS = 99_999_900
# digits of any script, as `int` reads them; one dot or comma before the cents and none between thousands
PRICE = re.compile(r"(\d{1,40})(?:[.,](\d{1,2}))?")
SIGNS = re.compile(r"[\s€$£]")


def money(cents: int) -> str:
    """`Free`, `1,234.00`, for reading."""
    return "Free" if cents == 0 else f"{cents // 100:,}.{cents % 100:02d}"


def price_input(cents: int) -> str:
    """`1234.00`, as it is typed into a form; `read` gives the same cents again."""
    return f"{cents // 100}.{cents % 100:02d}"


def read(text: str) -> int:
    """Cents out of `9.99`, `9,99`, `9`, `€ 9.90` and nothing (free); Invalid for what is no price, or too much."""
    bare = SIGNS.sub("", text)
    match = PRICE.fullmatch(bare or "0")
    if match is None:
        raise Invalid.field("price", "Enter the price as 9.99, or 0 if the lesson is free.")
    whole, part = match.groups()
    cents = int(whole) * 100 + int((part or "0").ljust(2, "0"))
    if cents > MAX_PRICE_CENTS:
        raise Invalid.field("price", f"The price can be {money(MAX_PRICE_CENTS)} at most.")
    return cents
