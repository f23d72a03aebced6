"""Every list and every open page reads these by one rule."""

import pytest
from flask import Flask

from lessonadmin.web import address_numbers


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 1),
        ("?page=", 1),
        ("?page=1", 1),
        ("?page=7", 7),
        ("?page=007", 7),
        ("?page=50", 50),
        ("?page=51", 50),
        ("?page=999999999", 50),
        ("?page=9999999999", 1),
        ("?page=0", 1),
        ("?page=-3", 1),
        ("?page=2.5", 1),
        ("?page=two", 1),
        ("?page=٣", 1),
        ("?page=²", 1),
        ("?page=3&page=4", 3),
    ],
)
def test_the_page_that_an_address_asks_for(app: Flask, query: str, number: int) -> None:
    with app.test_request_context(f"/lessons{query}"):
        assert address_numbers.page(50) == number


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 0),
        ("?attempt=0", 0),
        ("?attempt=12", 12),
        ("?attempt=1001", 1000),
        ("?attempt=-1", 0),
        ("?attempt=x", 0),
    ],
)
def test_how_often_an_open_page_has_asked(app: Flask, query: str, number: int) -> None:
    with app.test_request_context(f"/lessons{query}"):
        assert address_numbers.attempts() == number
