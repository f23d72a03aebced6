"""A price as people write it has one reader, for the form, the panel, its filter and files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.domain import prices
from lessonadmin.domain.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("9.99", 999),
        ("9,99", 999),
        ("9.9", 990),
        ("9", 900),
        ("0", 0),
        ("0.00", 0),
        ("", 0),
        ("  ", 0),
        ("€ 9.90", 990),
        ("9,90 €", 990),
        ("$1", 100),
        ("£1", 100),
        ("1 000", 100_000),
        ("1\u202f000,50", 100_050),
        ("1\u00a0000", 100_000),
        ("007", 700),
        ("999999.00", 99_999_900),
        # as an Asian or Arabic keyboard writes digits; `int` reads them, and so does Lessonadmin
        ("\uff19.\uff19\uff19", 999),
        ("\u0661\u0662", 1200),
    ],
)
def test_prices_as_people_write_them(typed: str, cents: int) -> None:
    assert prices.parse_price(typed) == cents


@pytest.mark.parametrize(
    "typed",
    [
        *("a lot", "-1", "+1", "- 1", "1e5", "1E2", "nan", "NaN", "inf", "-0", "0x10", "1_000", "\u00b2", "\u00bd", "9.99\x00"),
        *("9.999", "9.", ".5", "1,000.00", "1.000,00", "1.2.3", "9:99", "9.99 USD", "9" * 41, "9" * 5000),
    ],
)  # fmt: skip
def test_what_is_no_price(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        prices.parse_price(typed)
    assert caught.value.fields == {"price": "Enter the price as 9.99, or 0 if the lesson is free."}


@pytest.mark.parametrize("typed", ["999999.01", "1000000", "9999999999", "9" * 40])
def test_what_is_too_much(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        prices.parse_price(typed)
    assert caught.value.fields == {"price": "The price can be 999,999.00 at most."}


@given(cents=st.integers(0, prices.MAX_PRICE_CENTS))
def test_what_a_form_shows_is_read_back(cents: int) -> None:
    assert prices.parse_price(prices.price_text(cents)) == cents


@pytest.mark.parametrize(
    ("cents", "written"), [(0, "Free"), (1, "0.01"), (999, "9.99"), (123_456_789, "1,234,567.89")]
)
def test_money(cents: int, written: str) -> None:
    assert prices.money(cents) == written
