"""What is typed is found as the words that the texts have, and nothing that is typed can break the query."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lessonadmin.db import db
from lessonadmin.domain.models import SearchWord
from lessonadmin.domain.querying import similar_words
from tests.cases import each_of
from tests.factories import make_course, make_lesson, make_user


def known() -> set[str]:
    return set(db.session.scalars(select(SearchWord.word)))


def words_like(typed: str) -> list[set[str]]:
    return [set(word.whole) for word in similar_words.similar(similar_words.containing(typed))]


@pytest.mark.usefixtures("session")
def test_words_of_titles_descriptions_and_instructors_are_known_once() -> None:
    teacher = make_user(name="Tina Grün", email="hidden@elsewhere.example")
    make_user(role="student", name="Samuel Private")
    lesson = make_lesson(title="Sourdough", description="Flour, water 2.5 a-b", creator=teacher)
    make_course(title="Sourdough Course", instructor=teacher)
    assert known() >= {"tina", "grün", "sourdough", "flour", "water", "course"}
    assert known().isdisjoint({"hidden", "hidden@elsewhere.example", "samuel", "private", "2.5", "b"})
    assert db.session.scalar(select(func.count()).where(SearchWord.word == "sourdough")) == 1
    lesson.title, teacher.name = "Rye", "Martina"
    db.session.flush()
    assert known() >= {"rye", "martina"}


@pytest.mark.usefixtures("session")
def test_a_student_who_becomes_an_instructor_is_known_by_name() -> None:
    person = make_user(role="student", name="Samuel")
    assert "samuel" not in known()
    person.role = "instructor"
    db.session.flush()
    assert "samuel" in known()


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("word", "typed", "is_found"),
    [
        ("sourdough", "dough", True),
        ("sourdough", "our", False),
        ("sourdough", "dou", False),
        ("crème", "creme", True),
        ("crème", "cre", True),
        ("größe", "groesse", False),
        ("größe", "grosse", True),
        ("smørrebrød", "rebrod", True),
        ("łódź", "lodz", True),
    ],
)
def test_parts_and_accents(word: str, typed: str, is_found: bool) -> None:
    make_lesson(title=word)
    assert (word in similar_words.containing(typed)[0].whole) is is_found


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("word", "typed", "is_found"),
    [
        ("sourdough", "sourdogh", True),
        ("sourdough", "suordough", True),
        ("sourdough", "sourdoughh", True),
        ("sourdough", "xourdough", True),
        ("sourdough", "suordogh", True),
        ("sourdough", "sordogh", False),
        ("sourdough", "sordoh", False),
        ("watercolour", "watercolor", True),
        ("bread", "braed", True),
        ("bread", "brxad", True),
        ("bread", "brxxd", False),
        ("oil", "oik", False),
        ("acryl", "akryl", True),
        ("crème", "crene", True),
    ],
)
def test_wrong_letters(word: str, typed: str, is_found: bool) -> None:
    make_lesson(title=word)
    assert (word in words_like(typed)[0]) is is_found


@each_of(
    ("one", "other", "letters"),
    [("", "", 0), ("a", "", 1), ("", "ab", 2), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "xbc", 1),
     ("abcd", "bcd", 1), ("kitten", "sitting", 3), ("ab", "cd", 2)],
)  # fmt: skip
def test_differing_letters(one: str, other: str, letters: int) -> None:
    assert similar_words.differing_letters(one, other) == letters


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", []),
        ("Node.js, NODE well-known", ["node", "js", "well", "known"]),
        ("%|!:*' \x00", []),
        (" ".join("abcdefghij"), list("abcdefgh")),
    ],
)
def test_words_of_a_search_box(typed: str, words: list[str]) -> None:
    assert similar_words.typed_words(typed) == words


@given(typed=st.text(max_size=60))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_typed_raises(session: Session, typed: str) -> None:
    for word in similar_words.similar(similar_words.containing(typed)):
        session.scalar(select(word.query))
