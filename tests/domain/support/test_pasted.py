"""Ids in pasted addresses, and beginnings of ids."""

import uuid

import pytest

from lessonadmin.domain.support import pasted
from tests.cases import each_of

ID = "01a1fc30-4459-7d2e-be8a-be56dc97f121"


@each_of(
    ("text", "ids"),
    [
        ("", []),
        ("words of a title", []),
        (ID, []),
        (f"/lessons/{ID}/edit", [ID]),
        (f"https://school.example/catalog/{ID}?q=x#y", [ID]),
        (f"/admin/lesson/details/?id={ID}&next=1", [ID]),
        ("https://image.mux.com/abcdefghijklmnop/thumbnail.jpg?token=e.y", ["abcdefghijklmnop"]),
        ("https://stream.mux.com/abcdefghijklmnop.m3u8?token=e.y", ["abcdefghijklmnop"]),
        (f"/a/{ID}/b/abcdefghijklmnop", ["abcdefghijklmnop", ID]),
        ("http://[", []),
        ("/?x=%ff%00", []),
        ("/".join("a" * 16 for _ in range(50)), ["a" * 16] * pasted.MAX_IDS),
    ],
)
def test_ids_in_an_address(text: str, ids: list[str]) -> None:
    assert pasted.ids_in_address(text) == ids


@pytest.mark.parametrize(
    "text", ["01a1fc30", "01A1FC30-44", "01a1fc30…", " 01a1fc30-4459-7d2e-be8a-be56dc97f12 "]
)
def test_a_beginning_is_a_range_that_has_the_id(text: str) -> None:
    found = pasted.beginning(text)
    assert found is not None
    assert found.first <= uuid.UUID(ID) <= found.last


@pytest.mark.parametrize("text", ["", "01a1fc3", "sourdough", "01a1fc3g", ID, ID + "0"])
def test_no_beginning(text: str) -> None:
    assert pasted.beginning(text) is None
