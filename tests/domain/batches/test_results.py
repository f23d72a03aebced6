"""Each code of a result has one sentence, and says whether it changes the item."""

import pytest

from lessonadmin.domain.batches import results
from tests.cases import each_of


def test_a_code_either_changes_an_item_or_skips_it() -> None:
    assert results.DONE
    assert results.SKIPPED
    assert not results.DONE.keys() & results.SKIPPED.keys()


@each_of("code", sorted(results.SENTENCES))
def test_a_code_stands_for_its_status_and_sentence(code: str) -> None:
    status = "done" if code in results.DONE else "skipped"
    assert results.of(code) == results.Result(status, results.SENTENCES[code], code)  # type: ignore[arg-type]
    assert results.of(code, "In other words.").note == "In other words."


def test_an_unknown_code_is_no_result() -> None:
    with pytest.raises(KeyError):
        results.of("unheard_of")
