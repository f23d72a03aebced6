"""The rows of a page or of a slice of a file: they are read like a list, and their details come along."""

import dataclasses

import pytest

from lessonadmin.admin.framework.listing import Listing, PageOfRows
from lessonadmin.domain.querying.bounded_count import Count
from lessonadmin.domain.querying.keyset import Page

ROWS = ["first", "second", "third"]
PAGE = Page(ROWS, previous=None, next={"after": "third"})
LISTINGS = [Listing(ROWS, {"first": 1}), PageOfRows(ROWS, {"first": 1}, PAGE, Count(3))]


@pytest.mark.parametrize("listing", LISTINGS, ids=["slice", "page"])
def test_it_is_its_rows_in_their_order(listing: Listing) -> None:
    assert list(listing) == ROWS
    assert len(listing) == 3
    assert listing
    assert listing.details == {"first": 1}


def test_one_without_rows_is_false_for_a_template() -> None:
    """Templates ask `if data`, whatever was prepared."""
    assert not Listing([], {"first": 1})


@pytest.mark.parametrize("name", ["rows", "details"])
def test_nothing_is_put_into_it_later(name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(LISTINGS[0], name, [])
