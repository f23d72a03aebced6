"""Many cases in one test: all of them run, and each that fails is named."""

import pytest

from tests.cases import each_of


def test_every_combination_runs_with_the_fixtures_of_the_test() -> None:
    ran = []

    @each_of("one", [1, 2])
    @each_of(("two", "three"), [("a", "b"), ("c", "d")])
    def tried(fixture: str, one: int, two: str, three: str) -> None:
        ran.append((fixture, one, two, three))

    tried(fixture="x")
    assert ran == [("x", 1, "a", "b"), ("x", 1, "c", "d"), ("x", 2, "a", "b"), ("x", 2, "c", "d")]


def test_pytest_sees_the_fixtures_and_no_case(request: pytest.FixtureRequest) -> None:
    assert list(request.fixturenames).count("number") == 0
    assert looped_with_a_fixture.__signature__.parameters.keys() == {"request"}  # type: ignore[attr-defined]


@each_of("number", range(3))
def looped_with_a_fixture(request: pytest.FixtureRequest, number: int) -> None:
    assert number < 3


test_a_looped_test_runs_like_any_other = looped_with_a_fixture


def test_each_that_fails_is_named_also_where_no_error_came() -> None:
    @each_of("number", [0, 1, 2, 3])
    def tried(number: int) -> None:
        assert number != 1
        with pytest.raises(ZeroDivisionError):
            1 / (number if number == 2 else 0)

    with pytest.raises(ExceptionGroup, match="2 of 4 cases fail") as caught:
        tried()
    assert [one.__notes__ for one in caught.value.exceptions] == [["case: number=1"], ["case: number=2"]]
    assert [type(one) for one in caught.value.exceptions] == [AssertionError, AssertionError]


def test_no_case_or_another_name_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="no case"):
        each_of("number", [])
    with pytest.raises(AssertionError, match="does not ask for"):
        each_of("number", [1])(lambda other: None)
