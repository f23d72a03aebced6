"""A file of lessons is read as spreadsheets write it, and everything that is wrong in it is said with its line."""

import codecs
import csv
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lessonadmin.domain.lessons import import_file
from lessonadmin.domain.lessons.import_file import Row, Unreadable, Wrong
from lessonadmin.text import spreadsheets

pytestmark = pytest.mark.usefixtures("settings")

HEAD = ("title", "description", "price", "teacher", "course", "section", "language", "asset id", "status")
TEACHER = "tina@school.example"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lessons.csv"


def cells(**given: str) -> list[str]:
    named = {"title": "Fugue", "teacher": TEACHER, **given}
    return [named.get(name, "") for name in HEAD]


def write(path: Path, *lines: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *lines])


def only(path: Path, **how: Any) -> Row | Wrong:
    (row,) = import_file.rows(path, **how)
    return row


def examined(path: Path) -> tuple[int, list[Wrong]]:
    wrong: list[Wrong] = []
    return import_file.examine(path, wrong.append), wrong


def test_a_line_with_everything(path: Path) -> None:
    wanted = cells(
        description="In C",
        price="9,99",
        course="Bach",
        section=" Organ works ",
        language="German",
        status="Published",
        **{"asset id": "a1"},
    )
    write(path, wanted)
    assert only(path) == Row(
        line=2, title="Fugue", description="In C", price_cents=999, instructor=TEACHER, course="Bach",
        section="Organ works", language="de", asset_id="a1", status="published",
    )  # fmt: skip


def test_a_line_with_no_more_than_it_must_have_is_a_free_draft(path: Path) -> None:
    path.write_text(f"teacher,title\n{TEACHER}, Fugue \n")
    assert only(path) == Row(
        line=2, title="Fugue", description="", price_cents=0, instructor=TEACHER, course="", section="", language="",
        asset_id="", status="draft",
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + f"title,teacher\nÜbung,{TEACHER}\n".encode(),
        f"title;teacher;price\r\nÜbung;{TEACHER};9,99\r\n".encode(),
        f"sep=;\r\ntitle;teacher\r\nÜbung;{TEACHER}\r\n".encode(),
        f"Title\tTeacher's e-mail\nÜbung\t{TEACHER}\n".encode("utf-16"),
        f'"Lesson title","Instructor e-mail","Mux Asset ID"\r"Übung","{TEACHER}",""\r'.encode(),
    ],
    ids=["byte order mark", "semicolons", "sep line", "utf-16 and tabs", "old line ends"],
)
def test_files_as_spreadsheets_write_them(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    row = only(path)
    assert isinstance(row, Row)
    assert (row.title, row.instructor) == ("Übung", TEACHER)


def test_an_older_encoding_is_named_never_guessed(path: Path) -> None:
    path.write_bytes(f"title,teacher\nÜbung,{TEACHER}\n".encode("cp1252"))
    with pytest.raises(Unreadable, match="--encoding"):
        only(path)
    assert only(path, encoding="cp1252").title == "Übung"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("sep=;\n", "the file is empty"),
        ("title\nx\n", "there is no column “teacher”"),
        ("title,teacher,prise\nx,y,z\n", "no column is called “prise”"),
        ("title,name,teacher\nx,y,z\n", "more than one column means “title”"),
        (
            f'title,teacher\n"never closed,{TEACHER}\n' + "x,y\n" * 100_000,
            "line 2: a cell has no end; is there a quote that is never closed",
        ),
        (f'title,teacher\nx,{TEACHER}\n"y"z,{TEACHER}\n', "line 3: this is no line of a CSV file"),
        (b"PK\x03\x04\x00\x00\x08\x00title", "no text"),
    ],
    ids=["nothing", "blank lines", "sep line alone", "no teacher", "unknown column", "two titles", "open quote",
         "text after a quote", "no text"],
)  # fmt: skip
def test_a_file_that_cannot_be_read(path: Path, content: str | bytes, words: str) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Unreadable) as refusal:
        list(import_file.rows(path))
    assert words in str(refusal.value)


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read: No such file"):
        list(import_file.rows(path))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"title": ""}, "Enter a title"),
        ({"title": "x" * 201}, "Enter a title"),
        ({"title": "Bell \x07"}, "cannot be stored"),
        ({"description": "x" * 20_001}, "20000"),
        ({"price": "dear"}, "Enter the price"),
        ({"price": "-1"}, "Enter the price"),
        ({"price": "1000000"}, "at most"),
        ({"status": "maybe"}, "The status must be draft or published."),
        ({"teacher": ""}, "Enter the instructor's e-mail address."),
        ({"teacher": "x" * 255}, "This is not an e-mail address of an instructor."),
        ({"teacher": "a\x07b"}, "This is not an e-mail address of an instructor."),
        ({"course": "x" * 201}, "The course: "),
        ({"course": "Bach", "section": "x" * 201}, "The section: Enter a title of 1 to 200"),
        ({"section": "Organ works"}, "The section is that of a course, and no course is named."),
        ({"course": "Bach", "language": "Klingon"}, "Choose one of the languages"),
        ({"language": "de"}, "no course is named"),
        ({"asset id": "temp_asset_1"}, "The asset id is a temporary one"),
        ({"asset id": "../../etc/passwd"}, "The asset id is not one of Mux's."),
        ({"asset id": "a" * 256}, "The asset id is not one of Mux's."),
    ],
)
def test_a_line_that_is_no_lesson(path: Path, given: dict[str, str], words: str) -> None:
    write(path, cells(**given), cells(title="Right"))
    right, wrong = examined(path)
    assert right == 1
    assert [one.line for one in wrong] == [2]
    assert words in wrong[0].message


@pytest.mark.parametrize(
    ("given", "code"), [("de", "de"), ("German", "de"), (" FR ", "fr"), ("", ""), ("auto", "auto")]
)
def test_the_language_of_a_course_is_read_by_code_or_name(path: Path, given: str, code: str) -> None:
    write(path, cells(course="Bach", language=given))
    row = only(path)
    assert isinstance(row, Row)
    assert row.language == code


def test_everything_that_is_wrong_with_a_line_is_said_at_once(path: Path) -> None:
    write(path, [*cells(price="dear", status="maybe", teacher=""), "", "one too many"])
    wrong = only(path)
    assert isinstance(wrong, Wrong)
    assert wrong.title == "Fugue"
    for words in ("11 cells for 9 columns", "Enter the price", "The status must", "Enter the instructor's"):
        assert words in wrong.message


def test_a_line_is_named_by_where_it_begins(path: Path) -> None:
    path.write_text(f'title,description,teacher,price\nOne,"two\nlines",{TEACHER},1\n\nTwo,,{TEACHER},dear\n')
    assert [row.line for row in import_file.rows(path)] == [2, 5]


def test_lines_after_a_sep_line_are_counted_with_it(path: Path) -> None:
    path.write_text(f"sep=;\ntitle;teacher\nOne;{TEACHER}\n")
    assert only(path).line == 3


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"asset id": "a1"}, {"title": "Other", "asset id": "a1"}, "The asset a1 stands in line 2 already."),
        ({}, {"teacher": TEACHER.upper()}, "The same lesson stands in line 2 already."),
        ({"course": "Bach"}, {"course": "Bach", "price": "5"}, "The same lesson stands in line 2 already."),
    ],
    ids=["asset", "teacher and title", "teacher, course and title"],
)
def test_a_line_that_repeats_another(
    path: Path, first: dict[str, str], second: dict[str, str], words: str
) -> None:
    write(path, cells(**first), cells(title="Between"), cells(**second))
    right, wrong = examined(path)
    assert right == 2
    assert [(one.line, one.message) for one in wrong] == [(4, words)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"asset id": "a1"}, {"asset id": "a2"}),
        ({"course": "Bach"}, {"course": "Brahms"}),
        ({"title": "Fugue"}, {"title": "fugue"}),
        ({}, {"teacher": "tom@school.example"}),
        ({}, {"asset id": "a1"}),
    ],
    ids=["asset", "course", "case of the title", "teacher", "with an asset and without"],
)
def test_lines_that_are_two_lessons(path: Path, first: dict[str, str], second: dict[str, str]) -> None:
    write(path, cells(**first), cells(**second))
    assert examined(path) == (2, [])


@pytest.mark.parametrize("title", ["=1+1", "'=1+1", "a;=1+1", "\uff1d1", "-5", "'quoted'", "a; b, c"])
def test_a_file_of_the_product_itself_is_read_as_it_was_meant(path: Path, title: str) -> None:
    described = f"{title}\n- one\n- two"
    line = spreadsheets.line(cells(title=title, description=described))
    path.write_text(spreadsheets.line(HEAD) + line, encoding="utf-8", newline="")
    row = only(path)
    assert isinstance(row, Row)
    assert (row.title, row.description) == (title, described)


def test_a_file_of_any_length_takes_little_memory(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("title,teacher,asset id\n")
        for number in range(20_000):
            file.write(f"Lesson {number},{TEACHER},A{number:040}\n")
    tracemalloc.start()
    try:
        assert import_file.examine(path, lambda _: pytest.fail("a line is wrong")) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000 * 60, "a number a line is kept, never the lines"
