"""Counts with their nouns."""

from lessonadmin.text.plurals import plural


def test_plurals() -> None:
    assert [plural(n, "lesson") for n in (0, 1, 2, 1000)] == [
        "0 lessons",
        "1 lesson",
        "2 lessons",
        "1,000 lessons",
    ]
    assert plural(2, "match", "matches") == "2 matches"
