"""A refusal carries a type for programs and sentences for people."""

from lessonadmin.domain.errors import Invalid, Missing, Problem, TooMany


def test_an_invalid_field_says_where_and_what() -> None:
    problem = Invalid.field("title", "Enter a title.")
    assert (problem.type, problem.fields) == ("invalid_input", {"title": "Enter a title."})
    assert problem.sentences == "Enter a title."


def test_all_fields_make_one_text() -> None:
    assert Problem("x", "Wrong.", fields={"a": "One.", "b": "Two."}).sentences == "One. Two."
    assert Problem("x", "Wrong.").sentences == "Wrong."


def test_what_is_missing_looks_the_same_for_all() -> None:
    assert (Missing().type, str(Missing())) == ("not_found", "There is nothing here.")


def test_too_many_says_when_to_ask_again() -> None:
    problem = TooMany("Wait.", retry_after=7)
    assert (problem.type, problem.retry_after) == ("rate_limited", 7)
