"""The four kinds of failure: what each is called, what it usually means, and words that may be shown."""

import pytest

from lessonadmin.mux.errors import Gone, Later, MuxError, Nonsense, Refused


@pytest.mark.parametrize(
    ("error", "kind", "category"),
    [
        (Gone, "gone", "not_found"),
        (Refused, "refused", "unknown"),
        (Later, "later", "server_error"),
        (Nonsense, "nonsense", "unknown"),
    ],
)
def test_each_kind_has_its_name_and_what_it_usually_means(
    error: type[MuxError], kind: str, category: str
) -> None:
    found = error("No.")
    assert (found.kind, found.category, found.status, found.retry_after) == (kind, category, None, None)
    assert error("No.", category="busy").category == "busy"


@pytest.mark.parametrize("error", [Gone, Refused, Later, Nonsense])
def test_no_kind_is_caught_as_another(error: type[MuxError]) -> None:
    others = {Gone, Refused, Later, Nonsense} - {error}
    assert not issubclass(error, tuple(others))
    assert issubclass(error, MuxError)


def test_what_goes_along_is_kept() -> None:
    found = Later("Wait.", category="rate_limit", status=429, retry_after=7.0)
    assert (found.status, found.retry_after) == (429, 7.0)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("see https://u.example/up?token=SECRET now", "see [address] now"),
        ("x" * 600, "x" * 499 + "…"),
    ],
)
def test_its_words_are_plain_wherever_they_are_read(given: str, shown: str) -> None:
    found = Refused(given)
    assert (found.message, str(found)) == (shown, shown)
