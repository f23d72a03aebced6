"""What Mux refused, worded for the user who asks."""

import pytest

from lessonadmin import mux
from lessonadmin.domain.errors import Conflict, Invalid, Problem, Unavailable
from lessonadmin.views.api.mux_problems import FULL, REFUSED, worded_for

CAUSE = mux.Refused("Mux's own words")


def caused(problem: Problem, cause: Exception | None = CAUSE) -> Problem:
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem_type", "words"), [("quota", FULL), ("mux_refused", REFUSED), ("mux_unavailable", "Later.")]
)
def test_staff_read_the_words_of_mux_and_others_what_to_do(problem_type: str, words: str) -> None:
    problem = caused(Conflict(problem_type, "Later."))
    assert worded_for(problem, staff=True).message == "Mux's own words"
    assert worded_for(problem, staff=False).message == words


def test_the_time_to_wait_is_kept() -> None:
    worded = worded_for(caused(Unavailable("mux_unavailable", "Later.", retry_after=7)), staff=True)
    assert isinstance(worded, Unavailable)
    assert (worded.type, worded.retry_after) == ("mux_unavailable", 7)


@pytest.mark.parametrize(
    "problem",
    [
        caused(Conflict("quota", "No."), None),
        caused(Invalid("quota", "No.")),
        caused(Conflict("quota", "No."), KeyError()),
    ],
)
def test_a_problem_that_is_not_from_mux_stays_as_it_is(problem: Problem) -> None:
    assert worded_for(problem, staff=True) is problem
