"""A text is an id or it is none; nothing that can be sent is an error."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonadmin.text.ids import as_id, shortened
from tests.cases import each_of

ID = uuid.UUID("01a1fc30-4459-7d2e-be8a-be56dc97f121")


@pytest.mark.parametrize(
    "text", [str(ID), str(ID).upper(), ID.hex, f" {ID}\n", f"{{{ID}}}", f"urn:uuid:{ID}"]
)
def test_an_id_is_understood_however_it_was_copied(text: str) -> None:
    assert as_id(text) == ID


@each_of("text", [None, "", " ", "x", "1", str(ID)[:-1], f"{ID}0", "\x00", "\ud800", "g" * 32, "x" * 100_000])
def test_anything_else_is_none(text: str | None) -> None:
    assert as_id(text) is None


@given(text=st.text(max_size=60) | st.text(alphabet="0123456789abcdef-{}_ \x00", max_size=40))
def test_nothing_raises(text: str) -> None:
    found = as_id(text)
    assert found is None or isinstance(found, uuid.UUID)


def test_a_text_keeps_the_beginnings_of_its_ids_alone() -> None:
    asset = "CY3RA7jD3lzVA1VuhnPY7zGOPMQOHuHWl1gKIGhJLbXk"
    assert shortened(f"asset: {asset}; by bulk action {ID}") == "asset: CY3RA7jD…; by bulk action 01a1fc30…"
    words = "title: Donaudampfschifffahrtsgesellschaftskapitän; 29 Nov 2026, 23:48"
    assert shortened(words) == words
