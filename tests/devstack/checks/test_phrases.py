"""The check of phrases finds retired ones where people read them, and leaves code, comments and kept ones alone."""

from pathlib import Path

import pytest

from devstack.checks import phrases


def found(root: Path, file: str, text: str) -> list[str]:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
    return [line.split("“")[1].split("”")[0] for line in phrases.complaints(root)]


@pytest.mark.parametrize(
    ("file", "text", "phrase"),
    [
        ("lessonadmin/a.py", 'TEXT = "It is published by itself."\n', "by itself"),
        ("lessonadmin/a.py", 'TEXT = f"{name} wants what we have"\n', "we"),
        ("lessonadmin/a.py", 'TEXT = "Nobody knows"\n', "Nobody"),
        ("templates/a.html", "<p>Its teacher</p>\n", "teacher"),
        ("templates/a.html", "{{ button('The present one', x) }}\n", "present one"),
        ("templates/a.html", "{% set a = 'Ask Mux now' %}\n", "Ask Mux"),
        ('lessonadmin/static/js/a.js', 'say("It goes on by itself.");\n', "by itself"),
        ("muxsim/templates/a.html", "<p>It is gone</p>\n", "is gone"),
    ],
)  # fmt: skip
def test_a_retired_phrase_is_found(tmp_path: Path, file: str, text: str, phrase: str) -> None:
    assert found(tmp_path, file, text) == [phrase]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("lessonadmin/a.py", '"""Nobody reads a docstring."""\n\nKEY = "teacher"\n'),
        ("lessonadmin/a.py", "ASK = \"SELECT CASE WHEN true THEN 'by itself' END\"\n"),
        ("lessonadmin/a.py", 'ADDRESS = "write to teacher@demo.example"\n'),
        ("lessonadmin/a.py", 'PLACE = "made in the US or the waybill"\n'),
        ("templates/a.html", '{# nobody #}<p class="by itself">{{ teachers[us] }}</p>\n'),
        ("lessonadmin/static/js/a.js", '// nobody waits\nask("teacher");\n'),
        ("lessonadmin/static/vendor/a.js", 'say("by itself it is");\n'),
    ],
)
def test_code_comments_and_keys_are_left_alone(tmp_path: Path, file: str, text: str) -> None:
    assert found(tmp_path, file, text) == []


def test_it_says_what_is_said_instead(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/a.html").write_text("<h1>Machine room</h1>\n")
    assert list(phrases.complaints(tmp_path)) == ["templates/a.html:1: “Machine room”: System"]


def test_every_kept_phrase_is_still_there() -> None:
    """An exception that nothing needs any more is removed."""
    for (file, phrase), reason in phrases.KEPT.items():
        source = (phrases.places.ROOT / file).read_text()
        assert phrase in source.lower(), f"{file} does not say “{phrase}” any more ({reason})"
