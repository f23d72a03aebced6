"""Prices as people write them: parsed from a form, a filter or a file, and formatted. They are stored in whole cents.

The product stores no currency: a currency sign before or after the number is ignored.
"""

import re

from lessonadmin.domain.errors import Invalid

MAX_PRICE_CENTS = 99_999_900
# digits of any script, as `int` reads them; one dot or comma before the cents and none between thousands
PRICE_PATTERN = re.compile(r"(\d{1,40})(?:[.,](\d{1,2}))?")
CURRENCY_SIGNS = re.compile(r"[\s€$£]")


def money(cents: int) -> str:
    """`Free`, `1,234.00`, for reading."""
    return "Free" if cents == 0 else f"{cents // 100:,}.{cents % 100:02d}"


def price_text(cents: int) -> str:
    """`1234.00`, as it is typed into a form; `parse_price` gives the same cents again."""
    return f"{cents // 100}.{cents % 100:02d}"


def parse_price(text: str) -> int:
    """Cents out of `9.99`, `9,99`, `9`, `€ 9.90` and nothing (free); Invalid for what is no price, or too much."""
    bare = CURRENCY_SIGNS.sub("", text)
    match = PRICE_PATTERN.fullmatch(bare or "0")
    if match is None:
        raise Invalid.field("price", "Enter the price as 9.99, or 0 if the lesson is free.")
    whole, part = match.groups()
    cents = int(whole) * 100 + int((part or "0").ljust(2, "0"))
    if cents > MAX_PRICE_CENTS:
        raise Invalid.field("price", f"The price can be {money(MAX_PRICE_CENTS)} at most.")
    return cents
