"""The check of the vocabulary finds planted words in names, docstrings and comments, and leaves quotes and values alone."""

from pathlib import Path

import pytest

from devstack.checks import vocabulary


def found(root: Path, file: str, text: str) -> list[str]:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
    return list(vocabulary.complaints(root))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("def open_desk():\n    pass\n", "desk"),
        ("class OpenDesk:\n    pass\n", "desk"),
        ("house = 1\n", "house"),
        ("def look(nudges):\n    pass\n", "nudges"),
        ("MOST_ROWS = 5\n", "MOST_ROWS"),
        ('"""Whoever asks gets it."""\n', "whoever"),
        ("count = 1  # nobody asks\n", "nobody"),
        ("count = 1  # here we wait\n", "we"),
        ("count = 1  # Our clock is late\n", "Our"),
    ],
)
def test_a_retired_word_is_found_in_python(tmp_path: Path, text: str, word: str) -> None:
    assert found(tmp_path, "lessonadmin/domain/prices.py", text) == [
        f"lessonadmin/domain/prices.py:1: {word}"
    ]


def test_a_test_uses_the_same_words(tmp_path: Path) -> None:
    text = 'def test_nobody_pays() -> None:\n    """Whoever looks."""\n'
    assert found(tmp_path, "tests/domain/test_prices.py", text) == [
        "tests/domain/test_prices.py:1: nobody",
        "tests/domain/test_prices.py:2: whoever",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "bedroom = 1  # a bedroom, the US, and its use\n",
        'TEXT = "Somebody asks us at the desk."\n',
        "count = 1  # the column `desk` and “nobody”\n",
        "MAX_ROWS = 5\n",
        "count = library.desk()\n",
    ],
)
def test_other_words_quotes_and_values_are_right(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, "lessonadmin/domain/prices.py", text) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("templates/a.html", "<p>\n{# the desk #}\n</p>"),
        ("lessonadmin/static/a.js", "const a = 1;\n// the desk\n"),
        ("muxsim/static/a.css", "a {}\n/* the desk */\n"),
        ("tests/javascript/a.test.mjs", "const a = 1;\n// the desk\n"),
    ],
)
def test_a_comment_of_a_page_is_read(tmp_path: Path, file: str, text: str) -> None:
    assert found(tmp_path, file, text) == [f"{file}:2: desk"]


def test_what_a_page_shows_is_not_read(tmp_path: Path) -> None:
    assert found(tmp_path, "templates/a.html", "<p>We sit at the desk.</p>") == []


def test_the_name_of_a_file_is_read(tmp_path: Path) -> None:
    assert found(tmp_path, "bench/desk.py", "") == ["bench/desk.py: the name of the file"]


@pytest.mark.parametrize("file", ["migrations/versions/0001.py", "lessonadmin/static/vendor/a.js"])
def test_migrations_and_libraries_are_not_read(tmp_path: Path, file: str) -> None:
    assert found(tmp_path, file, "# desk" if file.endswith(".py") else "// desk") == []
