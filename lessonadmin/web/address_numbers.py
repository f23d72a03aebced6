"""Numbers in the address of a request: which page of a list it asks for, and how often an open page has asked already.

Anything that is no such number counts as none, never as an error. Which pages there are is known where the list is read.
"""

from flask import request

MAX_DIGITS = 9
MAX_ATTEMPTS = 1000


def page(last: int) -> int:
    """From the first page to `last`."""
    return min(max(1, _number("page", otherwise=1)), last)


def attempts() -> int:
    return min(_number("attempt", otherwise=0), MAX_ATTEMPTS)


def _number(name: str, *, otherwise: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else otherwise
