"""Prices as people write them: parsed from a form, a filter or a file, and formatted. They are stored in whole cents.

All are in one currency, the setting CURRENCY; it is shown as its code of ISO 4217 before the number, since a sign such as $ has
many meanings. A sign, or the code, that is typed with the number is ignored.
"""

import re

from lessonadmin import config
from lessonadmin.domain.errors import Invalid

MAX_PRICE_CENTS = 99_999_900
NO_PRICE = "Enter the price as 9.99, or 0 if the lesson is free."
# digits of any script, as `int` reads them; one dot or comma before the cents and none between thousands
PRICE_PATTERN = re.compile(r"(\d{1,40})(?:[.,](\d{1,2}))?")
# a million or more, with its thousands apart: not to be misread, and too much in any case
MILLIONS_PATTERN = re.compile(r"[1-9]\d{0,2}([.,'’])\d{3}(?:\1\d{3}){1,12}(?:[.,]\d{1,2})?")
CURRENCY_SIGNS = re.compile(r"[\s€$£]")


def currency() -> str:
    """The one that every price is in, by its code of ISO 4217."""
    return config.current().currency


def money(cents: int) -> str:
    """`Free`, `EUR 1,234.00`, for reading; the space does not break."""
    return "Free" if cents == 0 else f"{currency()}\u00a0{cents // 100:,}.{cents % 100:02d}"


def price_text(cents: int) -> str:
    """`1234.00`, as it is typed into a form; `parse_price` gives the same cents again."""
    return f"{cents // 100}.{cents % 100:02d}"


def parse_price(text: str) -> int:
    """Cents out of `9.99`, `9,99`, `9`, `€ 9.90`, `EUR 9.90`; Invalid for what is no price, or too much."""
    bare = CURRENCY_SIGNS.sub("", text)
    code = currency()
    bare = bare.removeprefix(code).removesuffix(code)
    if MILLIONS_PATTERN.fullmatch(bare):
        raise _too_high()
    match = PRICE_PATTERN.fullmatch(bare)
    if match is None:
        raise Invalid.field("price", NO_PRICE)
    whole, part = match.groups()
    cents = int(whole) * 100 + int((part or "0").ljust(2, "0"))
    if cents > MAX_PRICE_CENTS:
        raise _too_high()
    return cents


def _too_high() -> Invalid:
    return Invalid.field("price", f"This price is too high. It can be {money(MAX_PRICE_CENTS)} at most.")
