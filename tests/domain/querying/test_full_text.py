"""What is typed into a search box finds words by their beginnings, and nothing that is typed can break the query."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.models import Lesson
from lessonadmin.domain.querying import full_text
from tests import factories


def found(typed: str) -> set[str]:
    condition = full_text.matches(Lesson.search, typed)
    assert condition is not None
    return set(db.session.scalars(select(Lesson.title).where(condition)))


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("title", "typed"),
    [
        ("Linear Algebra", "alg"),
        ("Linear Algebra", "ALGEBRA linear"),
        ("Node.js for beginners", "node.js"),
        ("Node.js for beginners", "node.j beg"),
        ("A well-known proof", "well-known"),
        ("A well-known proof", "known"),
        ("It's alive", "it's"),
        ("\u00dcber Gr\u00f6\u00dfen", "gr\u00f6\u00df"),
        ("\u65e5\u672c\u8a9e", "\u65e5\u672c"),
        ("Version 2.5 is out", "2.5"),
        ("Mail me@school.example", "ME@school"),
        ("Mail me@school.example", "me@school.example mail"),
        ("Maths/Algebra", "maths/alg"),
        ("Chess \u265f for all", "chess \u265f !"),
        ("C:\\temp and \\n", "temp"),
    ],
)
def test_words_from_their_beginning(title: str, typed: str) -> None:
    factories.make_lesson(title=title)
    factories.make_lesson(title="Something else")
    assert found(typed) == {title}


@pytest.mark.parametrize(
    ("typed", "twice"), [("water Zanzibar", 0), ("water 2.5", 1), ("me@school.example", 1)]
)
def test_letters_alone_are_looked_for_once(typed: str, twice: int) -> None:
    """The index reads all that begins with a word, once for each time that it is asked."""
    assert str(full_text.matches(Lesson.search, typed)).count("||") == twice


@given(word=st.text(alphabet=st.characters(categories=["L"]), min_size=1, max_size=12))
@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_word_of_letters_is_found_as_postgresql_takes_it(session: Session, word: str) -> None:
    searched = literal_column("made.search", TSVECTOR)
    made = select(func.to_tsvector("simple", word).label("search")).subquery("made")
    condition = full_text.matches(searched, word)  # type: ignore[arg-type]  # a column that no table has
    assert condition is not None
    kept = session.scalar(select(func.length(made.c.search)))
    assert session.scalar(select(condition).select_from(made)) is bool(kept)


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    "typed", ["gebra", "algebra cooking", "algebra & !cooking", "algebra | cooking", "!!!", "'"]
)
def test_operators_are_only_punctuation(typed: str) -> None:
    factories.make_lesson(title="Linear Algebra")
    assert found(typed) == set()


@pytest.mark.parametrize("typed", ["", "   ", "\x00", "\n\t"])
def test_an_empty_box_is_no_condition(typed: str) -> None:
    assert full_text.matches(Lesson.search, typed) is None


@given(typed=st.text(max_size=300) | st.text(alphabet="'\\:*&|!<>() -ab\x00\ud800", max_size=60))
@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nothing_that_can_be_typed_raises(session: Session, typed: str) -> None:
    condition = full_text.matches(Lesson.search, typed)
    if condition is not None:
        session.execute(select(Lesson.id).where(condition)).all()


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("typed", ["algebra", "maths", "maths/algebra", "part", "two", "part-two", "alg par"])
def test_a_word_after_a_sign_in_a_title_is_found(typed: str) -> None:
    factories.make_lesson(title="Maths/Algebra: part-two")
    assert found(typed) == {"Maths/Algebra: part-two"}


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("c", {"C for beginners"}),  # a whole word, not each word that begins with it
        ("C beg", {"C for beginners"}),
        ("c-f", set()),
        ("ch", {"Chess"}),
        ("\u65e5", {"\u65e5\u672c\u8a9e"}),
    ],
)
def test_a_single_letter_is_a_whole_word(typed: str, titles: set[str]) -> None:
    for title in ("C for beginners", "Chess", "\u65e5\u672c\u8a9e"):
        factories.make_lesson(title=title)
    assert found(typed) == titles


@pytest.mark.usefixtures("session")
def test_words_beyond_the_most_are_not_looked_at() -> None:
    words = [f"word{number}" for number in range(full_text.MAX_WORDS)]
    factories.make_lesson(title=" ".join(words))
    assert found(" ".join([*words, "another"])) == {" ".join(words)}
    assert found(" ".join([*words[:-1], "another"])) == set()
