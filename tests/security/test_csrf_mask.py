"""The token against forged requests under its mask."""

import pytest

from lessonadmin.security import csrf_mask

TOKEN = "IjM0YmVhMjNkIg.aStuff.k3Y-s1gnature_"


def test_it_is_another_text_each_time_and_the_same_token() -> None:
    texts = {csrf_mask.masked(TOKEN) for _ in range(20)}
    assert len(texts) == 20
    assert {csrf_mask.unmasked(text) for text in texts} == {TOKEN}
    assert not any(TOKEN[:6] in text for text in texts)


@pytest.mark.parametrize("text", ["", TOKEN, "m.", "m.%%%", "m.YQ", "m." + "A" * 7, "m.ÿ"])
def test_what_is_no_masked_token_stays_what_it_is_or_is_empty(text: str) -> None:
    assert csrf_mask.unmasked(text) in (text, "")
