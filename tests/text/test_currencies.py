"""A currency is three letters of ISO 4217, and has hundredths."""

import pytest

from lessonadmin.text import currencies


@pytest.mark.parametrize(("text", "code"), [("EUR", "EUR"), ("usd", "USD"), ("Chf", "CHF")])
def test_a_code_is_read_in_capital_letters(text: str, code: str) -> None:
    assert currencies.read(text) == code


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("JPY", "JPY has none"),
        ("kwd", "KWD has three"),
        ("EURO", "three letters"),
        ("XYZ", "three letters"),
        ("", "three letters"),
        ("€", "three letters"),
    ],
)
def test_what_prices_cannot_be_in_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        currencies.read(text)


def test_no_code_stands_in_two_lists_and_each_has_three_letters() -> None:
    lists = (currencies.WITH_HUNDREDTHS, currencies.WITHOUT_DECIMALS, currencies.WITH_THOUSANDTHS)
    codes = [code for one in lists for code in one]
    assert len(codes) == len(set(codes))
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in codes)
