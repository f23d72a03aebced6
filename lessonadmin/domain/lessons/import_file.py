"""A CSV file of lessons: which columns mean what, read a line at a time, every line checked.

Never asks the database or Mux. The lines are not kept in memory, only a number for each.
"""

import codecs
import csv
import io
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Literal, TextIO, cast

from lessonadmin import mux
from lessonadmin.domain import prices
from lessonadmin.domain.errors import Invalid
from lessonadmin.domain.lessons import courses
from lessonadmin.domain.lessons.lessons import UNSET, check_texts
from lessonadmin.domain.models.lessons import LESSON_STATUSES
from lessonadmin.text import spreadsheets
from lessonadmin.text.temporary_ids import is_temporary
from lessonadmin.text.texts import storable

Status = Literal["draft", "published"]
COLUMNS = {
    "title": ("title", "lesson", "lesson title", "name"),
    "description": ("description", "lesson description", "text"),
    "price": ("price", "lesson price"),
    "teacher": ("teacher", "teacher's e-mail", "teacher e-mail", "instructor", "instructor e-mail", "e-mail"),
    "course": ("course", "course title"),
    "section": ("section title", "section of the course"),
    "language": ("course language", "language of the course"),
    "asset_id": ("asset id", "mux asset id", "asset", "mux asset"),
    "status": ("status", "lesson status"),
}
REQUIRED = ("title", "teacher")
DELIMITERS = (",", ";", "\t")
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
MAX_EMAIL = 254
MAX_CELL = 200_000  # characters: a quote that is never closed swallows the lines after it
POSSIBLE_ASSET_ID = re.compile(r"[A-Za-z0-9]{1,255}")
DELIMITER_LINE = re.compile(r"sep=(.)")  # what some spreadsheets write before the names of the columns


class Unreadable(Exception):
    """The file as a whole cannot be read; the message is for the user who made it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One lesson as the file has it; `line` is where it begins."""

    line: int
    title: str
    description: str
    price_cents: int
    instructor: str
    course: str
    section: str
    language: str  # of the course, by its code
    asset_id: str
    status: Status

    @property
    def key(self) -> str:
        """What makes two lines the same lesson."""
        return self.asset_id or "\x1f".join((self.instructor.lower(), self.course, self.title))


@dataclass(frozen=True)
class Wrong:
    """A line that is no lesson, and everything that is wrong with it."""

    line: int
    message: str
    title: str = ""


def rows(path: Path, *, encoding: str | None = None) -> Iterator[Row | Wrong]:
    """Every line that is not empty, in order. Raises Unreadable where nothing can be made of the rest."""
    with _opened(path, encoding) as file:
        delimiter, names, above = _header(file)
        csv.field_size_limit(MAX_CELL)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        line = above + 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Unreadable(f"line {line}: {_in_words(error)}") from None
            if any(cell.strip() for cell in cells):
                yield _read(line, names, cells)
            line = above + reader.line_num + 1


def examine(path: Path, report: Callable[[Wrong], None], *, encoding: str | None = None) -> int:
    """Read the whole file and report every line that is wrong or repeats another one; how many lines are right."""
    right, keys = 0, array("Q")
    for row in rows(path, encoding=encoding):
        if isinstance(row, Wrong):
            report(row)
        else:
            right += 1
            keys.append(_short(row.key))
    twice = {one for one, other in pairwise(sorted(keys)) if one == other}
    del keys
    for wrong in _repeated(path, twice, encoding) if twice else ():
        report(wrong)
        right -= 1
    return right


def _repeated(path: Path, twice: set[int], encoding: str | None) -> Iterator[Wrong]:
    where: dict[str, int] = {}
    for row in rows(path, encoding=encoding):
        if isinstance(row, Row) and _short(row.key) in twice:
            first = where.setdefault(row.key, row.line)
            if first != row.line:
                what = f"The asset {row.asset_id}" if row.asset_id else "The same lesson"
                yield Wrong(row.line, f"{what} stands in line {first} already.", row.title)


def _short(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")


@contextmanager
def _opened(path: Path, encoding: str | None) -> Iterator[TextIO]:
    used = encoding or "utf-8"
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
            raw.seek(0)
            used = encoding or next((name for mark, name in MARKS.items() if start.startswith(mark)), used)
            with io.TextIOWrapper(raw, encoding=used, newline="") as text:
                yield text
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeError:
        hint = "Save it as “CSV UTF-8”, or name its encoding with --encoding (cp1252 for older spreadsheets)."
        raise Unreadable(f"the file is not written in {used}. {hint}") from None


def _header(file: TextIO) -> tuple[str, list[str], int]:
    """What separates the cells, the keys of COLUMNS for the columns, and how many lines that took."""
    head, above = file.readline(MAX_CELL), 1
    stated = DELIMITER_LINE.fullmatch(head.strip("\r\n\ufeff"))
    if stated is not None:
        head, above = file.readline(MAX_CELL), 2
    if not storable(head):
        raise Unreadable("this is no text; save it as “CSV UTF-8”.")
    if not head.strip("\r\n\ufeff ,;\t"):
        raise Unreadable("the file is empty: its first line must name the columns (title, instructor, ...).")
    delimiter = stated[1] if stated else max(DELIMITERS, key=head.count)
    given = next(csv.reader([head.lstrip("\ufeff")], delimiter=delimiter))
    while given and not given[-1].strip():
        given.pop()
    return delimiter, _named(given), above


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


MEANT = {_plain(also): name for name, all_names in COLUMNS.items() for also in (name, *all_names)}


def _named(given: list[str]) -> list[str]:
    unknown = [name.strip()[:40] for name in given if _plain(name) not in MEANT]
    if unknown:
        known = ", ".join(COLUMNS)
        raise Unreadable(f"no column is called “{'”, “'.join(unknown[:5])}”. The columns are: {known}.")
    names = [MEANT[_plain(name)] for name in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unreadable(f"more than one column means “{'”, “'.join(twice)}”.")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise Unreadable(f"there is no column “{'”, “'.join(missing)}”.")
    return names


def _read(line: int, names: list[str], cells: list[str]) -> Row | Wrong:
    # A file or report written by Lessonadmin has a guard before what a spreadsheet would run.
    given = dict(zip(names, (spreadsheets.meant(cell.strip()) for cell in cells), strict=False))
    title = given.get("title", "").strip()
    wrong = []
    if any(cell.strip() for cell in cells[len(names) :]):
        wrong.append(f"there are {len(cells)} cells for {len(names)} columns")
    price = 0
    try:
        price = prices.parse_price(given.get("price") or "0")
    except Invalid as error:
        wrong.append(error.message)
    try:
        check_texts(title, given.get("description", ""))
    except Invalid as error:
        wrong += list((error.fields or {}).values())
    language = _code(given.get("language", ""))
    try:
        courses.spoken(language)
    except Invalid as error:
        wrong.append(error.message)
    status = given.get("status", "").lower() or "draft"
    if status not in LESSON_STATUSES:
        wrong.append(f"The status must be {' or '.join(LESSON_STATUSES)}.")
    wrong += _wrong_names(given)
    if wrong:
        return Wrong(line, " ".join(wrong), title[:200])
    return Row(
        line=line,
        title=title,
        description=given.get("description", ""),
        price_cents=price,
        instructor=given["teacher"],
        course=given.get("course", ""),
        section=given.get("section", ""),
        language=language,
        asset_id=given.get("asset_id", ""),
        status=cast(Status, status),
    )


def _code(language: str) -> str:
    """As it is kept; a file may name it in English, too."""
    given = language.strip().lower()
    return next((code for code, name in mux.LANGUAGES.items() if name.lower() == given), given)


def _wrong_names(given: Mapping[str, str]) -> Iterator[str]:
    instructor, asset_id = given.get("teacher", ""), given.get("asset_id", "")
    if not instructor:
        yield "Enter the instructor's e-mail address."
    elif len(instructor) > MAX_EMAIL or not instructor.isprintable():
        yield "This is not an e-mail address of an instructor."
    for what in ("course", "section"):
        try:
            check_texts(given.get(what) or UNSET, "")
        except Invalid as error:
            yield f"The {what}: {error.message}"
    for what in ("section", "language"):
        if given.get(what) and not given.get("course"):
            yield f"The {what} is that of a course, and no course is named."
    if is_temporary(asset_id):
        yield "The asset id is a temporary one, which Mux has never seen: leave it empty and run fix-lessons, or give the true one."
    elif asset_id and POSSIBLE_ASSET_ID.fullmatch(asset_id) is None:
        yield "The asset id is not one of Mux's."


def _in_words(error: csv.Error) -> str:
    if "field larger" in str(error) or "unexpected end" in str(error):
        return "a cell has no end; is there a quote that is never closed?"
    return f"this is no line of a CSV file ({error})"
