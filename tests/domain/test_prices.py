"""A price as people write it has one reader, for the form, the panel, its filter and files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.domain import prices
from lessonadmin.domain.errors import Invalid
from tests.settings import overridden

pytestmark = pytest.mark.usefixtures("settings")


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("9.99", 999),
        ("9,99", 999),
        ("9.9", 990),
        ("9", 900),
        ("0", 0),
        ("0.00", 0),
        ("€ 9.90", 990),
        ("9,90 €", 990),
        ("$1", 100),
        ("£1", 100),
        ("EUR 9.90", 990),
        ("9.90 EUR", 990),
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
        *("9.999", "9.", ".5", "1,000.00", "1.000,00", "1.2.3", "9:99", "9.99 USD", "", "  ", "1,000", "1.000", "1,000.000", "9" * 41, "9" * 5000),
    ],
)  # fmt: skip
def test_what_is_no_price(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        prices.parse_price(typed)
    assert caught.value.fields == {"price": "Enter the price as 9.99, or 0 if the lesson is free."}


@pytest.mark.parametrize(
    "typed", ["999999.01", "1000000", "9999999999", "1,000,000,000", "1.000.000,00", "1 000 000", "9" * 40]
)
def test_what_is_too_much(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        prices.parse_price(typed)
    assert caught.value.fields == {"price": "This price is too high. It can be EUR\u00a0999,999.00 at most."}


@given(cents=st.integers(0, prices.MAX_PRICE_CENTS))
def test_what_a_form_shows_is_read_back(cents: int) -> None:
    assert prices.parse_price(prices.price_text(cents)) == cents


@pytest.mark.parametrize(
    ("cents", "written"),
    [(0, "Free"), (1, "EUR\u00a00.01"), (999, "EUR\u00a09.99"), (123_456_789, "EUR\u00a01,234,567.89")],
)
def test_money(cents: int, written: str) -> None:
    assert prices.money(cents) == written


def test_what_people_read_is_read_back_in_every_currency() -> None:
    with overridden(currency="CHF"):
        assert prices.money(990) == "CHF\u00a09.90"
        assert prices.parse_price(prices.money(990)) == 990
